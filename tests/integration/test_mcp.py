"""The archive as an assistant has it: what its tools answer, and what hostile messages get."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from archiver.cli import times
from archiver.report.mcp import LONGEST, VERSIONS, Server
from archiver.report.mcp_schemas import TOOLS
from archiver.report.mcp_tools import Tools

from .archives import at, closed, event, opened, record, uri

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def archive_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A container that flaps, one that is only named, and actions, watched for 100 seconds, with a gap."""
    path = tmp_path_factory.mktemp("mcp") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    return filled(f"sqlite:///{path}")


def filled(url: str) -> str:
    states = ["Starting", "Running", "Stopped"]
    flapping = [event("container/web", states[n % 3], 1 + n, ["stack/shop"], "s1") for n in range(12)]
    # Several words of one instant: a state that goes on into it, two that are over at once, one that stays.
    at_once = [event("container/web", state, 13, [], "s1") for state in ["Stopped", "Running", "Stopped", "Starting"]]
    acts = [event(f"action/{n:02d}", "Success", 2, ["container/web"], "s1") for n in range(7)]
    record(url, opened("s1", 0), *flapping, *at_once, *acts, closed("s1", 20))
    record(url, opened("s2", 40), event("container/worker", "Running", 41, ["stack/shop"], "s2"), closed("s2", 100))
    return url


@pytest.fixture
def server(archive_url: str) -> Iterator[Server]:
    tools = Tools(archive_url, lambda since, until: times.parse_range(since, until, utc=True))
    yield Server(tools, _raise)
    tools.close()


def _raise(error: Exception) -> None:
    raise error


def ask(server: Server, method: str, params: dict[str, Any] | None = None, *, modern: bool = True) -> dict[str, Any]:
    params = (params or {}) | ({"_meta": ENVELOPE} if modern else {})
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = server.answer(json.dumps(message).encode())
    assert answer is not None
    return answer


def call(server: Server, tool: str, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = ask(server, "tools/call", {"name": tool, "arguments": arguments})["result"]
    assert not result["isError"], result
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    return dict(result["structuredContent"])


def failed(server: Server, tool: str, **arguments: Any) -> str:
    result = ask(server, "tools/call", {"name": tool, "arguments": arguments})["result"]
    assert result["isError"], result
    return str(result["content"][0]["text"])


def portions(server: Server, tool: str, records: str, **arguments: Any) -> list[list[dict[str, Any]]]:
    """All the portions of an answer, the first first."""
    found, more = [], {}
    while True:
        answer = call(server, tool, **arguments, **more)
        found.append(answer[records])
        if answer["next_cursor"] is None:
            return found
        more = {"cursor": answer["next_cursor"]}


# --- the questions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", [tool["name"] for tool in TOOLS])
def test_every_answer_says_how_well_it_was_watched(server: Server, tool: str) -> None:
    takes = next(each for each in TOOLS if each["name"] == tool)["inputSchema"]["properties"]

    arguments = {"ref": "container/web", "name": "availability"}
    answer = call(server, tool, **{name: value for name, value in arguments.items() if name in takes})

    # How it stands now is judged up to the last sign of life: what was missed before is none of it.
    assert answer["coverage"]["complete"] is (tool == "tree")
    assert {gap["kind"] for gap in answer["coverage"]["gaps"]} <= {"lost", "before"}
    assert answer["coverage"]["gaps"]
    assert answer["coverage"]["seen_to"] is not None
    assert answer["empty"] is None


def test_instructions_say_what_absence_proves(server: Server) -> None:
    old = ask(server, "initialize", HELLO, modern=False)["result"]["instructions"]
    new = ask(server, "server/discover")["result"]["instructions"]

    assert old == new
    assert "absent from an answer proves something only where `coverage.complete` is true" in old


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [(14, 19, "nothing_happened"), (21, 39, "gap"), (-100, -50, "before_archive"), (101, None, "after_archive")],
)
def test_empty_answer_says_why(server: Server, since: float, until: float | None, why: str) -> None:
    ends = {"since": at(since).isoformat()} | ({"until": at(until).isoformat()} if until else {})

    answer = call(server, "events", under="stack/shop", **ends)

    assert (answer["events"], answer["empty"]) == ([], why)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 500])
def test_portions_of_a_history_are_the_whole_history(server: Server, limit: int) -> None:
    whole = call(server, "history", ref="container/web", limit=500)["spans"]

    parts = portions(server, "history", "spans", ref="container/web", limit=limit)

    assert [len(part) for part in parts[:-1]] == [limit] * (len(parts) - 1)
    assert [span for part in parts for span in part] == whole
    assert [span["state"] for span in whole[-4:]] == ["Stopped", "Running", "Stopped", "Starting"]
    assert all(before["until"] == after["since"] for before, after in pairwise(whole))


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_portions_of_actions_that_began_at_once_are_all_of_them(server: Server, limit: int) -> None:
    parts = portions(server, "actions", "actions", ref="stack/shop", limit=limit)

    assert [action["uri"] for part in parts for action in part] == [uri(f"action/{n:02d}") for n in range(7)]


@pytest.mark.parametrize("limit", [1, 2, 7, 500])
def test_portions_of_events_go_back_to_the_first(server: Server, limit: int) -> None:
    whole = call(server, "events", limit=500)["events"]

    parts = portions(server, "events", "events", limit=limit)

    assert [event for part in reversed(parts) for event in part] == whole
    assert len(whole) == 24


def test_events_are_those_that_were_asked_for(server: Server) -> None:
    found = call(
        server, "events", under="container/web", types=["container"], states=["!Running"], until=at(4).isoformat()
    )

    assert [event["state"] for event in found["events"]] == ["Starting", "Stopped"]


def test_name_that_means_several_finds_them_all(server: Server) -> None:
    exact = call(server, "tree", ref="container/web")
    several = call(server, "tree", ref="container/w*")["resources"]
    ambiguous = call(server, "tree", ref="action/0*", limit=2)

    assert (exact["tree"]["uri"], exact["resources"]) == (uri("container/web"), [])
    assert [found["uri"] for found in several] == [uri("container/web"), uri("container/worker")]
    assert (len(ambiguous["resources"]), bool(ambiguous["next_cursor"])) == (2, True)


def test_one_uri_on_two_platforms_is_found_on_both(sqlite_url: str) -> None:
    for name in ("one", "two"):
        told = event("container/1", "Running", 1, session=name, uuid="u1")
        record(sqlite_url, opened(name, 0, stream=f"wss://{name}.example/v1/events"), told)
    tools = Tools(sqlite_url, lambda since, until: times.parse_range(since, until))

    found = call(Server(tools, _raise), "tree", ref="container/1")["resources"]
    tools.close()

    assert [each["uri"] for each in found] == [uri("container/1")] * 2
    assert len({each["platform"] for each in found}) == 2


def test_tree_holds_what_lives_under_a_resource(server: Server) -> None:
    tree = call(server, "tree", ref="stack/shop")["tree"]

    assert [child["uri"] for child in tree["children"]] == [uri("container/web"), uri("container/worker")]


def test_tree_of_then_is_as_it_stood(server: Server) -> None:
    then = call(server, "tree", ref="stack/shop", at=at(2.5).isoformat())
    platform = call(server, "tree", at=at(2.5).isoformat())["tree"]

    assert [(child["uri"], child["state"]) for child in then["tree"]["children"]] == [(uri("container/web"), "Running")]
    assert then["range"]["since"] == "2016-02-01T12:00:02.500000Z"
    assert (platform["uri"], platform["type"], len(platform["children"])) == (None, "platform", 1)
    assert failed(server, "tree", ref="stack/shop", gone=True, at="2h").startswith("gone is about now")


def test_wide_tree_says_how_much_is_left_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.report.mcp_tools.NODES", 2)

    tree = call(server, "tree", ref="stack/shop")["tree"]

    assert (len(tree["children"]), tree["children_left_out"]) == (1, 1)


def test_long_answer_is_cut_by_its_size(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.report.portions.BUDGET", 1000)

    parts = portions(server, "events", "events", limit=500)

    assert 1 < len(parts) <= 24
    assert sum(map(len, parts)) == 24


def test_what_changed_before_it_stopped_is_said_the_nearest_first(server: Server) -> None:
    answer = call(server, "why", ref="container/web", at=at(12).isoformat(), since=at(0).isoformat())

    assert answer["at"] == "2016-02-01T12:00:12Z"
    assert answer["changes"]
    seconds = [change["seconds_before"] for change in answer["changes"]]
    assert seconds == sorted(seconds)


def test_report_has_its_rows_in_portions(server: Server) -> None:
    whole = call(server, "report", name="availability", until="2016-02-02")
    parts = portions(server, "report", "rows", name="availability", until="2016-02-02", limit=1)

    assert [row for part in parts for row in part] == whole["rows"]
    assert {row["uri"] for row in whole["rows"]} >= {uri("container/web"), uri("container/worker")}
    assert call(server, "report", name="restarts", until="2016-01-01")["empty"] == "before_archive"


def test_portions_are_whole_on_postgresql_as_well(postgres_url: str) -> None:
    tools = Tools(filled(postgres_url), lambda since, until: times.parse_range(since, until, utc=True))
    server = Server(tools, _raise)
    questions = {"history": "spans", "actions": "actions", "events": "events"}
    for tool, records in questions.items():
        about = {"under" if tool == "events" else "ref": "stack/shop" if tool != "history" else "container/web"}
        whole = call(server, tool, **about, limit=500)[records]
        parts = portions(server, tool, records, **about, limit=2)
        in_order = reversed(parts) if tool == "events" else parts

        assert [record for part in in_order for record in part] == whole
        assert len(parts) > 3
    tools.close()


# --- errors of a tool -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("history", {}, "ref is missing"),
        ("history", {"ref": 7}, "ref must be a text"),
        ("history", {"ref": ""}, "ref is empty"),
        ("history", {"ref": "x" * 5000}, "ref is longer than 4096 characters"),
        ("history", {"ref": "container/web", "limit": 0}, "limit must be from 1 to 500"),
        ("history", {"ref": "container/web", "limit": True}, "limit must be a whole number"),
        ("history", {"ref": "container/web", "sql": "x"}, "there is no argument 'sql'"),
        ("history", {"ref": "container/web", "since": "10/11/2026"}, "cannot read '10/11/2026' as a time"),
        ("history", {"ref": "container/web", "cursor": "AAAA"}, "the cursor is none"),
        ("history", {"ref": "container/web", "cursor": "\u00e4"}, "the cursor is none"),
        ("report", {"name": "cost"}, "name must be one of availability, restarts, deploys, flaps, changes, coverage"),
        ("report", {"name": "coverage", "per": "slot"}, "coverage is not sliced by 'slot'"),
        ("events", {"types": "container"}, "types must be a list"),
        ("events", {"types": [None]}, "types has an item that must be a text"),
        ("history", {"ref": "nobody"}, "no resource matches 'nobody'"),
        ("history", {"ref": "\x00"}, "no resource matches"),
    ],
)
def test_wrong_argument_is_an_error_of_the_tool_with_a_hint(
    server: Server, tool: str, arguments: dict[str, Any], reason: str
) -> None:
    text = failed(server, tool, **arguments)

    assert text.startswith(reason)
    assert "\nhint: " in text


def test_cursor_of_another_question_is_refused(server: Server) -> None:
    cursor = call(server, "events", limit=1)["next_cursor"]

    assert "the cursor is none" in failed(server, "history", ref="container/web", cursor=cursor)


@pytest.mark.parametrize(
    ("until", "more"),
    [
        ("9999-12-31T23:59:59.999999Z", {}),
        ("0001-01-01T00:00:00+14:00", {}),
        ("2026-01-01T00:00:00Z", {"id": 2**63 - 1}),
        ("2026-01-01T00:00:00Z", {"beside": 2**61}),
    ],
)
def test_cursor_that_no_answer_gave_is_refused_whatever_it_says(
    server: Server, until: str, more: dict[str, int]
) -> None:
    place = json.dumps({"until": until, "id": 1, **more})

    assert "the cursor is none" in failed(server, "events", cursor=base64.urlsafe_b64encode(place.encode()).decode())


def test_archive_that_is_not_there_yet_is_an_error_of_the_tool_until_it_is(tmp_path: Path, archive_url: str) -> None:
    path = tmp_path / "archive.db"
    tools = Tools(f"sqlite:///{path}", lambda since, until: times.parse_range(since, until))
    server = Server(tools, _raise)

    missing = failed(server, "tree", ref="container/web")
    shutil.copyfile(archive_url.removeprefix("sqlite:///"), path)
    found = call(server, "tree", ref="container/web")["tree"]
    tools.close()

    assert "hint: " in missing
    assert found["uri"] == uri("container/web")


# --- the protocol ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "id"),
    [
        (b"{", -32700, None),
        (b"\xff\xfe", -32700, None),
        (b"NaN", -32700, None),
        (b"[" * 100_000, -32700, None),
        (b"1" * 10_000, -32700, None),
        (b'"hello"', -32600, None),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600, None),
        (b"{}", -32600, None),
        (b'{"id": 4, "method": "ping"}', -32600, 4),
        (b'{"jsonrpc": "2.0", "id": 4}', -32600, 4),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600, None),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600, None),
        (b'{"jsonrpc": "2.0", "id": 4, "method": 5}', -32600, 4),
        (b'{"jsonrpc": "2.0", "id": "a", "method": "ping", "params": [1]}', -32602, "a"),
        (b'{"jsonrpc": "2.0", "id": 4, "method": "resources/list"}', -32601, 4),
        (b'{"jsonrpc": "2.0", "id": 4, "method": "tools/list"}', -32602, 4),  # before initialize, without an envelope
        (b'{"jsonrpc": "2.0", "id": 4, "method": "initialize"}', -32602, 4),
    ],
)
def test_message_that_is_none_gets_its_error(server: Server, line: bytes, code: int, id: Any) -> None:
    answer = server.answer(line + b"\n")

    assert answer is not None
    assert (answer["jsonrpc"], answer["id"], answer["error"]["code"]) == ("2.0", id, code)


@pytest.mark.parametrize(
    "message",
    [
        {"method": "notifications/initialized"},
        {"method": "notifications/cancelled", "params": {"requestId": 1}},
        {"method": "no/such/notification"},
        {"id": 9, "result": {}},
        {"id": 9, "error": {"code": 1, "message": "no"}},
    ],
)
def test_what_asks_for_nothing_is_answered_by_nothing(server: Server, message: dict[str, Any]) -> None:
    assert server.answer(json.dumps({"jsonrpc": "2.0", **message}).encode()) is None
    assert server.answer(b" \r\n") is None


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        ({"io.modelcontextprotocol/protocolVersion": "2031-01-01"}, -32022),
        ({"io.modelcontextprotocol/protocolVersion": 5}, -32602),
        ({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}, -32602),
    ],
)
def test_envelope_that_is_not_whole_is_refused(server: Server, envelope: dict[str, Any], code: int) -> None:
    error = ask(server, "tools/list", {"_meta": envelope}, modern=False)["error"]

    assert error["code"] == code
    assert code != -32022 or error["data"] == {"supported": VERSIONS, "requested": "2031-01-01"}


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")]
)
def test_handshake_agrees_on_a_revision(server: Server, wanted: str, spoken: str) -> None:
    result = ask(server, "initialize", HELLO | {"protocolVersion": wanted}, modern=False)["result"]

    assert result["protocolVersion"] == spoken


def test_each_revision_has_its_own_methods(server: Server) -> None:
    ask(server, "initialize", HELLO, modern=False)

    assert "error" in ask(server, "server/discover", modern=False)
    assert ask(server, "ping")["error"]["code"] == -32601
    assert ask(server, "ping", modern=False)["result"] == {}
    assert "resultType" not in ask(server, "tools/list", modern=False)["result"]
    assert ask(server, "tools/list")["result"]["resultType"] == "complete"


def test_tool_that_is_none_is_an_error_of_the_protocol(server: Server) -> None:
    error = ask(server, "tools/call", {"name": "drop_table", "arguments": {}})["error"]

    assert (error["code"], "drop_table" in error["message"]) == (-32602, True)


def test_failure_of_our_own_tells_the_client_no_more_than_that(archive_url: str) -> None:
    seen: list[Exception] = []
    tools = Tools(archive_url, lambda since, until: 1 / 0)  # type: ignore[arg-type, return-value]

    answer = ask(Server(tools, seen.append), "tools/call", {"name": "history", "arguments": {"ref": "container/web"}})
    tools.close()

    assert answer["error"] == {"code": -32603, "message": "the archiver failed; its stderr says how"}
    assert [type(error) for error in seen] == [ZeroDivisionError]


def test_longest_message_is_bounded() -> None:
    assert LONGEST <= 2**20
