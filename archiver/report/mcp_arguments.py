"""Checks the arguments of a tool against its schema, by the few words of JSON Schema that the tools use."""

from __future__ import annotations

from typing import Any

from archiver.errors import UsageError

_KINDS: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list}
_CALLED = {"string": "a text", "integer": "a whole number", "boolean": "true or false", "array": "a list"}


def check(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Raises UsageError, which says what is wrong and what the tool takes, where the arguments do not fit."""
    takes = schema["properties"]
    for name in schema["required"]:
        if name not in arguments:
            raise _wrong(schema, f"{name} is missing")
    for name, value in arguments.items():
        if name not in takes:
            raise _wrong(schema, f"there is no argument {name[:100]!r}")
        if trouble := _trouble(takes[name], value):
            raise _wrong(schema, f"{name} {trouble}")


def _trouble(schema: dict[str, Any], value: Any) -> str | None:
    """What is wrong with a value; None: nothing."""
    kind = schema["type"]
    is_kind = isinstance(value, _KINDS[kind]) and isinstance(value, bool) is (
        kind == "boolean"
    )  # a bool is an int, too
    if not is_kind:
        return f"must be {_CALLED[kind]}"
    if kind == "integer" and not schema["minimum"] <= value <= schema["maximum"]:
        return f"must be from {schema['minimum']} to {schema['maximum']}"
    if kind == "string" and not schema.get("minLength", 0) <= len(value) <= schema["maxLength"]:
        return "is empty" if not value else f"is longer than {schema['maxLength']} characters"
    if value not in schema.get("enum", [value]):
        return f"must be one of {', '.join(schema['enum'])}"
    if kind == "array":
        if len(value) > schema["maxItems"]:
            return f"has more than {schema['maxItems']} items"
        return next((f"has an item that {found}" for each in value if (found := _trouble(schema["items"], each))), None)
    return None


def _wrong(schema: dict[str, Any], reason: str) -> UsageError:
    return UsageError(reason=reason, hint=f"it takes {', '.join(schema['properties'])}")
