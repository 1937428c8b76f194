"""Importing gives the union, whatever became of an archive and its exports: each item as often as the source has it."""

from __future__ import annotations

import json
import random
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from archiver.model import Event, Record, Reject
from archiver.storage.backup import backup, restore
from archiver.storage.recorder import Recorder
from archiver.transfer.importer import ImportResult, import_lines

from ..conftest import PostgresServer
from .archives import event, export, micros, record, rows, seen

SIX = [event("container/1", f"S{n}", n) for n in range(1, 7)]


def lines(url: str) -> list[bytes]:
    return [line.encode() + b"\n" for line in export(url)]


def brought(url: str, text: Iterable[bytes]) -> ImportResult:
    """Imported, some lines at a time."""
    return import_lines(url, text, batch_lines=3)


def held(url: str) -> Counter[str]:
    """Every item with how often it is there, whatever its number."""
    return counted(lines(url))


def counted(text: Iterable[bytes]) -> Counter[str]:
    """The items of an export."""
    found: Counter[str] = Counter()
    for line in map(json.loads, text):
        if line["archiver"] in ("event", "observation", "reject"):
            del line["id"]
            found[json.dumps(line, sort_keys=True)] += 1
    return found


@pytest.fixture
def another(sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes empty archives in SQLite files."""

    def made() -> str:
        path = tmp_path / f"{secrets.token_hex(4)}.db"
        shutil.copyfile(sqlite_template, path)
        return f"sqlite:///{path}"

    return made


def path_of(url: str) -> Path:
    return Path(str(make_url(url).database))


# --- cases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uuids", [False, True])
def test_a_copy_catches_up_by_a_later_export_of_the_original(another: Callable[[], str], uuids: bool) -> None:
    source, copy = another(), another()
    told = [one._replace(uuid=f"u{n}") if uuids else one for n, one in enumerate(SIX)]
    record(source, *told[:3])
    shutil.copyfile(path_of(source), path_of(copy))
    record(source, *told[3:])

    assert brought(copy, lines(source)) == ImportResult(events=3, duplicates=3)
    assert held(copy) == held(source)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_mirror_gets_what_came_after_a_restore_of_its_source(
    another: Callable[[], str], database_url: str, tmp_path: Path, by_hand: bool
) -> None:
    source, kept = another(), tmp_path / "kept.db"
    record(source, *SIX[:2])
    backup(source, kept)
    record(source, *SIX[2:4])
    brought(database_url, lines(source))

    shutil.copyfile(kept, path_of(source)) if by_hand else restore(source, kept)
    record(source, *SIX[4:])

    assert brought(database_url, lines(source)) == ImportResult(events=2, duplicates=2)
    assert rows(database_url, "SELECT count(*) FROM event_log") == [(6,)]


def test_a_part_that_was_imported_first_hides_nothing(another: Callable[[], str], database_url: str) -> None:
    source = another()
    record(source, *SIX)
    everything = lines(source)

    brought(database_url, [everything[0], *everything[4:]])

    assert brought(database_url, everything) == ImportResult(events=3, duplicates=3)
    assert held(database_url) == held(source)


def test_parts_that_were_imported_in_another_order_hide_nothing(another: Callable[[], str], database_url: str) -> None:
    source = another()
    record(source, *SIX)
    everything = lines(source)

    for part in (everything[4:], everything[1:3]):
        brought(database_url, [everything[0], *part])

    assert brought(database_url, everything) == ImportResult(events=1, duplicates=5)
    assert held(database_url) == held(source)


@pytest.mark.parametrize("order", [sorted, lambda text: text[::-1]], ids=["sorted", "backwards"])
def test_the_lines_of_an_export_may_come_in_any_order(
    another: Callable[[], str], database_url: str, order: Callable[[list[bytes]], list[bytes]]
) -> None:
    source = another()
    record(source, *SIX, *SIX, seen("container/1", "S7", 7), Reject(b"x", "r", micros(1)))
    everything = order(lines(source))

    assert brought(database_url, everything) == ImportResult(events=12, rejects=1)
    assert held(database_url) == held(source)
    assert brought(database_url, everything) == ImportResult(duplicates=12)
    assert held(database_url) == held(source)


def test_what_is_there_twice_is_there_twice_in_the_copy(another: Callable[[], str], database_url: str) -> None:
    """Also when one of the two is there already, and they come in different batches."""
    source, twice = another(), event("container/1", "S1", 1)
    record(database_url, twice)
    record(source, twice, *SIX[1:], twice)

    assert brought(database_url, lines(source)) == ImportResult(events=6, duplicates=1)
    assert held(database_url) == held(source)


def test_what_is_new_is_new_although_it_says_what_was_said_before(
    another: Callable[[], str], database_url: str
) -> None:
    source = another()
    record(source, *SIX)
    brought(database_url, lines(source))
    record(source, *SIX)

    assert brought(database_url, lines(source)) == ImportResult(events=6, duplicates=6)
    assert held(database_url) == held(source)


def test_two_exports_sorted_into_one_text(another: Callable[[], str], database_url: str) -> None:
    sources = [another(), another()]
    for source, key in zip(sources, ("a", "b"), strict=True):
        record(source, *[event(f"container/{key}", f"S{n}", n) for n in range(3)])

    brought(database_url, sorted([line for source in sources for line in lines(source)]))

    assert held(database_url) == held(sources[0]) + held(sources[1])
    assert [brought(database_url, lines(source)).events for source in sources] == [0, 0]


def test_the_same_lines_again_in_one_text(another: Callable[[], str], database_url: str) -> None:
    source = another()
    record(source, *SIX, seen("container/1", "S7", 7), Reject(b"x", "r", micros(1)))

    brought(database_url, sorted(lines(source) * 2))

    assert held(database_url) == held(source)


def test_an_export_of_version_0_1_0_has_neither_generation_nor_end(
    another: Callable[[], str], database_url: str
) -> None:
    source = another()
    record(source, *SIX)
    head, *told, _ = lines(source)
    before = {key: value for key, value in json.loads(head).items() if key != "generation"}
    first = json.dumps(before, separators=(",", ":")).encode()

    for events, duplicates in ((6, 0), (0, 6)):
        result = brought(database_url, [first, *told])
        assert (result.events, result.duplicates, result.lacks) == (events, duplicates, None)


@pytest.mark.parametrize("last", range(1, 9))
def test_an_export_that_ends_early_is_not_complete(another: Callable[[], str], sqlite_url: str, last: int) -> None:
    source = another()
    record(source, *SIX, Reject(b"x", "r", micros(1)))
    text = lines(source)

    assert len(text) == 9
    assert brought(sqlite_url, text[:last]).lacks == "its last line is missing"
    assert brought(sqlite_url, text).lacks is None


def test_an_export_from_which_lines_are_missing_says_how_many(another: Callable[[], str], sqlite_url: str) -> None:
    source = another()
    record(source, *SIX)
    text = lines(source)

    assert brought(sqlite_url, [*text[:2], *text[4:]]).lacks == "4 of 6 events are there"


def test_the_first_of_two_exports_ends_early(another: Callable[[], str], sqlite_url: str) -> None:
    source, second = another(), another()
    record(source, *SIX)
    record(second, event("container/2", "S1", 1))

    assert brought(sqlite_url, [*lines(source)[:3], *lines(second)]).lacks is not None


def test_a_mirror_does_not_look_at_what_it_has(
    another: Callable[[], str], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch that was archived from the same generation before, one item is looked at."""
    source = another()
    record(source, *[event("container/1", f"S{n}", n) for n in range(300)])
    import_lines(sqlite_url, lines(source), batch_lines=100)
    looked_at: list[int] = []
    holds = Recorder.holds

    def counted(recorder: Recorder, records: Any) -> bool:
        looked_at.append(len(records))
        return holds(recorder, records)

    monkeypatch.setattr(Recorder, "holds", counted)
    record(source, event("container/1", "new", 300))

    assert import_lines(sqlite_url, lines(source), batch_lines=100) == ImportResult(events=1, duplicates=300)
    assert looked_at
    assert set(looked_at) == {1}


def test_a_conflict_of_an_export_is_one_reject_however_often_it_is_imported(
    another: Callable[[], str], database_url: str
) -> None:
    source = another()
    record(database_url, event("container/1", "Running", 1, uuid="u"))
    record(source, event("container/1", "Stopped", 1, uuid="u"))

    assert [brought(database_url, lines(source)).rejects for _ in range(3)] == [1, 0, 0]


def test_an_object_that_said_much_at_one_instant(another: Callable[[], str], database_url: str) -> None:
    source = another()
    record(source, *[event("container/1", f"S{n % 7}", 1) for n in range(3000)])
    brought_in = lines(source)

    assert import_lines(database_url, brought_in[:1500]).events == 1499
    assert import_lines(database_url, brought_in) == ImportResult(events=1501, duplicates=1499)
    assert held(database_url) == held(source)


# --- the model --------------------------------------------------------------------------------------------------------

PLACES = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.lists(st.integers(0, 7), min_size=1, max_size=5)),
        st.tuples(st.just("keep"), st.just(None)),
        st.tuples(st.just("restore"), st.just(None)),
        st.tuples(st.just("whole"), st.just(None)),
        st.tuples(st.just("part"), st.tuples(PLACES, st.integers(0, 8))),
        st.tuples(st.just("shuffle"), st.integers(0, 99)),
        st.tuples(st.just("mine"), st.lists(st.integers(0, 7), min_size=1, max_size=3)),
    ),
    max_size=12,
)


def item(what: int) -> Record:
    """One of few things that can be said, so that they come again and again."""
    if what == 6:
        return seen("container/1", "S6", 6)
    if what == 7:
        return Reject(b"x", "not JSON", micros(7))
    ref = "container/1" if what % 2 else "service/1"
    return event(ref, f"S{what}", what // 2, ["stack/1"], more=what) if what else event("odd", resource_uri=None)


def unnamed(what: int, at: int) -> list[Record]:
    """What is said, and beside it an event with a uuid of its own."""
    named = event("container/2", f"U{at}", at, uuid=f"u{at}")
    assert isinstance(named, Event)
    return [item(what), named]


class Model:
    """A source with its copies, and the archive into which its exports go; beside them what must be there."""

    def __init__(self, source: str, target: str, kept: Path) -> None:
        self.source, self.target, self.kept = source, target, kept
        self.told = 0
        self.has_copy = False
        self.wanted: Counter[str] = Counter()

    def do(self, step: str, detail: Any) -> None:
        if step in ("record", "mine"):
            told = [one for at, what in enumerate(detail, self.told + 1) for one in unnamed(what, at)]
            self.told += len(detail)
            record(self.source if step == "record" else self.target, *told)
            if step == "mine":
                self.wanted = held(self.target)
        elif step == "keep":
            backup(self.source, self.kept)
            self.has_copy = True
        elif step == "restore" and self.has_copy:
            restore(self.source, self.kept)
        elif step in ("whole", "part", "shuffle"):
            self.bring(step, detail)

    def bring(self, step: str, detail: Any) -> None:
        text = lines(self.source)
        if step == "shuffle":
            random.Random(detail).shuffle(text)
        elif step == "part":
            start, length = detail
            text = [text[0], *text[1 + start : 1 + start + length]]
        brought(self.target, text)
        self.wanted |= counted(text)  # of each the larger number


def check(model: Model, steps: list[tuple[str, Any]]) -> None:
    for step, detail in [*steps, ("whole", None), ("whole", None)]:
        model.do(step, detail)
        assert held(model.target) == model.wanted


@pytest.fixture
def source_and_copy(sqlite_template: Path, tmp_path: Path) -> Callable[[], tuple[str, Path]]:
    """Makes an empty source, and a name for its copy."""

    def made() -> tuple[str, Path]:
        folder = tmp_path / secrets.token_hex(4)
        folder.mkdir()
        shutil.copyfile(sqlite_template, folder / "source.db")
        return f"sqlite:///{folder}/source.db", folder / "kept.db"

    return made


@settings(max_examples=12)
@given(steps=STEPS)
def test_every_sequence_gives_the_union(
    source_and_copy: Callable[[], tuple[str, Path]], another: Callable[[], str], steps: list[tuple[str, Any]]
) -> None:
    source, kept = source_and_copy()

    check(Model(source, another(), kept), steps)


@settings(max_examples=6)
@given(steps=STEPS)
def test_every_sequence_gives_the_union_on_postgresql(
    source_and_copy: Callable[[], tuple[str, Path]],
    postgres_server: PostgresServer,
    postgres_template: str,
    steps: list[tuple[str, Any]],
) -> None:
    source, kept = source_and_copy()

    with postgres_server.database(postgres_template) as target:
        check(Model(source, target, kept), steps)
