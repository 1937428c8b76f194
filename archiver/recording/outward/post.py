"""Posts to a server over HTTP, within one deadline; follows no redirect, and tells no secret of the URL."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from archiver.errors import ConfigurationWrong
from archiver.model import now_micros
from archiver.model.hooks import require_url, shown_place
from archiver.platforms.wire.deadline import TooSlow
from archiver.platforms.wire.fetch import FAILURES, Fetcher
from archiver.platforms.wire.logtext import plain, why
from archiver.platforms.wire.proxy import Proxy, proxy_for
from archiver.platforms.wire.retry_after import seconds_of
from archiver.platforms.wire.tls import tls_hint

MOST_OF_ANSWER = 64 << 10
"""Bytes of an answer that are read."""
_LONGEST_WAIT = 3600.0
_LONGEST_URL = 8192


class NotTaken(Exception):
    """It was not delivered, in words; `wait`: seconds the server wants to be left alone; `status`: its answer."""

    def __init__(self, reason: str, wait: float = 0.0, status: int = 0) -> None:
        super().__init__(reason)
        self.wait, self.status = wait, status


class Target(NamedTuple):
    """A server, and where on it."""

    origin: str
    """http[s]://host[:port]"""
    path: str
    login: str
    """The Authorization header; empty: none."""
    proxy: Proxy | None
    shown: str
    """As it may stand in a log."""

    def forms(self) -> set[str]:
        """All of it that is secret, in the forms in which it travels."""
        pieces = [piece for piece in self.path.replace("?", "/").split("/") if len(piece) >= 8]
        login = self.login.partition(" ")[2]
        plain = base64.b64decode(login).decode("utf-8", "replace").partition(":")[2] if login else ""
        return {self.path, login, plain, *pieces} - {"", "/"} | (self.proxy.forms() if self.proxy else set())


def target_of(url: str, setting: str, origin: str, environ: Mapping[str, str] = os.environ) -> Target:
    """The server that a URL means, or the file that holds it (`@FILE`). Raises ConfigurationWrong."""
    shown = shown_place(url)
    try:
        if url.startswith("@"):
            url = _first_line(Path(url[1:]))
            shown = shown_place(url)
        require_url(url)
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{shown} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise ConfigurationWrong(setting=setting, reason=reason, origin=origin) from error
    except ValueError as error:
        raise ConfigurationWrong(setting=setting, reason=str(error), origin=origin) from None
    parts = urlsplit(url)
    assert parts.hostname is not None
    secure = parts.scheme == "https"
    login = ""
    if parts.username is not None or parts.password is not None:
        if not secure and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            reason = "http:// to another machine would send the password in the clear; use https://"
            raise ConfigurationWrong(setting=setting, reason=reason, origin=origin)
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        login = "Basic " + base64.b64encode(pair.encode()).decode()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    wire = parts._replace(scheme="wss" if secure else "ws").geturl()  # as the other connections find their proxy
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return Target(place, path, login, proxy_for(wire, environ), shown)


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST_URL).decode().strip().partition("\n")[0].strip()


def post(
    target: Target, body: bytes, headers: Mapping[str, str], seconds: float, ended: Callable[[], bool]
) -> tuple[int, bytes]:
    """The status and the beginning of the answer to it, of those from 200 to 299. Raises NotTaken."""
    own = {"Accept": "*/*", "Connection": "close", **headers}
    if target.login:
        own["Authorization"] = target.login
    try:
        fetcher = Fetcher(target.origin, own, proxy=target.proxy, most=MOST_OF_ANSWER)
        answer = fetcher.post(target.path, body, seconds, ended)
    except TooSlow as error:
        raise NotTaken(f"no answer within {seconds:g} s") from error
    except FAILURES as error:
        raise NotTaken(plain(why(error)) + tls_hint(error)) from error
    if 200 <= answer.status < 300:
        return answer.status, answer.body
    moved = " (redirects are not followed: give the URL that it leads to)" if 300 <= answer.status < 400 else ""
    wait = min(seconds_of(answer.fields.get("retry-after", ""), now_micros()), _LONGEST_WAIT)
    raise NotTaken(f"HTTP {answer.status}{moved}", wait, answer.status)
