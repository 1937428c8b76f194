"""Writes numbers as a Prometheus server reads them (text exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Literal, NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LONGEST = 200
"""Letters of a label's value: it names something, and tells no story."""


class Sample(NamedTuple):
    """A number, and what tells it from the others of its family."""

    value: float
    labels: Mapping[str, str] = {}


class Family(NamedTuple):
    """Numbers of one name."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    """The text; a family without a number is left out."""
    return "".join(line for family in families if family.samples for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escaped(family.help)}\n"
    yield f"# TYPE {family.name} {family.kind}\n"
    for value, labels in family.samples:
        told = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels.items())
        yield f"{family.name}{{{told}}} {_number(value)}\n" if told else f"{family.name} {_number(value)}\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    # A lone surrogate is no UTF-8, and what ends a line elsewhere must not end one here. Two texts stay two: a page
    # with the same labels twice is refused whole.
    plain = "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
    if len(plain) > _LONGEST:
        plain = f"{plain[:_LONGEST]}...{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return _escaped(plain).replace('"', '\\"')
