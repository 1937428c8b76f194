"""Credentials of a stream: where they are found, how they are sent, and that they are never shown."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode, urlsplit, urlunsplit

from archiver.codec.streams import LONGEST_USER, with_user
from archiver.errors import ConfigurationWrong, StreamUrlWrong
from archiver.platforms.tutum.login_files import docker_login, read_secret, tutum_login
from archiver.platforms.wire.address import SECRET_PARAMETERS, AuthWay, without_credentials

HIDDEN = "***"
_NO_WORD = 12
"""What is shorter may be a word of the platform's own, and part of what it says."""
_TELLING = 4
"""A shorter beginning of a secret tells nothing, and many a text ends with one by chance."""


_KEY = re.compile("[0-9A-Fa-f-]{32,}|dckr_[a-z]+_.*", re.DOTALL)
"""Keys of Tutum and Docker Cloud, 40 digits or a uuid, and tokens of Docker Hub. No user of theirs has such a name."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a stream: a user with a key, or a whole value of the Authorization header."""

    secret: str = field(repr=False)
    """The API key or password; or, without a user, the whole value of the header."""
    user: str | None = None
    origin: str = field(default="", compare=False)
    """Where they were found: the name of a variable or file."""

    def __post_init__(self) -> None:
        text = (self.user or "") + self.secret
        if not self.secret or not text.isascii() or not text.isprintable():
            raise ConfigurationWrong(
                setting="the credential",
                reason="it is empty, of several lines, or not plain ASCII",
                origin=self.origin or "the caller",
            )

    def authorization(self) -> str:
        """The value of the Authorization header."""
        if self.user is None:
            return self.secret
        return f"Basic {base64.b64encode(f'{self.user}:{self.secret}'.encode()).decode()}"

    @property
    def account(self) -> str | None:
        """The name of the user, fit to be shown: also of a header for Basic or ApiKey. None where nobody can tell."""
        user, key = self.user, self.secret
        if user is None:
            scheme, _, sent = key.partition(" ")
            pair = {"basic": _decoded(sent.strip()), "apikey": sent.strip()}.get(scheme.lower(), "")
            user, _, key = pair.partition(":")
        # Some services take a key for a user; and whose key is his name has none that may be shown.
        return user if user and key and key not in user and _may_be_shown(user) else None

    def applied(self, url: str, way: AuthWay = "header") -> tuple[str, list[str]]:
        """The URL and header lines to connect with; Tutum took all three ways, Docker Cloud documents the header."""
        if way == "header":
            return url, [f"Authorization: {self.authorization()}"]
        if way == "query-auth":
            return _with_query(url, f"auth={quote(self.authorization(), safe='')}"), []
        if self.user is None:
            raise ConfigurationWrong(
                setting="auth", reason="'query' needs a user and a key; use 'query-auth'", origin=self.origin
            )
        return _with_query(url, urlencode({"user": self.user, "token": self.secret})), []

    def hidden_in(self, text: str) -> str:
        """The text without the secret, in whichever form it may have got there."""
        return hidden(text, self.forms())

    def forms(self) -> set[str]:
        """The secret in every form in which it travels, none of which may ever be shown."""
        value = self.authorization()
        sent = value.rpartition(" ")[2]
        keys = {self.secret, value.rpartition(":")[2], _decoded(sent).partition(":")[2]} - {""}
        forms = {value, sent, *keys, *(base64.b64encode(key.encode()).decode() for key in keys)}
        forms |= {quoted(form) for form in forms for quoted in (quote, quote_plus)}
        forms |= {quote(form, safe="") for form in forms}
        return forms - {""}


def _may_be_shown(user: str) -> bool:
    """Whether it is no key by its looks: who mistakes one for the other would find it in every archive."""
    return len(user) <= LONGEST_USER and _KEY.fullmatch(user) is None


def _decoded(sent: str) -> str:
    """User and key of a header for Basic; "" of what is none."""
    try:
        return base64.b64decode(sent, validate=True).decode()
    except ValueError:
        return ""


def unmistakable(forms: Iterable[str]) -> list[bytes]:
    """The forms of secrets that are looked for in what is kept as it came, where a password that is a word stays."""
    found: list[str] = []
    for form in sorted((form for form in forms if len(form) >= _NO_WORD), key=len):
        if not any(shorter in form for shorter in found):
            found.append(form)
    return [form.encode() for form in found]


def hidden(text: str, forms: Iterable[str]) -> str:
    """The text without these forms of secrets, and without the beginning of one at its end, where it may be cut off."""
    forms = sorted(forms, key=len, reverse=True)
    for form in forms:
        text = text.replace(form, HIDDEN)
    # "Basic" alone is the beginning of a form, and no secret.
    schemes = [form.partition(" ")[0] for form in forms if " " in form]
    beginnings = (form[:size] for form in forms for size in range(_TELLING, len(form)))
    ends = filter(text.endswith, beginnings)
    found = max((end for end in ends if not any(word.startswith(end) for word in schemes)), key=len, default="")
    return text.removesuffix(found) + HIDDEN if found else text


def _with_query(url: str, addition: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{addition}" if parts.query else addition))


def credentials_of_url(url: str) -> Credentials | None:
    """The credentials a URL carries: user:key@, ?user=&token=, ?user=&apikey=, or ?auth=.

    Raises StreamUrlWrong for a half of them, but for a user before the host: the key may be elsewhere.
    """
    parts = urlsplit(url)
    given = {name.lower(): value for name, value in parse_qsl(parts.query) if name.lower() in SECRET_PARAMETERS}
    if auth := given.get("auth"):
        return Credentials(auth, origin="the stream's URL")
    user = given.get("user") or unquote(parts.username or "")
    secret = given.get("token") or given.get("apikey") or unquote(parts.password or "")
    if user and secret:
        return Credentials(secret, user, "the stream's URL")
    if (user or secret) and user_of_url(url) is None:
        raise _half("its URL holds a user without a key, or a key without a user")
    return None


def user_of_url(url: str) -> str | None:
    """The user before the host in a URL that has no key: whose key is to be found elsewhere.

    None for what may be a key itself: some services take one for a user, with an empty password behind it.
    """
    parts = urlsplit(url)
    names = {name.lower() for name, _ in parse_qsl(parts.query)}
    is_alone = parts.username and parts.password is None and not names & SECRET_PARAMETERS
    user = unquote(parts.username or "")
    return user if is_alone and _may_be_shown(user) else None


def stream_name(url: str, credentials: Credentials | None = None) -> str:
    """What the archive calls a stream: its URL with the user, as the credentials or the URL tell, and no secret."""
    if credentials is None:
        try:
            credentials = credentials_of_url(url)
        except ConfigurationWrong:
            return without_credentials(url)
    user = credentials.account if credentials is not None else user_of_url(url)
    return with_user(without_credentials(url), user)


def _half(reason: str) -> StreamUrlWrong:
    return StreamUrlWrong(setting="stream", reason=reason, origin="the URL")


def find_credentials(environ: Mapping[str, str], home: Path, url: str = "") -> Credentials | None:
    """The first credentials found for the stream at `url`, or None.

    Looked for in: the URL itself; ARCHIVER_TOKEN_FILE; $CREDENTIALS_DIRECTORY/token (systemd); ARCHIVER_TOKEN; then
    what the old clients used, TUTUM_* and ~/.tutum, DOCKERCLOUD_* and Docker's config.json (in DOCKER_CONFIG or
    ~/.docker) with its credential helpers, the ones of the stream's own platform first. As in the old clients, *_AUTH
    goes before user and key. Where the URL has a user alone, what is found must be of that user.
    Raises ConfigurationWrong, naming the variable or file and never its content.
    """
    if found := credentials_of_url(url):
        return found
    user = user_of_url(url)
    found = _ours(environ, user) or _of_old_clients(environ, home, url)
    if user is not None and (found is None or found.account != user):
        where = "no key was found elsewhere" if found is None else f"{found.origin} is not of that user"
        raise _half(f"its URL holds a user without a key, and {where}")
    return found


def _ours(environ: Mapping[str, str], of_url: str | None) -> Credentials | None:
    user = environ.get("ARCHIVER_USER") or None
    if name := environ.get("ARCHIVER_TOKEN_FILE"):
        return _token(read_secret(Path(name), "ARCHIVER_TOKEN_FILE"), user, of_url, f"the file {name}")
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        path = Path(folder) / "token"
        # The unit has an empty one where its owner has written none.
        if path.exists() and (text := read_secret(path, "the systemd credential 'token'")).strip():
            return _token(text, user, of_url, f"the file {path}")
    if token := environ.get("ARCHIVER_TOKEN"):
        return _token(token, user, of_url, "ARCHIVER_TOKEN")
    return None


def _of_old_clients(environ: Mapping[str, str], home: Path, url: str) -> Credentials | None:
    host = (urlsplit(url).hostname or "").lower()
    docker_cloud = _is_docker_cloud(host, environ) or "/audit/" in urlsplit(url).path
    families = ("DOCKERCLOUD", "TUTUM") if docker_cloud else ("TUTUM", "DOCKERCLOUD")
    for family in families:
        if found := _of_variables(environ, family):
            return found
    # A file made for one platform is never sent to the other one.
    login = docker_login(environ, home) if docker_cloud else tutum_login(home / ".tutum")
    return Credentials(login.key, login.user, login.origin) if login is not None else None


def _is_docker_cloud(host: str, environ: Mapping[str, str]) -> bool:
    named = urlsplit(environ.get("DOCKERCLOUD_STREAM_HOST") or "").hostname
    return host == "docker.com" or host.endswith(".docker.com") or (bool(host) and host == named)


def _of_variables(environ: Mapping[str, str], family: str) -> Credentials | None:
    if value := environ.get(f"{family}_AUTH"):
        return Credentials(value.strip(), origin=f"{family}_AUTH")
    user = environ.get(f"{family}_USER")
    for name in (f"{family}_APIKEY", f"{family}_PASS"):
        if user and (secret := environ.get(name)):
            return Credentials(secret.strip(), user.strip(), origin=f"{family}_USER and {name}")
    return None


def _token(text: str, user: str | None, of_url: str | None, origin: str) -> Credentials:
    """`user:key`, a whole header value such as `Basic ...` or `ApiKey user:key`, or a bare key of the user."""
    text = text.strip()
    if re.fullmatch(r"[A-Za-z]+ +\S+", text):
        return Credentials(text, origin=origin)
    if user is not None:
        return Credentials(text.removeprefix(f"{user}:"), user, origin)
    name, colon, key = text.partition(":")
    if colon and name and key:
        return Credentials(key, name, origin)
    if of_url is not None and not colon:
        return Credentials(text, of_url, origin)
    raise ConfigurationWrong(
        setting="the credential",
        reason="a bare key needs its user: set ARCHIVER_USER, or write user:key",
        origin=origin,
    )
