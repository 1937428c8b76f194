"""What `archiver serve` has at which path: questions as JSON, pictures, a feed, and what happens as it happens."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from urllib.parse import urlencode

from archiver.api.archive import Archive
from archiver.codec.secrets import blanked_text
from archiver.codec.text import dump
from archiver.errors import AmbiguousReference, ArchiverError, ReferenceUnclear, TooMuchForPicture, UsageError
from archiver.report import feed, front
from archiver.report.follow import Follower
from archiver.report.live import Pictures
from archiver.report.paths import PATHS, Parameters, ParseRange
from archiver.report.web import Answer, Refused, Request

PAGES = ("/", "/timeline")
"""What people look at."""
PICTURE = ("ref", "since", "until")
"""What a picture is of; without `ref` it is of the whole platform."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?").fullmatch


class Site:
    """The paths of an archive. Every question has a reading connection of its own, for as long as it is answered.

    `names` are the names by which the server is called besides localhost and any address.
    """

    def __init__(self, url: str, parse_range: ParseRange, names: Collection[str] = ()) -> None:
        self._url, self._parse_range = url, parse_range
        self._names = {name.lower() for name in names}
        self._follower = Follower(url)
        self._pictures = Pictures(url)
        self._paths: dict[str, Callable[[Request], Answer]] = {
            "/": self._front,
            "/timeline": self._timeline,
            "/timeline/live": self._live,
            "/feed.atom": self._feed,
            "/deploys.atom": self._feed,
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
        return Answer(self._read(front.page), front.KIND, headers={"Content-Security-Policy": front.POLICY})

    def _timeline(self, request: Request) -> Answer:
        from archiver.report import html

        asked = Parameters(request.query, PICTURE, self._parse_range)
        ref, within = asked.one("ref") or None, asked.range
        # What ended before now does not change any more.
        query = urlencode([pair for pair in request.query if pair[1]])
        live = f"timeline/live?{query}" if within.until is None else None
        headers = {"Content-Security-Policy": f"{html.policy(live=live is not None)}; frame-ancestors 'none'"}
        body = self._read(lambda archive: html.page(archive.lanes(ref, within), live=live))
        return Answer(body, front.KIND, headers=headers)

    def _live(self, request: Request) -> Answer:
        from archiver.report import html

        asked = Parameters(request.query, PICTURE, self._parse_range)
        ref, since = asked.one("ref") or None, asked.one("since")
        self._parse_range(since, None)  # a time that nobody can read is refused now

        def draw(archive: Archive) -> str:
            return html.news(archive.lanes(ref, self._parse_range(since, None)))

        return self._pictures.answer((ref, since), draw)

    def _feed(self, request: Request) -> Answer:
        asked = Parameters(request.query, ("under",), self._parse_range)
        told = feed.deploys if request.path == "/deploys.atom" else feed.actions
        return Answer(self._read(lambda archive: told(archive, asked.one("under"))), "application/atom+xml")

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


def refusal(error: Exception, path: str = "") -> Answer:
    """What somebody is told whose request for a path gets no answer: at a page in words, elsewhere in JSON."""
    status, headers = _status(error), error.headers if isinstance(error, Refused) else {}
    reason = "the archiver failed; what it wrote to standard error says how" if status == 500 else str(error)
    hint = error.hint if isinstance(error, Refused) else error.next_step if isinstance(error, ArchiverError) else ""
    told = (blanked_text(reason), blanked_text(hint))
    if path in PAGES:
        page = "".join(front.trouble(*told)).encode()
        return Answer([page], front.KIND, status, {**headers, "Content-Security-Policy": front.POLICY})
    document = dump(dict(zip(("error", "hint"), told, strict=True)))
    return Answer([document.encode() + b"\n"], status=status, headers=headers)


def _status(error: Exception) -> int:
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, ReferenceUnclear):
        return 409 if isinstance(error, AmbiguousReference) else 404
    known = ((UsageError, 400), (TooMuchForPicture, 413), (ArchiverError, 503))
    return next((status for kind, status in known if isinstance(error, kind)), 500)
