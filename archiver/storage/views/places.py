"""What an object is called and where it belongs, as texts beside its URI: name, stack, service, slot, node, image."""

from __future__ import annotations

from archiver.storage.words import IMAGE, NAME, PARENT, SLOT

PLACES = ("stack", "service", "node")

# What was last said until an instant, so that what is gone keeps its name and place.
_SAID = "f.resource_id = {resource} AND f.what = {what} AND f.since <= {at}"
_NAMED = "coalesce((SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id WHERE o.resource_id = a.id), a.uri)"


def word_then(what: int, resource: str, at: str) -> str:
    """The last name, slot or image of a resource that was told until an instant in microseconds."""
    return f"""(SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE {_SAID.format(resource=resource, what=what, at=at)} ORDER BY f.since DESC LIMIT 1)"""


def place_then(place: str, resource: str, type_id: str, at: str) -> str:
    """The name of the stack, service or node that a resource is in or is itself, as last told until an instant.

    Where no name of it is known, its URI.
    """
    of_type = f"(SELECT c.id FROM event_types c WHERE c.text = '{place}')"
    directly = f"""(SELECT {_NAMED} FROM facts f JOIN resources a ON a.id = f.value
    WHERE {_SAID.format(resource=resource, what=PARENT, at=at)} AND a.type_id = {of_type}
    ORDER BY f.since DESC LIMIT 1)"""
    itself = f"CASE WHEN {type_id} = {of_type} THEN (SELECT {_NAMED} FROM resources a WHERE a.id = {resource}) END"
    found = [itself, directly]
    if place == "stack":
        found.append(f"""(SELECT {_NAMED} FROM facts f JOIN facts g ON g.resource_id = f.value
    JOIN resources a ON a.id = g.value
    WHERE {_SAID.format(resource=resource, what=PARENT, at=at)} AND g.what = {PARENT} AND g.since <= {at}
      AND a.type_id = {of_type}
    ORDER BY f.since DESC, g.since DESC LIMIT 1)""")
    return f"coalesce({', '.join(found)})"


def names(resource: str, type_id: str, at: str) -> dict[str, str]:
    """Name, stack, service, slot, node and image of a resource at an instant, as expressions by their column."""
    return {
        "name": word_then(NAME, resource, at),
        "stack": place_then("stack", resource, type_id, at),
        "service": place_then("service", resource, type_id, at),
        "slot": word_then(SLOT, resource, at),
        "node": place_then("node", resource, type_id, at),
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
