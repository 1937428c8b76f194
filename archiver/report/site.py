"""What `archiver serve` has at which path: questions as JSON, pictures, a feed, and what happens as it happens."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing

from archiver.api.archive import Archive
from archiver.codec.secrets import blanked_text
from archiver.codec.text import dump
from archiver.errors import ArchiverError, ReferenceUnclear, UsageError
from archiver.report import feed, front
from archiver.report.follow import Follower
from archiver.report.paths import PATHS, Parameters, ParseRange
from archiver.report.web import Answer, Refused, Request

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?").fullmatch


class Site:
    """The paths of an archive. Every question has a reading connection of its own, for as long as it is answered.

    `names` are the names by which the server is called besides localhost and any address.
    """

    def __init__(self, url: str, parse_range: ParseRange, names: Collection[str] = ()) -> None:
        self._url, self._parse_range = url, parse_range
        self._names = {name.lower() for name in names}
        self._follower = Follower(url)
        self._paths: dict[str, Callable[[Request], Answer]] = {
            "/": self._front,
            "/feed.atom": self._feed,
            "/api/follow": self._follow,
            **{f"/api/{name}": self._question for name in PATHS},
        }

    def answer(self, request: Request) -> Answer:
        """The answer to a request. Raises Refused for one that gets none, ArchiverError as the archive does."""
        self._check_host(request)
        path = self._paths.get(request.path)
        if path is None:
            raise Refused(404, "there is nothing at this path", "/ lists what there is")
        return path(request)

    def _check_host(self, request: Request) -> None:
        """Whoever makes a name of his own point to this machine must not read the archive by somebody's browser."""
        host = request.headers.get("host")
        if host is None:
            if request.minor == 1:
                raise Refused(400, "the request says no Host")
            return
        found = _HOST(host)
        name = found[1].lower().rstrip(".") if found else ""
        if name != "localhost" and name not in self._names and not _is_address(name):
            hint = f"call it by its address, or start it with --name {name}" if name else "call it by its address"
            raise Refused(421, "this server does not go by that name", hint)

    # --- the paths --------------------------------------------------------------------------------------------------

    def _question(self, request: Request) -> Answer:
        path = PATHS[request.path.removeprefix("/api/")]
        asked = Parameters(request.query, path.takes, self._parse_range)
        return Answer(self._read(lambda archive: path.answer(archive, asked)))

    def _front(self, request: Request) -> Answer:
        Parameters(request.query, (), self._parse_range)
        return Answer(
            self._read(front.page), "text/html; charset=utf-8", headers={"Content-Security-Policy": front.POLICY}
        )

    def _feed(self, request: Request) -> Answer:
        asked = Parameters(request.query, ("under",), self._parse_range)
        return Answer(self._read(lambda archive: feed.atom(archive, asked.one("under"))), "application/atom+xml")

    def _follow(self, request: Request) -> Answer:
        asked = Parameters(request.query, ("after",), self._parse_range)
        return self._follower.answer(request.headers.get("last-event-id") or asked.one("after"))

    def _read(self, ask: Callable[[Archive], Iterable[str]]) -> Iterator[bytes]:
        with closing(Archive.open(self._url)) as archive:
            for piece in ask(archive):
                yield piece.encode()


def _is_address(name: str) -> bool:
    """A request that names an address was not led here by a name."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def refusal(error: Exception) -> Answer:
    """What somebody is told whose request gets no answer."""
    if isinstance(error, Refused):
        return _failure(error.status, error.reason, error.hint, error.headers)
    if isinstance(error, UsageError):
        return _failure(400, str(error), error.next_step)
    if isinstance(error, ReferenceUnclear):
        return _failure(409 if hasattr(error, "candidates") else 404, str(error), error.next_step)
    if isinstance(error, ArchiverError):
        return _failure(503, str(error), error.next_step, {"Retry-After": "5"})
    return _failure(500, "the archiver failed; what it wrote to standard error says how", "")


def _failure(status: int, reason: str, hint: str, headers: dict[str, str] | None = None) -> Answer:
    document = {"error": blanked_text(reason), "hint": blanked_text(hint)}
    return Answer([dump(document).encode() + b"\n"], status=status, headers=headers or {})
