"""Credentials of a stream: where they are found, how they are sent, and that they are never shown."""

from __future__ import annotations

import base64
import binascii
import configparser
import json
import logging
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode, urlsplit, urlunsplit

from archiver.errors import ConfigurationWrong
from archiver.platforms.wire.address import SECRET_PARAMETERS, AuthWay

DOCKER_REGISTRY = "https://index.docker.io/v1/"
LONGEST_FILE = 1024 * 1024
HIDDEN = "***"

_log = logging.getLogger(__name__)
_warned: set[Path] = set()


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
        for form in sorted(self.forms(), key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text

    def forms(self) -> set[str]:
        """The secret in every form in which it travels, none of which may ever be shown."""
        value = self.authorization()
        forms = {self.secret, value, value.rpartition(" ")[2], value.rpartition(":")[2]}
        forms.add(base64.b64encode(self.secret.encode()).decode())
        forms |= {quoted(form) for form in forms for quoted in (quote, quote_plus)}
        forms |= {quote(form, safe="") for form in forms}
        return forms - {""}


def _with_query(url: str, addition: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{addition}" if parts.query else addition))


def credentials_of_url(url: str) -> Credentials | None:
    """The credentials a URL carries: user:key@, ?user=&token=, ?user=&apikey=, or ?auth=."""
    parts = urlsplit(url)
    given = {name.lower(): value for name, value in parse_qsl(parts.query) if name.lower() in SECRET_PARAMETERS}
    if auth := given.get("auth"):
        return Credentials(auth, origin="the stream's URL")
    user = given.get("user") or unquote(parts.username or "")
    secret = given.get("token") or given.get("apikey") or unquote(parts.password or "")
    if user and secret:
        return Credentials(secret, user, "the stream's URL")
    if user or secret:
        raise ConfigurationWrong(
            setting="stream", reason="its URL holds a user without a key, or a key without a user", origin="the URL"
        )
    return None


def find_credentials(environ: Mapping[str, str], home: Path, url: str = "") -> Credentials | None:
    """The first credentials found for the stream at `url`, or None.

    Looked for in: the URL itself; ARCHIVER_TOKEN_FILE; $CREDENTIALS_DIRECTORY/token (systemd); ARCHIVER_TOKEN; then
    what the old clients used, TUTUM_* and ~/.tutum, DOCKERCLOUD_* and ~/.docker/config.json, the ones of the stream's
    own platform first. As in the old clients, *_AUTH goes before user and key.
    Raises ConfigurationWrong, naming the variable or file and never its content.
    """
    return credentials_of_url(url) or _ours(environ) or _of_old_clients(environ, home, url)


def _ours(environ: Mapping[str, str]) -> Credentials | None:
    user = environ.get("ARCHIVER_USER") or None
    if name := environ.get("ARCHIVER_TOKEN_FILE"):
        return _token(_read(Path(name), "ARCHIVER_TOKEN_FILE"), user, f"the file {name}")
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        path = Path(folder) / "token"
        if path.exists():
            return _token(_read(path, "the systemd credential 'token'"), user, f"the file {path}")
    if token := environ.get("ARCHIVER_TOKEN"):
        return _token(token, user, "ARCHIVER_TOKEN")
    return None


def _of_old_clients(environ: Mapping[str, str], home: Path, url: str) -> Credentials | None:
    host = (urlsplit(url).hostname or "").lower()
    docker_cloud = _is_docker_cloud(host, environ) or "/audit/" in urlsplit(url).path
    families = ("DOCKERCLOUD", "TUTUM") if docker_cloud else ("TUTUM", "DOCKERCLOUD")
    for family in families:
        if found := _of_variables(environ, family):
            return found
    # A file made for one platform is never sent to the other one.
    if not docker_cloud:
        return _of_tutum_file(home / ".tutum")
    return _of_docker_file(home / ".docker" / "config.json")


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


def _token(text: str, user: str | None, origin: str) -> Credentials:
    """`user:key`, a whole header value such as `Basic ...` or `ApiKey user:key`, or a bare key of `user`."""
    text = text.strip()
    if re.fullmatch(r"[A-Za-z]+ +\S+", text):
        return Credentials(text, origin=origin)
    if user is not None:
        return Credentials(text.removeprefix(f"{user}:"), user, origin)
    name, colon, key = text.partition(":")
    if colon and name and key:
        return Credentials(key, name, origin)
    raise ConfigurationWrong(
        setting="the credential",
        reason="a bare key needs its user: set ARCHIVER_USER, or write user:key",
        origin=origin,
    )


def _read(path: Path, setting: str) -> str:
    """The text of a file with secrets; warns once when others may read it."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_FILE).decode("utf-8")
            mode = stat.S_IMODE(path.stat().st_mode)
    except UnicodeDecodeError:
        raise ConfigurationWrong(setting=setting, reason=f"{path} is not text", origin=str(path)) from None
    except OSError as exc:
        reason = f"{path} cannot be read: {exc.strerror or type(exc).__name__}"
        raise ConfigurationWrong(setting=setting, reason=reason, origin=str(path)) from exc
    if mode & 0o044 and path not in _warned:
        _warned.add(path)
        _log.warning("others can read the credentials in %s (mode %04o); run: chmod 600 %s", path, mode, path)
    return text


def _of_tutum_file(path: Path) -> Credentials | None:
    if not path.is_file():
        return None
    ini = configparser.ConfigParser(interpolation=None)
    try:
        ini.read_string(_read(path, "the login of the tutum client"))
    except configparser.Error:
        # The error's own text quotes the line.
        raise _broken(path, "it is not an INI file") from None
    if not ini.has_section("auth"):
        return None
    auth = ini["auth"]
    if (user := auth.get("user")) and (key := auth.get("apikey")):
        return Credentials(key, user, origin=f"the file {path}")
    basic = auth.get("basic_auth")
    return _of_basic(basic, path) if basic else None


def _of_docker_file(path: Path) -> Credentials | None:
    if not path.is_file():
        return None
    try:
        value = json.loads(_read(path, "the login of the docker client"))
        basic = value.get("auths", {}).get(DOCKER_REGISTRY, {}).get("auth")
    except (ValueError, AttributeError, RecursionError):
        raise _broken(path, "it is not the JSON that 'docker login' writes") from None
    return _of_basic(basic, path) if basic else None


def _of_basic(value: object, path: Path) -> Credentials:
    try:
        user, _, key = base64.b64decode(str(value), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _broken(path, "its login is not Base64 of user:key") from None
    return Credentials(key, user, origin=f"the file {path}")


def _broken(path: Path, reason: str) -> ConfigurationWrong:
    return ConfigurationWrong(setting="the credential file", reason=f"{path}: {reason}", origin=str(path))
