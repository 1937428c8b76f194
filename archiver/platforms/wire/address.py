"""The URL of a stream: whether it can be used, and how it reads without its credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args
from urllib.parse import unquote, urlsplit, urlunsplit

from archiver.codec.secrets import is_secret
from archiver.errors import StreamUrlWrong

AuthWay = Literal["header", "query", "query-auth"]
"""How credentials travel: in the Authorization header, as `?user=&token=`, or as `?auth=` with the header's value."""
AUTH_WAYS: tuple[str, ...] = get_args(AuthWay)
SECRET_PARAMETERS = frozenset({"user", "token", "auth", "apikey"})
"""The query parameters the old clients put credentials into."""


def without_credentials(url: str) -> str:
    """The URL without user information, fragment and the query parameters that carry secrets; fit to be shown."""
    return _without(url, lambda name: name in SECRET_PARAMETERS or is_secret(name))


def to_connect(url: str) -> str:
    """The URL without what is sent as credentials; whatever else it says, a secret of another name too, is sent."""
    return _without(url, lambda name: name in SECRET_PARAMETERS)


def secrets_in(url: str) -> set[str]:
    """What is secret in a URL's query, as it is written and as it is meant."""
    pairs = (pair.partition("=") for pair in urlsplit(url).query.split("&"))
    written = {value for name, _, value in pairs if value and is_secret(unquote(name))}
    return written | set(map(unquote, written))


def _without(url: str, parameters: Callable[[str], bool]) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if not parameters(_parameter(pair))]
    shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "&".join(filter(None, kept)), ""))
    if url.startswith(f"{parts.scheme}:///") and not parts.netloc:  # unix:///path: the slashes of no host are its own
        return shown.replace(":", "://", 1)
    return shown


def _parameter(pair: str) -> str:
    return unquote(pair.partition("=")[0]).lower()


def check_url(url: str, allow_plaintext: bool = False) -> None:
    """Raise StreamUrlWrong unless the URL is wss://, or ws:// to this machine or with the user's consent."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # urlsplit drops line ends silently; in a request they would start a header.
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise _wrong_url("it must be a URL that begins with wss:// (or ws:// on this machine)")
    if parts.scheme == "ws" and not allow_plaintext and not is_loopback(parts.hostname or ""):
        raise _wrong_url(
            f"ws:// to {parts.hostname} would send everything in the clear; use wss:// or --allow-plaintext"
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    from ipaddress import ip_address  # only a name that is no 'localhost' needs it

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong_url(reason: str) -> StreamUrlWrong:
    return StreamUrlWrong(setting="the stream's URL", reason=reason, origin="--stream or the configuration")
