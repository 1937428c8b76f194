"""Which platform every word is of, as numbers of the model: two accounts with the same keys, and an engine."""

from __future__ import annotations

from collections.abc import Iterable

from archiver.codec.uris import parse
from archiver.model import Platform, ResourceRef

ACCOUNTS = ("ws://one.example/v1/events", "ws://two.example/v1/events")
ENGINE = "unix:///two.sock"
ONE, TWO, THREE = 1, 2, 3
"""The two accounts and the engine."""
IDENTITIES = {ONE: "http://one.example", TWO: "http://two.example"}
"""How an import names an account."""


def of_stream(url: str) -> int:
    """The platform that a stream tells of."""
    return THREE if url == ENGINE else ACCOUNTS.index(url) + 1


def of_uri(uri: str | None) -> int:
    """The platform of what was imported, and says nothing of that: there is one of each dialect."""
    return THREE if uri is not None and uri.startswith("/docker/v1/") else ONE


def placed(uri: str, platform: int | None) -> ResourceRef:
    """What a URI names on a platform: its key says on which, so that two with the same key are two."""
    kind, key = parse(uri)
    return ResourceRef(kind, f"{key} on {platform}")


def written(ref: ResourceRef) -> tuple[str, int]:
    """The key in an archive, and the platform."""
    key, _, platform = ref.key.rpartition(" on ")
    return key, int(platform)


def numbered(platforms: Iterable[Platform]) -> dict[str, int]:
    """The platforms of an archive by their names."""
    found = {}
    for platform in platforms:
        own = TWO if "two.example" in platform.key else THREE if platform.dialect == "docker" else ONE
        found[platform.name] = own
    assert len(set(found.values())) == len(found), found
    return found
