"""Says how a long answer is read: page by page, and nothing held in the database between two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from archiver.storage.database.reading import Connection

T = TypeVar("T")
P = ParamSpec("P")

BLOCK = 100_000
"""Numbers of what is listed that are found at once."""


class Ask(Protocol):
    """Puts one question of an answer, in a transaction of its own: whoever reads the answer may take his time.

    A question must give all that it found, and no iterator. Each question of an answer asks for what lies behind the
    last row that it has, never for the n-th.
    """

    def __call__(self, ask: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T: ...


class AtOnce:
    """Puts all questions of a small answer in one transaction: nobody is kept waiting by it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, ask: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T:
        return ask(self._connection, *args, **more)
