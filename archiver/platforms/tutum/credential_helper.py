"""Asks the program that keeps Docker's logins (docker/docker-credential-helpers): `docker-credential-X get`."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

SECONDS = 10.0
IDENTITY_TOKEN = "<token>"
"""The user's name of what is no password (docker/cli, `credentials`)."""
_PASSED_ON = ("PATH", "USER", "LOGNAME", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")
_PASSED_ON_TOO = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "GNUPGHOME", "PASSWORD_STORE_DIR")
"""What a helper needs to find the user's keys. No more: our own credentials are none of its business."""

_log = logging.getLogger(__name__)


def ask_helper(
    name: str, registry: str, environ: Mapping[str, str], home: Path, seconds: float = SECONDS
) -> tuple[str, str] | None:
    """User and key that the helper keeps for the registry; None, with a warning, when it gives none.

    It is asked once in the life of this process, for it may ask its user to unlock something.
    """
    kept = tuple((key, environ[key]) for key in (*_PASSED_ON, *_PASSED_ON_TOO) if key in environ)
    return _ask(name, registry, (*kept, ("HOME", str(home))), seconds)


@lru_cache(maxsize=8)
def _ask(name: str, registry: str, environment: tuple[tuple[str, str], ...], seconds: float) -> tuple[str, str] | None:
    try:
        found = _run(_program(name, dict(environment).get("PATH", "")), registry, dict(environment), seconds)
    except _GaveNone as exc:
        _log.warning("docker-credential-%s gave no login for %s: %s", ascii(name)[1:-1], registry, exc)
        return None
    return found


class _GaveNone(Exception):
    """Why a helper gave no login, in our words: its own may hold anything."""


def _program(name: str, path: str) -> str:
    """Where the helper is: only in folders that PATH names absolutely, never in the one we happen to be in."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise _GaveNone("that is not the name of a helper")
    for folder in path.split(os.pathsep):
        program = os.path.join(folder, f"docker-credential-{name}")
        if os.path.isabs(folder) and os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    raise _GaveNone("there is no such program on PATH")


def _run(program: str, registry: str, environment: dict[str, str], seconds: float) -> tuple[str, str]:
    try:
        done = subprocess.run(
            [program, "get"],
            input=f"{registry}\n".encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            timeout=seconds,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise _GaveNone(f"no answer within {seconds:g} s") from None
    except OSError as exc:
        raise _GaveNone(exc.strerror or type(exc).__name__) from None
    if done.returncode:
        raise _GaveNone(f"it ended with code {done.returncode}")
    try:
        answer = json.loads(done.stdout)
        user, key = answer["Username"], answer["Secret"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise _GaveNone("its answer is not the JSON it should be") from None
    if not isinstance(user, str) or not isinstance(key, str) or not user or not key:
        raise _GaveNone("its answer holds no user and key")
    if user == IDENTITY_TOKEN:
        raise _GaveNone("it keeps a token that only a registry takes")
    return user, key
