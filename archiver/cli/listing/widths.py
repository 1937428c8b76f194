"""How wide the columns of a table may be where a terminal is too narrow: which give way, and how far."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

LEAST = 8
"""Cells of a column that are left whatever the terminal has."""
READABLE = 12
"""So far a column gives way before one of instants does, or one that says what a row is about."""
SPARE = 10
"""So far it does before what a row is about is cut short."""
TOLD_APART = 20
"""What of such a column is left until there is nothing else to be had."""
_INSTANTS = (30, 16, 10)
"""How wide instants are: whole, without their year, without their day."""
_CLOCKS = (12, 8)
"""How wide those are that have no day: whole, to the second, which is enough where anything else would be cut."""


def narrowed(
    widths: Sequence[int], room: int, instants: Collection[int] = (), subjects: Mapping[int, int] | None = None
) -> list[int]:
    """The widths of columns that fit into so many cells with two between each: the widest give way first.

    Those of `subjects` and of instants do only when all others have, the former down to what is given with each.
    """
    subjects = subjects or {}
    everything = range(len(widths))
    others = [place for place in everything if place not in instants and place not in subjects]
    fitting = list(widths)
    if excess(fitting, room) <= 0:
        return fitting
    for most in _INSTANTS:
        fitting = [_instant(each, most) if place in instants else each for place, each in enumerate(widths)]
        fitting = _narrowed(fitting, room, dict.fromkeys(others, READABLE))
        fitting = _narrowed(fitting, room, subjects)
        if excess(fitting, room) <= 0:
            break
    if subjects:
        fitting = _narrowed(fitting, room, dict.fromkeys(others, SPARE))
        fitting = _narrowed(fitting, room, dict.fromkeys(others, LEAST))
    return _narrowed(fitting, room, dict.fromkeys(everything, LEAST))


def _instant(wide: int, most: int) -> int:
    whole, shorter = _CLOCKS
    return min(wide, shorter if wide <= whole else most)


def excess(widths: Sequence[int], room: int) -> int:
    """By how many cells columns are too wide, with two between each."""
    return sum(widths) + 2 * (len(widths) - 1) - room


def _narrowed(fitting: list[int], room: int, floors: Mapping[int, int]) -> list[int]:
    """The widths, of which those in some places give way, each as far as its floor."""
    over = excess(fitting, room)
    while over > 0 and (giving := [place for place, floor in floors.items() if fitting[place] > floor]):
        widest = max(giving, key=fitting.__getitem__)
        rest = max((fitting[place] for place in giving if place != widest), default=0)
        least = max(floors[widest], fitting[widest] - over, min(rest, fitting[widest] - 1))
        over -= fitting[widest] - least
        fitting[widest] = least
    return fitting
