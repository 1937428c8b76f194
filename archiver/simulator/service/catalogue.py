"""What the platform offers: providers, regions and kinds of node; and what it lists but never has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from archiver.simulator.world.spelling import Spelling

_PROVIDER: Final = ("digitalocean", "Digital Ocean")
_REGIONS: Final = {"lon1": "London 1", "ams3": "Amsterdam 3"}
_NODE_TYPES: Final = {"1gb": "1GB", "2gb": "2GB", "4gb": "4GB"}
_SUBSYSTEM: Final = {
    "provider": "infra",
    "region": "infra",
    "nodetype": "infra",
    "az": "infra",
    "volume": "app",
    "volumegroup": "app",
    "trigger": "app",
    "image": "repo",
    "repository": "repo",
}


def collections(spelling: Spelling) -> dict[str, list[dict[str, Any]]]:
    """The entries of each list by its path; what the simulated platform never has is an empty list."""
    name, label = _PROVIDER
    provider = f"{_path(spelling, 'provider')}{name}/"
    regions = {key: region_uri(spelling, key) for key in _REGIONS}
    node_types = {key: node_type_uri(spelling, key) for key in _NODE_TYPES}
    entries: dict[str, list[dict[str, Any]]] = {type_: [] for type_ in _SUBSYSTEM}
    entries["provider"] = [_entry(name, label, provider) | {"regions": list(regions.values())}]
    entries["region"] = [
        _entry(key, _REGIONS[key], uri)
        | {"provider": provider, "node_types": list(node_types.values()), "availability_zones": []}
        for key, uri in regions.items()
    ]
    entries["nodetype"] = [
        _entry(key, _NODE_TYPES[key], uri)
        | {"provider": provider, "regions": list(regions.values()), "availability_zones": []}
        for key, uri in node_types.items()
    ]
    paths = {_path(spelling, type_): listed for type_, listed in entries.items()}
    if spelling.namespace:
        paths |= {_path(spelling, type_, spelling.namespace): listed for type_, listed in entries.items()}
    return paths


def region_uri(spelling: Spelling, region: str) -> str:
    """Where a region is described."""
    return f"{_path(spelling, 'region')}{_PROVIDER[0]}/{region}/"


def node_type_uri(spelling: Spelling, node_type: str) -> str:
    """Where a kind of node is described."""
    return f"{_path(spelling, 'nodetype')}{_PROVIDER[0]}/{node_type}/"


def region_of(uri: str | None) -> str | None:
    """The region a URI, or its name, stands for, if it is offered."""
    return _offered(uri, _REGIONS)


def node_type_of(uri: str | None) -> str | None:
    """The kind of node a URI, or its name, stands for, if it is offered."""
    return _offered(uri, _NODE_TYPES)


def _offered(uri: str | None, entries: Mapping[str, str]) -> str | None:
    key = (uri or "").rstrip("/").rpartition("/")[2]
    return key if key in entries else None


def _path(spelling: Spelling, type_: str, namespace: str = "") -> str:
    if spelling.flavour == "tutum":
        return f"/api/v1/{type_}/"
    return f"/api/{_SUBSYSTEM[type_]}/v1/{namespace}{'/' if namespace else ''}{type_}/"


def _entry(name: str, label: str, uri: str) -> dict[str, Any]:
    return {"name": name, "label": label, "resource_uri": uri, "available": True}
