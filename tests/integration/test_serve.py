"""The archive on a port: the JSON of every question, a feed, and what hostile requests get."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archiver.cli import main
from archiver.model import Observation, now_micros, rfc3339
from archiver.report import front, html
from archiver.report.paths import PATHS
from archiver.report.serve import Server

from ..conftest import RunArchiver
from .archives import START, at, closed, event, micros, opened, record, uri
from .serving import connected, get, raw, serving

HOSTILE = '<script>alert(1)</script>"\n\x1b]0;x\x07\ufffe'
MANY = 3_000
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def archive_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stack of two containers, one of a hostile name, with actions and a gap; and a container that talks much."""
    path = tmp_path_factory.mktemp("serve") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    web = Observation(uri("container/web"), "Running", HOSTILE, (uri("stack/shop"),), micros(1), None, "s1")
    acts = [
        event(f"action/{n}", state, 2 + n, ["container/web"], "s1") for n in range(3) for state in ("Go", "Success")
    ]
    record(url, opened("s1", 0), web, *acts, closed("s1", 20), opened("s2", 40))
    talk = [event("container/talker", f"S{n % 2}", 50 + n, [], "s2") for n in range(MANY)]
    record(url, event("container/worker", "Running", 41, ["stack/shop"], "s2"), *talk, closed("s2", 50 + MANY))
    return url


@pytest.fixture(scope="module")
def server(archive_url: str) -> Iterator[Server]:
    with serving(archive_url, ("archive.example.org",)) as server:
        yield server


# --- questions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("history?ref=container/web&since=2016-02-01", ["history", "container/web", "--since", "2016-02-01"]),
        ("actions?ref=stack/shop", ["actions", "stack/shop"]),
        ("actions", ["actions"]),
        ("values?of=state&until=2016-02-01T12:00:30Z", ["values", "state", "--until", "2016-02-01T12:00:30Z"]),
        ("values?of=type&coverage=1", ["values", "type", "--coverage"]),
        ("actions?ref=stack/shop&ref=stack/shop&coverage=1", ["actions", "stack/shop", "stack/shop", "--coverage"]),
        ("events?type=action&under=stack/shop&n=5", ["events", "--type", "action", "--under", "stack/shop", "-n", "5"]),
        ("events?state=nothing&coverage", ["events", "--state", "nothing", "--coverage"]),
        ("tree?ref=stack/shop&all=true", ["tree", "stack/shop", "--all"]),
        ("tree", ["tree"]),
        ("at?time=2016-02-01T12:00:10Z&ref=stack/shop", ["at", "2016-02-01T12:00:10Z", "stack/shop"]),
        ("at?time=2016-02-01T12:00:10Z", ["at", "2016-02-01T12:00:10Z"]),
        ("diff?since=2016-02-01T12:00Z&until=2016-02-02", ["diff", "2016-02-01T12:00Z", "2016-02-02"]),
        ("timeline?ref=stack/shop", ["timeline", "stack/shop"]),
        ("why?ref=container/web&at=2016-02-01T12:00:30Z", ["why", "container/web", "--at", "2016-02-01T12:00:30Z"]),
        ("report?name=restarts&ref=stack/shop", ["report", "restarts", "stack/shop"]),
        ("report?name=changes&ref=stack/shop", ["report", "changes", "stack/shop"]),
        ("report?name=coverage&per=day&until=2016-02-03", ["report", "coverage", "--per=day", "--until", "2016-02-03"]),
        ("gaps?ref=stack/shop&until=2016-02-01T12:30:00Z", ["gaps", "stack/shop", "--until", "2016-02-01T12:30:00Z"]),
        ("status", ["status"]),
    ],
)  # fmt: skip
def test_a_path_gives_the_json_of_the_command(
    path: str,
    arguments: list[str],
    server: Server,
    archive_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("archiver.cli.common.die_with_the_reader", lambda: None)

    got = get(server, f"/api/{path}")
    code = main(["--database", archive_url, *arguments, "-o", "json", "--utc"])

    assert (got.status, code) == (200, 0)
    assert _steady(got.json) == _steady(json.loads(capsys.readouterr().out))
    assert got.headers["content-type"] == "application/json"


def _steady(answer: object) -> object:
    """An answer but for the room on the disk, which others fill meanwhile."""
    moving = ("free_bytes", "full_at")
    return {key: value for key, value in answer.items() if key not in moving} if isinstance(answer, dict) else answer


def test_names_and_patterns_are_found(server: Server) -> None:
    found = get(server, "/api/resources?ref=container/w*").json

    assert [each["uri"] for each in found] == [uri("container/web"), uri("container/worker")]


def test_long_answer_is_whole(server: Server) -> None:
    found = get(server, "/api/events?n=0&type=container").json

    assert len(found) == MANY + 1


def test_front_page_lists_what_there_is_and_every_question_and_no_script_of_others(server: Server) -> None:
    page = get(server, "/")
    text = page.body.decode()

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert all(f"/api/{name}" in text for name in PATHS)
    assert "timeline?ref=%2Fapi%2Fv1%2Fstack%2Fshop%2F" in text
    assert "<script" not in text
    assert page.headers["content-security-policy"] == front.POLICY
    assert "unsafe" not in front.POLICY


def test_timeline_is_the_page_of_the_command_and_live(server: Server, archive_url: str) -> None:
    got = get(server, "/timeline?ref=stack/shop&since=2016-02-01")
    text = got.body.decode()

    assert got.headers["content-security-policy"] == f"{html.policy(live=True)}; frame-ancestors 'none'"
    assert 'data-live="timeline/live?ref=stack%2Fshop&amp;since=2016-02-01"' in text
    assert "<script>alert" not in text
    assert "data-live" not in get(server, "/timeline?ref=stack/shop&until=2016-02-02").body.decode()
    assert get(server, "/timeline").status == 200


def test_page_that_cannot_be_shown_says_why_in_words(server: Server) -> None:
    got = get(server, "/timeline?ref=%3Cimg%3E")

    assert (got.status, got.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"no resource matches" in got.body
    assert b"&lt;img&gt;" in got.body
    assert b"<img" not in got.body


def test_feed_has_each_action_once_the_last_first(server: Server) -> None:
    got = get(server, "/feed.atom?under=stack/shop")
    feed = ElementTree.fromstring(got.body)
    entries = feed.findall(f"{ATOM}entry")

    assert got.headers["content-type"] == "application/atom+xml"
    assert [entry.findtext(f"{ATOM}updated") for entry in entries] == [f"2016-02-01T12:00:0{n}Z" for n in (4, 3, 2)]
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 3
    assert {entry.findtext(f"{ATOM}title") for entry in entries} == {
        'action of container <script>alert(1)</script>"\n\ufffd]0;x\ufffd\ufffd: Success'
    }
    assert feed.findtext(f"{ATOM}updated") == "2016-02-01T12:00:04Z"


def test_feed_of_deploys_says_what_came_of_each(sqlite_url: str) -> None:
    begun = (now_micros() - START) // 1_000_000 - 90
    told = [("Running", begun), ("Redeploying", begun + 30), ("Running", begun + 40)]
    record(sqlite_url, *(event("service/web", state, second)._replace(name="<web>") for state, second in told))
    with serving(sqlite_url) as server:
        feed = ElementTree.fromstring(get(server, "/deploys.atom").body)
        of_it = ElementTree.fromstring(get(server, "/deploys.atom?under=service/web").body)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "service <web>: deploy ok"
    assert entry.findtext(f"{ATOM}updated") == feed.findtext(f"{ATOM}updated") == rfc3339(at(begun + 40))
    assert "took 10 s" in (entry.findtext(f"{ATOM}content") or "")
    assert [each.findtext(f"{ATOM}id") for each in of_it.findall(f"{ATOM}entry")] == [entry.findtext(f"{ATOM}id")]


def test_feed_of_a_hostile_name_is_well_formed(server: Server) -> None:
    feed = ElementTree.fromstring(get(server, "/feed.atom?under=container/web").body)

    assert "<script>" in (feed.findtext(f"{ATOM}title") or "")


# --- who asks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:9999", 200),  # as through a tunnel
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("192.0.2.7", 200),
        ("archive.example.org:80", 200),
        ("evil.example.com", 421),
        ("localhost.evil.example.com", 421),
        ("127.0.0.1.evil.example.com", 421),
        ("localhost@evil.example.com", 421),
        ("", 421),
    ],
)
def test_name_that_nobody_gave_the_server_is_refused(server: Server, host: str, status: int) -> None:
    assert get(server, "/api/status", Host=host).status == status


@pytest.mark.parametrize(
    "path", ["/", "/timeline", "/api/status", "/api/history", "/nothing", "/feed.atom", "/deploys.atom"]
)
def test_every_answer_forbids_what_a_browser_need_not_do(server: Server, path: str) -> None:
    headers = get(server, path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers
    assert "access-control-allow-origin" not in headers


def test_head_says_what_get_would_without_the_body(server: Server) -> None:
    got = get(server, "/api/status", method="HEAD")

    assert (got.status, got.headers["content-type"], got.body) == (200, "application/json", b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"])
def test_nothing_but_reading_is_allowed(server: Server, method: str) -> None:
    answer = raw(server, f"{method} /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


OK = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET /\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/status HTTP/1.1\r\n\r\n",
        b"GET /api/status HTTP/1.1\nHost: localhost\n\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/status%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/history?ref=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/history?ref=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/history?" + b"&" * 200 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        OK + b"Host: localhost\r\n\r\n",
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b" folded: yes\r\n\r\n",
        OK + b"X: \x00\r\n\r\n",
        OK + b"X: y\r\n" * 101 + b"\r\n",
        OK + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
def test_hostile_request_gets_a_4xx(server: Server, request_: bytes) -> None:
    answer = raw(server, request_)

    assert answer.startswith(b"HTTP/1.1 4"), answer[:100]
    assert b"Traceback" not in answer
    assert get(server, "/api/status").status == 200


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/api/nothing", 404, "nothing at this path"),
        ("/api/history", 400, "ref is missing"),
        ("/api/history?ref=nobody", 404, "no resource matches 'nobody'"),
        ("/api/history?ref=container/w", 404, "no resource matches"),
        ("/api/history?ref=web&ref=worker", 400, "ref is given 2 times"),
        ("/api/values", 400, "of is missing"),
        ("/api/values?of=secret", 400, "of is 'secret'"),
        ("/api/history?ref=web&sql=1", 400, "no parameter 'sql'"),
        ("/api/history?ref=web&since=10/11/2026", 400, "as a time"),
        ("/api/history?ref=web&since=2h&until=3h", 400, "is not before"),
        ("/api/events?n=-1", 400, "n is '-1'"),
        ("/api/events?n=%D9%A3", 400, "n is"),
        ("/api/tree?ref=stack/shop&all=maybe", 400, "all is 'maybe'"),
        ("/api/tree?all=1", 400, "all is of what was under a resource"),
        ("/api/tree?ref=", 400, "ref is missing"),
        ("/api/at", 400, "time is missing"),
        ("/api/at?time=2000-01-01&ref=stack/shop", 404, "stack/shop"),
        ("/api/diff?since=2h", 400, "until is missing"),
        ("/api/report", 400, "there is no report ''"),
        ("/api/report?name=restarts&per=moon", 400, "restarts is not sliced by 'moon'"),
        ("/api/status?x=1", 400, "no parameter 'x'"),
    ],
)
def test_question_that_cannot_be_answered_says_why(server: Server, path: str, status: int, reason: str) -> None:
    got = get(server, path)

    assert got.status == status
    assert reason in got.json["error"]
    assert got.json["hint"]


def test_address_that_can_be_none_is_refused(run_archiver: RunArchiver, archive_url: str) -> None:
    done = run_archiver("serve", "--bind", "a" * 70, env={"ARCHIVER_DATABASE_URL": archive_url})

    assert "cannot serve at" in done.stderr


# --- who takes his time ---------------------------------------------------------------------------------------------


def test_head_that_comes_drop_by_drop_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.report.web.HEAD_SECONDS", 0.2)
    with connected(server, b"GET / HT") as client, client.makefile("rb") as answer:
        assert answer.read().startswith(b"HTTP/1.1 408 ")


def test_reader_who_does_not_read_is_let_go(archive_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.report.web.BLOCKED_SECONDS", 0.2)
    monkeypatch.setattr("archiver.report.serve.QUESTIONS", 1)
    request = b"GET /api/events?n=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(archive_url) as server, connected(server, request, receive=4096):
        assert get(server, "/api/status").status == 200  # the only place to answer at is free again


def test_more_connections_than_there_is_room_for_are_sent_away(
    archive_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.report.serve.CONNECTIONS", 1)
    with serving(archive_url) as server, connected(server, b"GET "):
        assert raw(server, b"").startswith(b"HTTP/1.1 503 ")


def test_more_followers_than_there_is_room_for_are_sent_away(archive_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.report.serve.FOLLOWERS", 1)
    follow = b"GET /api/follow HTTP/1.0\r\n\r\n"
    with serving(archive_url) as server, connected(server, follow) as first:
        assert first.recv(12) == b"HTTP/1.1 200"
        assert get(server, "/api/follow").status == 503
        assert get(server, "/api/status").status == 200
