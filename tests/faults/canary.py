"""A login that sings: carried in each of its forms, and looked for wherever it must never stand."""

from __future__ import annotations

import base64
import json
import random
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

USER = "somebody"
_NEST = "nest"
"""The folder, of those of a fault, in which the login may stand."""
_TOKEN, _HOME = "token", "home"
_THERE = "the stream's host"
"""Stands for it where a login is for one host only."""


class Carried(NamedTuple):
    """A login on its way to the daemon."""

    variables: Mapping[str, str]
    user: str = ""
    """What stands before the host in the stream's URL."""
    query: str = ""
    pair: bool = True
    """Whether it is a user and a key, and not the whole value of a header."""


class Canary:
    """A user's key and the secrets beside it, made for one fault: nobody else says what they say."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._nest = folder / _NEST
        self._dice = dice
        self._words = [secrets.token_hex(9) for _ in range(4)]
        """Whatever quotes or escapes a secret leaves these as they are."""
        self.key = f"{self._words[0]}/f+3==&{self._words[1]}%21"
        self._others = self._words[2]
        """A secret of a name that is no login of ours: it is sent as it stands."""
        self.password = self._words[3]
        """Of the database."""

    @property
    def credentials(self) -> tuple[str, str]:
        """Whom the platform lets in."""
        return USER, self.key

    @property
    def header(self) -> str:
        """The value of the header in which it is sent."""
        return f"Basic {_base64(f'{USER}:{self.key}')}"

    # --- how it is carried ------------------------------------------------------------------------------------------

    def environment(self, url: str, carrier: str | None = None) -> dict[str, str]:
        """The variables by which a daemon listens to the stream at a URL with this login, however it is carried.

        `carrier` names one of CARRIERS; None: the dice say which.
        """
        carried = CARRIERS[carrier or self._dice.choice(list(CARRIERS))](self, self._nest)
        scheme, _, rest = url.partition("://")
        there = f"{scheme}://{urlsplit(url).hostname}"
        query = "&".join(filter(None, [carried.query, f"access_token={self._others}", f"password={self._others}"]))
        ways = ["header", "query-auth", *(["query"] if carried.pair else [])]
        return {
            "HOME": str(self._nest / _HOME),
            "ARCHIVER_STREAM": f"{scheme}://{carried.user}{rest}?{query}",
            "ARCHIVER_AUTH": self._dice.choice(ways),
            **{name: there if value == _THERE else value for name, value in carried.variables.items()},
        }

    def told(self) -> Iterator[str]:
        """What a platform may repeat of all this."""
        yield f"you said Authorization: {self.header}"
        yield f"GET /v1/events?user={USER}&token={quote(self.key, safe='')}&access_token={self._others} HTTP/1.1"
        yield json.dumps({"see": f"wss://{USER}:{quote(self.key, safe='')}@platform.example/", "key": self.key})

    # --- whether it was heard ---------------------------------------------------------------------------------------

    def places(self, folder: Path, seen: Mapping[str, bytes]) -> list[str]:
        """Where it stands that it must not: in the files of a fault's folder, or in what was seen, by its name."""
        found = {name for name, data in seen.items() if self._is_in(data)}
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.relative_to(folder).parts[0] != _NEST:
                try:
                    data = path.read_bytes()
                except OSError:  # gone meanwhile
                    continue
                if self._is_in(data):
                    found.add(str(path.relative_to(folder)))
        return sorted(found)

    def _is_in(self, data: bytes) -> bool:
        return any(form in data for word in self._words for form in _forms(word))


def _forms(word: str) -> Iterator[bytes]:
    """How a word may be written: also in base64, in three ways by what stands before it, and all of that in hex."""
    written = [word.encode()]
    for before in range(3):
        whole = base64.b64encode(b"x" * before + word.encode() + b"x" * (-(before + len(word)) % 3))
        written.append(whole[4 if before else 0 : -4])
    for form in written:
        yield form
        yield form.hex().encode()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _kept(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def _pair(canary: Canary) -> str:
    return f"{USER}:{canary.key}"


def _logged_in(canary: Canary, nest: Path, *, tutum: bool) -> Carried:
    """By a file that an old client left behind."""
    home = nest / _HOME
    shutil.rmtree(home, ignore_errors=True)
    if tutum:
        _kept(home / ".tutum", f"[auth]\nuser = {USER}\napikey = {canary.key}\n")
        return Carried({})
    logins = {"auths": {"https://index.docker.io/v1/": {"auth": _base64(_pair(canary))}}}
    _kept(home / ".docker" / "config.json", json.dumps(logins))
    return Carried({"DOCKERCLOUD_STREAM_HOST": _THERE})


CARRIERS: dict[str, Callable[[Canary, Path], Carried]] = {
    "a file": lambda canary, nest: Carried(
        {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN_FILE": str(_kept(nest / _TOKEN, canary.key))}
    ),
    "a credential of systemd's": lambda canary, nest: Carried(
        {"CREDENTIALS_DIRECTORY": str(_kept(nest / _TOKEN, _pair(canary)).parent)}
    ),
    "ARCHIVER_TOKEN": lambda canary, _: Carried({"ARCHIVER_TOKEN": _pair(canary)}),
    "a header": lambda canary, _: Carried({"ARCHIVER_TOKEN": canary.header}, pair=False),
    "TUTUM_AUTH": lambda canary, _: Carried({"TUTUM_AUTH": canary.header}, pair=False),
    "TUTUM_USER and TUTUM_APIKEY": lambda canary, _: Carried({"TUTUM_USER": USER, "TUTUM_APIKEY": canary.key}),
    "DOCKERCLOUD_USER and DOCKERCLOUD_PASS": lambda canary, _: Carried(
        {"DOCKERCLOUD_USER": USER, "DOCKERCLOUD_PASS": canary.key}
    ),
    "~/.tutum": lambda canary, nest: _logged_in(canary, nest, tutum=True),
    "~/.docker/config.json": lambda canary, nest: _logged_in(canary, nest, tutum=False),
    "user:key@": lambda canary, _: Carried({}, user=f"{USER}:{quote(canary.key, safe='')}@"),
    "?user=&token=": lambda canary, _: Carried({}, query=f"user={USER}&token={quote(canary.key, safe='')}"),
    "?auth=": lambda canary, _: Carried({}, query=f"auth={quote(canary.header, safe='')}", pair=False),
}
"""By their names; each has the login where its daemon finds it."""
