"""Holds what the library answers against the model: every kind of question, of everything, over ranges of all sorts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from archiver.api.archive import Archive
from archiver.codec.uris import parse
from archiver.errors import NotThen
from archiver.model import (
    Action,
    ArchivedEvent,
    Change,
    Micros,
    Resource,
    ResourceRef,
    TimeRange,
    TreeNode,
    now_micros,
    to_datetime,
    to_micros,
)
from archiver.queries.coverage import BEFORE
from archiver.storage.duplicates import value_of
from archiver.storage.words import INTERRUPTED, SILENT

from . import available, moments, semantics, watched
from .platforms import numbered, placed, written
from .replay import Archived, Watch, event_word
from .semantics import OPEN, Ran
from .tables import differing
from .watching import blind

Range = tuple[Micros | None, Micros | None]
_EVER: Range = (None, None)
_RANGES = 3
"""Ranges of which is asked beside all time."""


def differences(url: str, expected: Archived, seed: int, most: int | None = None) -> Iterator[str]:
    """What the archive answers otherwise, in words; it is asked about so many of its objects (None: all)."""
    with Archive.open(url) as archive:
        yield from Questions(archive, expected, random.Random(seed), most).differences()


class Questions:
    """Puts the questions to one archive."""

    def __init__(self, archive: Archive, expected: Archived, pick: random.Random, most: int | None) -> None:
        self._archive, self._expected, self._pick = archive, expected, pick
        sessions = expected.sessions.values()
        edges = {at for session in sessions for at in (session.covered_from, session.end)}
        self._instants = sorted({word.at for word in expected.told} | edges)
        known = sorted(expected.resources)
        self._refs = known if most is None else pick.sample(known, min(most, len(known)))
        self._resources: dict[ResourceRef, Resource] = {}
        names = numbered(archive.platforms())
        self._names = {number: name for name, number in names.items()}
        self._several = len(names) > 1

    def differences(self) -> Iterator[str]:
        """Everything that is answered otherwise."""
        yield from self._resolving()
        yield from self._whole_log()
        ranges = [_EVER, *(self._range() for _ in range(_RANGES))]
        for ref in self._refs:
            yield from self._present(ref)
            for asked in {_EVER, self._pick.choice(ranges)}:
                yield from self._events(ref, asked)
                yield from self._actions([ref], asked)
                yield from self._history(ref, asked)
                yield from self._available(ref, asked)
        for asked in ranges[1:] if self._refs else ():
            roots = self._pick.sample(self._refs, min(2, len(self._refs)))
            yield from self._actions(roots, asked)
        for asked in ranges:
            yield from self._coverage(asked)
        yield from self._moments()
        yield from self._status()

    def _range(self) -> Range:
        """Mostly of instants at which something was said, or anybody began or ceased to watch, or beside them."""
        instants = [at + off for at in self._instants for off in (-1, 0, 0, 1)]
        since, until = self._pick.choice([None, *instants]), self._pick.choice([None, *instants])
        backwards = since is not None and until is not None and since >= until
        return (since, None) if backwards else (since, until)

    # --- resources ---

    def _resolving(self) -> Iterator[str]:
        for ref in self._refs:
            key, platform = written(ref)
            name = self._names[platform] if self._several else None
            found = self._archive.resolve(f"{ref.type}/{key}", platform=name)
            self._resources[ref] = found
            yield from differing("resolve", [(ref.type, key, name)], [(found.type, found.key, found.platform)])
            yield from differing("resolve, its URI", [ref], [placed(found.uri, platform)])
            by_uri = self._archive.resolve(found.uri, platform=name)
            yield from differing("resolve by URI", [found.id], [by_uri.id])

    def _present(self, ref: ResourceRef) -> Iterator[str]:
        found, present = self._resources[ref], semantics.rule_9_present(self._expected.told, ref)
        wanted, got = ((each.name, each.image, each.slot) for each in (present, found))
        yield from differing(f"name, image and slot of {ref}", [wanted], [got])
        yield from self._tree(ref, gone=False)
        yield from self._tree(ref, gone=True)

    def _on(self, root: ResourceRef | None) -> int:
        """The platform of what an answer about something names; about everything, the only one."""
        return next(iter(self._names), 1) if root is None else written(root)[1]

    # --- the log ---

    def _whole_log(self) -> Iterator[str]:
        found = list(self._archive.events(limit=0))
        wanted = [_logged(number, self._expected) for number in self._log()]
        yield from differing("events", wanted, [_heard(event) for event in found])
        yield from differing("order of events", [self._log()], [[event.id for event in found]])
        for number in self._pick.sample(sorted(self._expected.events), min(2, len(self._expected.events))):
            yield from differing(
                f"event {number}, as it was said",
                [_said(number, self._expected)],
                [_message(self._archive.event(number).said)],
            )

    def _log(self) -> list[int]:
        return sorted(self._expected.events, key=lambda number: (self._expected.events[number].occurred_at, number))

    def _events(self, root: ResourceRef, asked: Range) -> Iterator[str]:
        places, since_until = self._expected.places, _between(asked)
        wanted = []
        for number in self._log():
            word = event_word((number, self._expected.events[number]))
            if _is_in(word.at, asked) and root in places.rule_8_event(word):
                wanted.append(number)
        limit = self._pick.choice([0, 0, 2])
        found = self._archive.events(under=self._resources[root], range=since_until, limit=limit)
        yield from differing(
            f"rule 8, events under {root} in {asked}, the last {limit or 'of all'}",
            [[_logged(number, self._expected) for number in (wanted[-limit:] if limit else wanted)]],
            [[_heard(event) for event in found]],
        )
        if asked == _EVER:
            followed = self._archive.follow(under=self._resources[root], after=0)
            yield from differing(f"rule 8, what follows under {root}", sorted(wanted), [event.id for event in followed])

    # --- actions ---

    def _actions(self, roots: list[ResourceRef], asked: Range) -> Iterator[str]:
        under = [ran for ran in self._expected.ran if not self._expected.places.ran_under(ran).isdisjoint(roots)]
        wanted = [ran for ran in under if overlaps(ran, asked)]
        found = list(self._archive.actions([self._resources[root] for root in roots], _between(asked)))
        yield from differing(
            f"rule 8, actions under {roots} in {asked}", map(_ran, wanted), [_ran_by(action) for action in found]
        )
        yield from differing(
            "order of actions", [sorted(each.started_at for each in found)], [[each.started_at for each in found]]
        )

    # --- states ---

    def _history(self, ref: ResourceRef, asked: Range) -> Iterator[str]:
        found = self._archive.history(self._resources[ref], _between(asked))
        told = watched.Told(self._expected, ref, asked)
        what = f"history of {ref} in {asked}"
        yield from differing(what, [list(told.spells())], [list(map(watched.spell, found.spans))])
        gaps = [
            (gap.stream, _micros(gap.since), _micros(gap.until), gap.proven)
            for gap in found.coverage.gaps
            if gap.stream
        ]
        judged = () if told.is_imported else told.judged()
        wanted = [(stream, gap.since, gap.until, proven) for stream, gap, proven in judged]
        yield from differing(f"coverage of the {what}", wanted, gaps)

    def _available(self, ref: ResourceRef, asked: Range) -> Iterator[str]:
        """The parts of a container's life, and its lane, which is its history."""
        if ref.type != "container":
            return
        resource, ends = self._resources[ref], available.bounded(asked, self._instants[-1])
        whole = self._archive.history(resource)
        causes = {to_micros(span.since): span.cause.kind for span in whole.spans if span.cause is not None}
        wanted = available.parts(self._expected, ref, ends, causes)
        if wanted is None:
            return
        rows = self._archive.report("availability", resource, _between(ends)).rows
        own = [row for row in rows if row.subject.uri == resource.uri]
        found = [round(seconds * 1e6) for row in own for seconds in row[2:6]] or [0] * 4
        yield from differing(f"availability of {ref} in {ends}", [tuple(wanted)], [tuple(found)])
        told = self._archive.history(resource, _between(ends)).spans
        (lane, *_) = self._archive.lanes(resource, _between(ends)).lanes
        drawn = [span._replace(kind=None) for span in lane.spans]
        yield from differing(f"lane of {ref} in {ends}", [told], [tuple(drawn)])

    # --- the tree ---

    def _tree(self, root: ResourceRef, *, gone: bool) -> Iterator[str]:
        parents = tree(self._expected, root, gone=gone)
        found = self._archive.tree(self._resources[root], gone=gone)
        nodes = list(_flat(self._on(root), found, None))
        what = f"tree of {root}" + (", with the gone" if gone else "")
        present = {ref: semantics.rule_9_present(self._expected.told, ref) for ref in parents}
        wanted = [
            (ref, each.name, each.state, each.state_since, each.gone_at, each.image, each.slot)
            for ref, each in present.items()
        ]
        yield from differing(what, wanted, [_stands(self._on(root), node) for node, _ in nodes])
        yield from self._well_placed(what, root, parents, nodes)

    def _well_placed(
        self,
        what: str,
        root: ResourceRef | None,
        parents: dict[ResourceRef, set[ResourceRef]],
        nodes: list[tuple[TreeNode, ResourceRef | None]],
    ) -> Iterator[str]:
        """Each is below the one of its parents that has most of the tree above it, unless they are in a circle."""
        for node, place in nodes:
            ref = placed(node.uri, self._on(root))
            circle = any(ref in above(parents, parent) for parent in parents.get(ref, ()))
            if ref == root or ref not in parents or circle:
                continue
            if not parents[ref]:
                yield from differing(f"{what}: place of {ref}", [None], [place])
                continue
            best = max(len(above(parents, parent)) for parent in parents[ref])
            if place not in parents[ref] or len(above(parents, place)) < best:
                yield f"{what}: {ref} stands below {place}, its parents are {parents[ref]}"

    # --- any moment ---

    def _moments(self) -> Iterator[str]:
        """How it stood at two instants, and what was otherwise, of everything and of each resource that is asked of."""
        instants = moments.instants(self._expected.told)
        everything = () if self._several else (None,)  # which of two platforms a URI is of, no tree of all says
        for root in (*everything, *self._refs) if instants else ():
            first, second = (
                moments.Moment(self._expected, at) for at in sorted(self._pick.choice(instants) for _ in range(2))
            )
            yield from self._at(self._pick.choice([first, second]), root)
            yield from self._diff(first, second, root)

    def _at(self, moment: moments.Moment, root: ResourceRef | None) -> Iterator[str]:
        parents = moment.platform() if root is None else moment.under(root)
        about = None if root is None else self._resources[root]
        what = f"{root or 'everything'} at {moment.at}"
        try:
            found = self._archive.at(to_datetime(moment.at), about)
        except NotThen:
            yield from differing(what, parents, [])
            return
        nodes = [(node, place) for node, place in _flat(self._on(root), found, None) if node.uri is not None]
        yield from differing(what, map(moment.stood, parents), [_stood(self._on(root), node) for node, _ in nodes])
        yield from self._well_placed(what, root, parents, nodes)

    def _diff(self, first: moments.Moment, second: moments.Moment, root: ResourceRef | None) -> Iterator[str]:
        wanted = list(moments.differences(first, second, root))
        about = None if root is None else self._resources[root]
        ends = to_datetime(first.at), to_datetime(second.at)
        what = f"what of {root or 'everything'} was otherwise at {second.at} than at {first.at}"
        try:
            found = self._archive.diff(*ends, about).changes
        except NotThen:
            yield from differing(what, {root} & (first.living | second.living), [])
            return
        yield from differing(what, wanted, [_changed(self._on(root), each) for each in found])
        yield from differing(f"order of {what}", [sorted(each.at for each in found)], [[each.at for each in found]])

    # --- who was watching ---

    def _coverage(self, asked: Range) -> Iterator[str]:
        streams = {session.stream for session in self._expected.sessions.values()}
        wanted = [
            gap for stream in sorted(streams) for gap in blind_on(stream, self._expected.sessions.values(), asked)
        ]
        found = self._archive.coverage(_between(asked)).gaps
        heard = [gap for gap in found if gap.stream in streams]
        yield from differing(
            f"coverage of {asked}",
            wanted,
            [(gap.stream, _micros(gap.since), _micros(gap.until), gap.reason, gap.kind) for gap in heard],
        )
        if not found and not streams:
            yield f"coverage of {asked}: nobody watched, and it is complete"

    # --- numbers ---

    def _status(self) -> Iterator[str]:
        found, expected = self._archive.status(), self._expected
        rejects = len(expected.rejects) + len(expected.conflicts)
        wanted = (len(expected.events), rejects, len(expected.resources))
        yield from differing("status", [wanted], [(found.events, found.rejects, found.resources)])
        times = [event.occurred_at for event in expected.events.values()]
        first_last = (found.first_event_at, found.last_event_at)
        ends = (to_datetime(min(times)), to_datetime(max(times))) if times else (None, None)
        yield from differing("status, first and last event", [ends], [first_last])


# --- what the model answers ------------------------------------------------------------------------------------------


def overlaps(ran: Ran, asked: Range) -> bool:
    """Whether an action ran in a range: begun before its end, and not ended before its beginning."""
    since, until = asked
    ended_before = since is not None and ran.finished_at is not None and ran.finished_at < since
    return not ended_before and (until is None or ran.started_at < until)


def blind_on(stream: str, sessions: Iterable[Watch], asked: Range) -> list[tuple[Any, ...]]:
    """The gaps of a stream within a range, each with the reason that its session gave."""
    own = [session for session in sessions if session.stream == stream]
    return [(stream, gap.since, gap.until, *_reason(gap.why)) for gap in blind(own, *asked, now_micros())]


def _reason(session: Watch | None) -> tuple[str, str]:
    if session is None:
        return BEFORE, "before"
    if session.closed_at is None:
        return SILENT, "silent"
    return session.reason or INTERRUPTED, session.kind or "lost"


def tree(expected: Archived, root: ResourceRef, *, gone: bool) -> dict[ResourceRef, set[ResourceRef]]:
    """What is under a resource now, each with its parents in the tree; with the gone, as they were at their end."""
    below: dict[ResourceRef, set[ResourceRef]] = {}
    for fact in expected.facts:
        gone_at = semantics.rule_1_gone_at(expected.told, fact.about) if gone else None
        ended = gone_at is not None and fact.since < gone_at <= fact.until
        if fact.what == semantics.PARENT and (fact.until == OPEN or ended):
            below.setdefault(fact.value, set()).add(fact.about)
    parents: dict[ResourceRef, set[ResourceRef]] = {root: set()}
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        for child in below.get(parent, set()) - {root}:
            if child not in parents:
                waiting.append(child)
            parents.setdefault(child, set()).add(parent)
    return parents


def above(parents: dict[ResourceRef, set[ResourceRef]], ref: ResourceRef) -> set[ResourceRef]:
    """All that is above one in a tree."""
    found: set[ResourceRef] = set()
    waiting = [ref]
    while waiting:
        new = parents.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


# --- both in the same words ------------------------------------------------------------------------------------------


def _between(asked: Range) -> TimeRange:
    return TimeRange(*[None if at is None else to_datetime(at) for at in asked])


def _is_in(at: Micros, asked: Range) -> bool:
    since, until = asked
    return (since is None or at >= since) and (until is None or at < until)


def _micros(moment: datetime | None) -> Micros | None:
    return None if moment is None else to_micros(moment)


def _logged(number: int, expected: Archived) -> tuple[Any, ...]:
    event = expected.events[number]
    about = None if event.resource_uri is None else parse(event.resource_uri)
    parents = tuple(map(parse, event.parents))
    told = (event.type, event.action, event.state, about, parents, event.occurred_at, event.received_at)
    name = event.name
    if event.resource_uri is not None and not name:
        ref = placed(event.resource_uri, event.platform)
        name = semantics.name_at(expected.told, expected.facts, ref, event.occurred_at)
    return (number, *told, event.uuid, event.time_source, name)


def _heard(event: ArchivedEvent) -> tuple[Any, ...]:
    about = None if event.resource_uri is None else parse(event.resource_uri)
    parents = tuple(map(parse, event.parents))
    times = to_micros(event.occurred_at), to_micros(event.received_at)
    told = (event.type, event.action, event.state, about, parents, *times)
    return (event.id, *told, event.uuid, event.time_source, event.name)


def _said(number: int, expected: Archived) -> Mapping[str, Any]:
    """The JSON that the platform sent, from which the event was made."""
    return _message(value_of(expected.events[number]))


def _message(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """The engine's own message, where it is one: an object that was named in Tutum's way first shows all beside it."""
    message: Mapping[str, Any] = said.get("message", said)
    return message


def _bare(ref: ResourceRef) -> ResourceRef:
    """What is named in an answer that says nothing of platforms."""
    return ResourceRef(ref.type, written(ref)[0])


def _ran(ran: Ran) -> tuple[Any, ...]:
    state = None if ran.state is None else ran.state.lower()
    return (
        _bare(ran.about),
        ran.target and _bare(ran.target),
        state,
        ran.started_at,
        ran.finished_at,
        ran.events,
        ran.name,
    )


def _ran_by(action: Action) -> tuple[Any, ...]:
    target = None if action.target is None else parse(action.target)
    state = None if action.state is None else action.state.lower()
    times = to_micros(action.started_at), _micros(action.finished_at)
    return parse(action.uri), target, state, *times, action.events, action.name


def _stands(on: int, node: TreeNode) -> tuple[Any, ...]:
    told = (placed(node.uri or "", on), node.name, node.state)
    return *told, _micros(node.since), _micros(node.gone_at), node.image, node.slot


def _stood(on: int, node: TreeNode) -> moments.Stood:
    about = placed(node.uri or "", on)
    return moments.Stood(about, node.name, node.state, _micros(node.since), node.image, node.certain, node.tags)


def _changed(on: int, change: Change) -> moments.Change:
    before, after = (
        frozenset(placed(uri, on) for uri in side) if isinstance(side, tuple) and change.change == "moved" else side
        for side in (change.before, change.after)
    )
    return change.change, placed(change.uri, on), before, after, to_micros(change.at), change.certain


def _flat(on: int, node: TreeNode, place: ResourceRef | None) -> Iterator[tuple[TreeNode, ResourceRef | None]]:
    yield node, place
    for child in node.children:
        yield from _flat(on, child, None if node.uri is None else placed(node.uri, on))
