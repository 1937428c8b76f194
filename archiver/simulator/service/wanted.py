"""What a client wants an object to be, read from the body of its request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_MOST_CONTAINERS: Final = 100
_MOST_NODES: Final = 20
_MOST_SERVICES: Final = 50
_PORT: Final = re.compile(r"(?:(\d{1,5}):)?(\d{1,5})(?:/(tcp|udp))?")

_SERVICE: Final = frozenset(
    {
        "autodestroy",
        "autoredeploy",
        "autorestart",
        "bindings",
        "cap_add",
        "cap_drop",
        "cgroup_parent",
        "container_envvars",
        "container_ports",
        "cpu_shares",
        "cpuset",
        "deployment_strategy",
        "devices",
        "dns",
        "dns_search",
        "domainname",
        "entrypoint",
        "extra_hosts",
        "hostname",
        "labels",
        "linked_to_service",
        "mac_address",
        "memory",
        "memory_swap",
        "net",
        "nickname",
        "pid",
        "privileged",
        "read_only",
        "roles",
        "run_command",
        "security_opt",
        "sequential_deployment",
        "stdin_open",
        "tags",
        "tty",
        "user",
        "working_dir",
    }
)
"""What the API takes of a service, beside its name, image and number of containers, and does nothing here."""
_NODE: Final = frozenset({"tags", "nickname"})
_CLUSTER: Final = _NODE | {"disk", "provider_options"}


class Wrong(ValueError):
    """The body does not say what the API takes; the text says why."""


@dataclass(slots=True)
class Wanted:
    """What is told of an object; None: nothing is."""

    name: str | None = None
    image: str | None = None
    number: int | None = None
    """Of containers, or of nodes."""
    region: str | None = None
    node_type: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    services: list[Wanted] | None = None


def body_of(data: bytes) -> dict[str, Any]:
    """The fields a body gives; null is as good as left out, as the original clients mean it. Raises `Wrong`."""
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Wrong("The body must be a JSON object.")
    return {name: value for name, value in given.items() if value is not None}


def service(given: Mapping[str, Any]) -> Wanted:
    """A service, as its own requests say it. Raises `Wrong`."""
    rest = dict(given)
    wanted = Wanted(
        name=_text(rest, "name"),
        image=_text(rest, "image"),
        number=_number(rest, "target_num_containers", 1, _MOST_CONTAINERS),
        settings=_settings(rest, _SERVICE),
    )
    if "container_ports" in rest:
        wanted.settings["container_ports"] = [_port(one) for one in _list(rest, "container_ports")]
    return wanted


def stack(given: Mapping[str, Any]) -> Wanted:
    """A stack: its services as the clients take them from a stack file, word for word. Raises `Wrong`."""
    rest = dict(given)
    services = rest.pop("services", None)
    wanted = Wanted(name=_text(rest, "name"), settings=_settings(rest, frozenset({"nickname"})))
    if services is not None:
        if not isinstance(services, list) or len(services) > _MOST_SERVICES:
            raise Wrong(f"services must be a list of at most {_MOST_SERVICES}.")
        wanted.services = [service(_from_stack_file(one)) for one in services]
    return wanted


def cluster(given: Mapping[str, Any]) -> Wanted:
    """A cluster of nodes. Raises `Wrong`."""
    rest = dict(given)
    return Wanted(
        name=_text(rest, "name"),
        number=_number(rest, "target_num_nodes", 0, _MOST_NODES),
        region=_text(rest, "region"),
        node_type=_text(rest, "node_type"),
        settings=_settings(rest, _CLUSTER),
    )


def node(given: Mapping[str, Any]) -> Wanted:
    """What may be changed of a node. Raises `Wrong`."""
    return Wanted(settings=_settings(given, _NODE))


# --- fields -----------------------------------------------------------------------------------------------------------

_READ: Final = frozenset({"name", "image", "target_num_containers", "target_num_nodes", "region", "node_type"})


def _settings(given: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    if unknown := sorted(map(str, given.keys() - known - _READ)):
        raise Wrong(f"This platform knows no {unknown[0]}.")
    settings = {name: value for name, value in given.items() if name in known}
    if not all(isinstance(tag, dict) and isinstance(tag.get("name"), str) for tag in _list(settings, "tags")):
        raise Wrong("tags must be a list of objects with a name.")
    pairs = _list(settings, "container_envvars")
    if not all(isinstance(pair, dict) and isinstance(pair.get("key"), str) and "value" in pair for pair in pairs):
        raise Wrong("container_envvars must be a list of objects with a key and a value.")
    return settings


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None or (isinstance(value, str) and value):
        return value
    raise Wrong(f"{name} must be a text.")


def _number(given: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = given.get(name)
    if value is None or (type(value) is int and least <= value <= most):
        return value
    raise Wrong(f"{name} must be a number from {least} to {most}.")


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    value = given.get(name, [])
    if isinstance(value, list):
        return value
    raise Wrong(f"{name} must be a list.")


def _port(given: object) -> dict[str, Any]:
    """A port as the API shows it; the original CLIs send its numbers as text."""
    if not isinstance(given, dict):
        raise Wrong("A port must be an object.")
    inner, outer = (str(given.get(name) or "") for name in ("inner_port", "outer_port"))
    if not inner.isascii() or not inner.isdigit() or (outer and not (outer.isascii() and outer.isdigit())):
        raise Wrong("A port must have a number as its inner_port.")
    return {
        "protocol": str(given.get("protocol") or "tcp"),
        "inner_port": int(inner[:5]),
        "outer_port": int(outer[:5]) if outer else None,
        "port_name": inner,
        "published": bool(given.get("published") or outer),
        "endpoint_uri": None,
    }


# --- stack files ------------------------------------------------------------------------------------------------------

_WORDS: Final = {"command": "run_command", "volumes": "bindings", "environment": "container_envvars"}


def _from_stack_file(given: object) -> dict[str, Any]:
    """A service of a stack file in the words of the API; what only a stack file knows is left out."""
    if not isinstance(given, dict):
        raise Wrong("A service must be an object.")
    if not isinstance(given.get("name"), str) or not isinstance(given.get("image"), str):
        raise Wrong("A service needs a name and an image.")
    known: dict[str, Any] = {
        _WORDS.get(str(name), str(name)): value for name, value in given.items() if value is not None
    }
    ports = [_published(text, True) for text in _list(known, "ports")]
    ports += [_published(text, False) for text in _list(known, "expose")]
    if ports:
        known["container_ports"] = ports
    if "container_envvars" in known:
        known["container_envvars"] = _pairs(known["container_envvars"])
    known["tags"] = [{"name": tag} if isinstance(tag, str) else tag for tag in _list(known, "tags")]
    known["linked_to_service"] = [_link(link) for link in _list(known, "links")] or known.get("linked_to_service", [])
    return {name: value for name, value in known.items() if name in _SERVICE | _READ}


def _published(text: object, published: bool) -> dict[str, Any]:
    match = _PORT.fullmatch(str(text))
    if match is None:
        raise Wrong(f"A port is written as 80:8080/tcp, not {str(text)[:40]}.")
    return {"outer_port": match[1], "inner_port": match[2], "protocol": match[3], "published": published}


def _pairs(given: object) -> list[dict[str, Any]]:
    if isinstance(given, dict):
        return [{"key": str(key), "value": value} for key, value in given.items()]
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        parted = [one.partition("=") for one in given]
        return [{"key": key, "value": value} for key, _, value in parted]
    raise Wrong("environment must be an object, or a list of KEY=VALUE.")


def _link(given: object) -> object:
    if not isinstance(given, str):
        return given
    to, _, name = given.partition(":")
    return {"to_service": to, "name": name or to}
