"""All in which Podman's Docker-compatible messages and answers differ from Docker's, and how they are read as Docker's.

Seen on Podman 4.3.1 and 5.4.2, and in its sources (pkg/domain/entities/events.go, pkg/api/handlers/compat/events.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message as Headers
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from archiver.platforms.docker.facts import ENGINE_WORDS, text, uri

NOBODYS = frozenset({"init", "cleanup", "sync"})
"""What Podman does by itself when a container starts and ends: nobody's action, and no state of `podman ps`."""

EXEC_BEGINS = "exec_begin"
"""Podman's `exec`: the command runs. It is told once, when Docker tells of its creation and of its start."""

AT_ONCE = 1_000_000
"""Microseconds within which Podman 4 tells a second time how an exec ended that failed (seen: 4 ms), and, after the
word of health, that the exec of the probe ended (40 ms), of which it never told that it began."""

_ENGINES = UUID("5d0c0d52-2f0e-5f0b-9d1e-0f7c1a6f6a11")
_DISORDER_SECONDS = 10
"""By how much its messages may be out of order: it notes them as whoever does something gets to it."""
_ID = re.compile(r"[0-9a-f]{64}")
_WORDS = {
    "container": {"remove": "destroy", "died": "die", "exec": EXEC_BEGINS, "exec_died": "exec_die"},
    "image": {"remove": "delete", "loadfromarchive": "load"},
}
_STARTING = "starting"
_ALWAYS = ("image", "name", "podId")
"""What Podman writes into the attributes of every message."""
_DOCKERS_ALONE = frozenset({"destroy", "exec_create", "exec_start", "exec_detach", "exec_die"})
"""What Podman never says."""


def is_podmans(message: Mapping[str, Any]) -> bool:
    """Whether a message that stands alone is one of Podman's, whoever recorded it.

    Podman writes the name, the image and the pod of whatever it tells of into its attributes, empty where there is
    none, and over any label of such a name. A message of Docker has a `podId` by a label only, hardly an empty one or
    the id of a pod; if it has, it is still told by what only Docker says.
    """
    actor = message.get("Actor")
    attributes = actor.get("Attributes") if type(actor) is dict else None
    if type(attributes) is not dict or any(type(attributes.get(key)) is not str for key in _ALWAYS):
        return False
    pod, verb = attributes["podId"], text(message, "Action").partition(": ")[0]
    if verb in _DOCKERS_ALONE or (verb == "die" and "containerExitCode" not in attributes):
        return False
    return (not pod or _ID.fullmatch(pod) is not None) and not text(actor, "ID").startswith("sha256:")


def as_dockers(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of Podman's as Docker would have told it. Its identity is that of the message as it was."""
    kind, action = text(message, "Type").lower(), text(message, "Action")
    actor = dict(message["Actor"])
    attributes = {key: value for key, value in actor["Attributes"].items() if key not in ENGINE_WORDS}
    key, name = text(actor, "ID"), attributes["name"]
    told_by_docker = _WORDS.get(kind, {}).get(action.lower(), action)
    if told_by_docker in ("die", "exec_die"):
        # Labels are written first, and the code over them: unlike Docker's, it is never one of them.
        attributes["exitCode"] = attributes.get("containerExitCode") or actor["Attributes"].get("exitCode")
    elif action == "health_status" and (word := text(message, "HealthStatus")):
        told_by_docker = f"health_status: {f'health: {word}' if word == _STARTING else word}"
    if kind == "network" and action in ("connect", "disconnect"):
        kind = "container"  # it is the container's id and name that are told; of the network the name only
    elif kind == "network":
        attributes["name"] = text(attributes, "network") or name
    elif kind == "image":
        key = f"sha256:{found}" if _ID.fullmatch(found := key or name) else found
        attributes["name"] = "" if _ID.fullmatch(name) else name
    key = key or name  # of some things it tells the name alone
    return {**message, "Type": kind, "Action": told_by_docker, "Actor": {**actor, "ID": key, "Attributes": attributes}}


def tells_probe(verb: str, attributes: Mapping[str, Any]) -> bool:
    """Whether a message is a word of health by Podman 4, which tells of the probe's exec next; Podman 5 does not.

    Podman 4 writes an exit code into every message, Podman 5 only where there is one.
    """
    return verb == "health_status" and "containerExitCode" in attributes


def pod_of(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """The URI of the pod that a container of Podman's is in."""
    pod = text(attributes, "podId")
    return (uri("pod", pod),) if pod else ()


def spellings(name: str) -> tuple[str, ...]:
    """The tags that an image may stand under which Podman 4 names only as its user did: `bb`, `localhost/bb:latest`."""
    tagged = name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
    return (tagged, *(f"{registry}/{tagged}" for registry in ("localhost", "docker.io/library", "docker.io")))


# --- its answers ------------------------------------------------------------------------------------------------------


def answered(headers: Headers) -> bool:
    """Whether an answer with these headers is Podman's: it names its own version in every one."""
    return "Libpod-Api-Version" in headers or (headers.get("Server") or "").startswith("Libpod/")


def engine_id(info: Mapping[str, Any]) -> str:
    """An engine's ID by its own /info. Podman makes up a new one for every answer, but its storage stays where it is.

    So it is known by the name of the host and the path of the storage; that of another user is another engine.
    """
    if "BuildahVersion" not in info:
        return text(info, "ID")
    return str(uuid5(_ENGINES, f"{text(info, 'Name')}:{text(info, 'DockerRootDir')}"))


def since(resume: str | None) -> str | None:
    """From when on to read again what Podman remembers, so that the last message is among it; None: all of it.

    It remembers not 256 messages but a log, which may go back for years. `resume` is "<nanoseconds>:<identity>".
    """
    nano = (resume or "").partition(":")[0]
    return f"{max(0, int(nano) // 1_000_000_000 - _DISORDER_SECONDS)}" if nano.isdecimal() and len(nano) < 20 else None


# --- where it is ------------------------------------------------------------------------------------------------------


def sockets(environ: Mapping[str, str], user: int) -> tuple[str, str]:
    """The sockets of a user's own Podman and of the machine's, the one that its command would use first."""
    folder = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}"
    rootless, of_machine = f"{folder}/podman/podman.sock", "/run/podman/podman.sock"
    return (of_machine, rootless) if user == 0 else (rootless, of_machine)


def is_there(socket: str) -> bool:
    """Whether there is such a socket, as far as this user may see."""
    try:
        return Path(socket).is_socket()
    except OSError:
        return False


def joins(socket: str) -> bool:
    """Whether a socket of another machine is one that Podman's command, and hardly Docker's, is there to reach."""
    return socket.endswith("/podman.sock")
