"""Says in SQL for both databases how the whole `extra` of an event or an observation is read."""

from __future__ import annotations

from archiver.codec.sharing import FIRST, SECOND


def whole_extra(row: str) -> str:
    """SQL for all that the `extra` of an event or an observation says; `row`: its alias."""

    def shared(column: str) -> str:
        return f"SELECT b.text FROM shared_texts b WHERE b.platform_id = {row}.platform_id AND b.id = {row}.{column}"

    first = f"replace({row}.extra, '{FIRST}', ({shared('shared_id')}))"
    both = f"replace({first}, '{SECOND}', coalesce(({shared('shared_too_id')}), ''))"
    return f"CASE WHEN {row}.shared_id IS NULL THEN {row}.extra ELSE {both} END"
