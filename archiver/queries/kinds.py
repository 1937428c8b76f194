"""What kind of state a state is: up, down, starting or gone, as the table `state_kinds` says."""

from __future__ import annotations

from collections.abc import Mapping

from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement

_KINDS = "SELECT k.state, k.kind FROM state_kinds k"


def state_kinds(connection: Connection) -> dict[str, str]:
    """The kind of each state, or family, or type and state, in lower case; whoever owns the archive may add to them."""
    return {row.state: row.kind for row in connection.execute(statement(_KINDS))}


def kind_of(kinds: Mapping[str, str], state: str, type: str) -> str | None:
    """The kind of a state of a type, by the longest that fits it, as the view `watched_spans` has it; None: of none."""
    whole = state.lower()
    family = whole.partition(" (")[0]
    fits = [word for word in (whole, family, f"{type} {whole}", f"{type} {family}") if word in kinds]
    return kinds[max(fits, key=len)] if fits else None
