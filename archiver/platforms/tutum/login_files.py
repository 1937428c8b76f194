"""The files in which the clients of Tutum and Docker Cloud kept their logins."""

from __future__ import annotations

import base64
import binascii
import configparser
import json
import logging
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.errors import ConfigurationWrong
from archiver.platforms.tutum.credential_helper import ask_helper

DOCKER_REGISTRY = "https://index.docker.io/v1/"
"""Under which key Docker keeps the login of Docker Hub, which was Docker Cloud's too."""
REGISTRY_NAMES = (DOCKER_REGISTRY, "index.docker.io")
LONGEST_FILE = 1024 * 1024

_log = logging.getLogger(__name__)
_warned: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a key or password, and where they were found."""

    user: str
    key: str = field(repr=False)
    origin: str


def read_secret(path: Path, setting: str) -> str:
    """The text of a file with secrets; warns once when others may read it. Raises ConfigurationWrong."""
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


def tutum_login(path: Path) -> Login | None:
    """The login in `~/.tutum`: an INI file of the Python client, or the TOML with quotes that go-tutum reads."""
    if not path.is_file():
        return None
    auth = _auth_section(path)
    if (user := auth.get("user")) and (key := auth.get("apikey")):
        return Login(user, key, f"the file {path}")
    basic = auth.get("basic_auth")
    return _of_basic(basic, path) if basic else None


def _auth_section(path: Path) -> dict[str, str]:
    text = read_secret(path, "the login of the tutum client")
    try:
        section: Any = {name.lower(): value for name, value in tomllib.loads(text).items()}.get("auth", {})
    except tomllib.TOMLDecodeError:
        section = _ini_section(text, path)
    if not isinstance(section, dict):
        return {}
    return {name.lower(): str(value) for name, value in section.items()}


def _ini_section(text: str, path: Path) -> dict[str, str]:
    ini = configparser.ConfigParser(interpolation=None)
    try:
        ini.read_string(text)
    except configparser.Error:
        # The error's own text quotes the line.
        raise _broken(path, "it is neither an INI file nor TOML") from None
    found = dict(ini["auth"]) if ini.has_section("auth") else {}
    return {name: _unquoted(value) for name, value in found.items()}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def docker_login(environ: Mapping[str, str], home: Path) -> Login | None:
    """The login that `docker login` kept: in `config.json`, or with the helper that it names."""
    path = Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if not path.is_file():
        return None
    try:
        value = json.loads(read_secret(path, "the login of the docker client"))
        logins, helpers = value.get("auths") or {}, value.get("credHelpers") or {}
        basic = next(filter(None, ((logins.get(name) or {}).get("auth") for name in REGISTRY_NAMES)), None)
        helper = next(filter(None, map(helpers.get, REGISTRY_NAMES)), None) or value.get("credsStore")
    except (ValueError, AttributeError, RecursionError):
        raise _broken(path, "it is not the JSON that 'docker login' writes") from None
    if basic:
        return _of_basic(basic, path)
    if not helper:
        return None
    found = ask_helper(str(helper), DOCKER_REGISTRY, environ, home)
    return Login(*found, f"docker-credential-{helper}") if found else None


def _of_basic(value: object, path: Path) -> Login:
    try:
        user, _, key = base64.b64decode(str(value), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _broken(path, "its login is not Base64 of user:key") from None
    return Login(user, key, f"the file {path}")


def _broken(path: Path, reason: str) -> ConfigurationWrong:
    return ConfigurationWrong(setting="the credential file", reason=f"{path}: {reason}", origin=str(path))
