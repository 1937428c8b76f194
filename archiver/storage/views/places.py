"""What an object is called and where it belongs, as texts beside its URI: name, stack, service, slot, node, image."""

from __future__ import annotations

from archiver.storage.views.events import name_now
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View, platform_of
from archiver.storage.words import IMAGE, NAME, PARENT, SLOT

PLACES = ("stack", "service", "node")

# What was last said until an instant, so that what is gone keeps its name and place.
_SAID = "f.platform_id = {platform} AND f.resource_id = {resource} AND f.what = {what} AND f.since <= {at}"


def word_then(what: int, resource: str, at: str) -> str:
    """The last name, slot or image of a resource that was told until an instant in microseconds."""
    return f"""(SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE {_SAID.format(platform=platform_of(resource), resource=resource, what=what, at=at)}
    ORDER BY f.since DESC LIMIT 1)"""


def place_then(place: str, resource: str, at: str) -> str:
    """The name of the stack, service or node that a resource is in or is itself, as last told until an instant.

    Where no name of it is known, its URI.
    """
    platform = platform_of(resource)
    said = f"{{}}.platform_id = {platform} AND {{}}.resource_id = {resource} AND {{}}.since_us <= {at}"
    of_type = f"b.type_id = (SELECT c.id FROM event_types c WHERE c.text = '{place}')"
    directly = f"""(SELECT b.called FROM direct_parents b WHERE {said.format("b", "b", "b")} AND {of_type}
    ORDER BY b.since_us DESC LIMIT 1)"""
    itself = f"""(SELECT b.called FROM resource_names b
    WHERE b.platform_id = {platform} AND b.resource_id = {resource} AND {of_type})"""
    found = [itself, directly]
    if place == "stack":
        # Not joined: PostgreSQL would merge what is above with all facts, in their order.
        above = f"""(SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= {at} AND {of_type}
      ORDER BY b.since_us DESC LIMIT 1)"""
        found.append(f"""(SELECT x.called FROM (SELECT f.since_us AS since_us, {above} AS called
    FROM direct_parents f WHERE {said.format("f", "f", "f")}) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)""")
    return f"coalesce({', '.join(found)})"


def names(resource: str, at: str) -> dict[str, str]:
    """Name, stack, service, slot, node and image of a resource at an instant, as expressions by their column."""
    return {
        "name": word_then(NAME, resource, at),
        "stack": place_then("stack", resource, at),
        "service": place_then("service", resource, at),
        "slot": word_then(SLOT, resource, at),
        "node": place_then("node", resource, at),
        "image": word_then(IMAGE, resource, at),
    }


def listed(expressions: dict[str, str]) -> str:
    """Expressions as a part of a SELECT, each under its name."""
    return ",\n  ".join(f"{expression} AS {name}" for name, expression in expressions.items())


NAMES = {
    "name": "What it was called, as last told",
    "stack": "Name of the stack that it was in, or is; its URI where no name is known",
    "service": "Name of the service that it was of, or is; its URI where no name is known",
    "slot": "What lives on when it is replaced, where the platform has such a thing: shop_web.1",
    "node": "Name of the node that it was on, or is; its URI where no name is known",
    "image": "Its image as told, where known: nginx:1.25",
}
"""What the columns of `names` mean."""


def _resource_names(_say: Idioms) -> str:
    return f"""
SELECT a.id AS resource_id, a.type_id AS type_id,
  coalesce({name_now("a.id")}, a.uri) AS called, a.platform_id AS platform_id
FROM resources a
"""


resource_names = View(
    "resource_names",
    "What every resource was last called",
    {
        "resource_id": "Number of the resource",
        "type_id": "Number of its type",
        "called": "Its name; its URI where no name is known",
        "platform_id": "Number of the platform that it is on",
    },
    _resource_names,
    is_part=True,
)


def _direct_parents(say: Idioms) -> str:
    # Apart: PostgreSQL would merge the two parents of a container with all resources, in their order.
    parent = say.apart(
        {"type_id": "a.type_id", "called": "a.called"},
        "JOIN resource_names a ON a.platform_id = f.platform_id AND a.resource_id = f.value",
        "a.resource_id > 0",
    )
    return f"""
SELECT f.resource_id AS resource_id, f.value AS parent_id, {listed(parent.columns)},
  f.since AS since_us, f.platform_id AS platform_id
FROM facts f
{parent.joins}
WHERE f.what = {PARENT} AND {parent.where}
"""


direct_parents = View(
    "direct_parents",
    "What was directly above every resource",
    {
        "resource_id": "Number of the resource",
        "parent_id": "Number of what is above it",
        "type_id": "Number of the type of what is above",
        "called": "What that was last called; its URI where no name is known",
        "since_us": "From when on it was above, in microseconds since 1970",
        "platform_id": "Number of the platform that both are on",
    },
    _direct_parents,
    is_part=True,
)
