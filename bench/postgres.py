"""Figures on PostgreSQL: import and websocket, client and server, against raw COPY; rows that questions visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import psycopg
from sqlalchemy import make_url

from archiver.storage.database.address import libpq_url
from archiver.transfer.reader import BATCH
from bench import plain
from bench.costs import Clock, Cost, Postgres, middle
from bench.counting import Counted, Question, counted
from bench.figures import Figure, micros, rate
from bench.streaming import stream
from bench.subjects import Subjects
from bench.workshop import Lines, Workshop
from tests.pgcluster import find_binaries, running_cluster

# A server as it is delivered, with every commit on the disk; only its place is ours.
DURABLE = {"listen_addresses": "", "timezone": "UTC"}


def figures(shop: Workshop, dated: Lines, bare: Lines, rounds: int, batch: int, clock: Clock) -> list[Figure]:
    """The figures of both shapes; nothing where there is no PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        return []
    with running_cluster(binaries, DURABLE) as url:
        server = _Server(shop, url)
        imports = [figure for lines in (dated, bare) for figure in _import_figures(shop, server, lines, rounds)]
        return [*imports, *_stream_figures(shop, server, dated, rounds, batch, clock)]


def questions(
    shop: Workshop, short: Lines, long: Lines, asked: Callable[[Subjects], Iterator[Question]]
) -> Iterator[Counted]:
    """What questions cost, in rows visited; nothing where there is no PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        return
    with running_cluster(binaries, DURABLE) as url:
        server = _Server(shop, url)
        with server.filled(short) as few, server.filled(long) as many:
            yield from counted(asked(Subjects.of(short)), few, many)


class Sides(NamedTuple):
    """What both sides of a connection cost."""

    client: Cost
    server: Cost

    @property
    def cpu(self) -> float:
        """Seconds of CPU of both."""
        return self.client.cpu + self.server.cpu

    def by(self, clock: Clock) -> float:
        """Seconds on the client's wall, or of the CPU of both."""
        return self.client.wall if clock == "wall" else self.cpu

    def told(self, lines: Lines) -> str:
        """CPU an event, and which side had it."""
        client, server = (side.cpu / lines.events * 1e6 for side in self)
        return f"{micros(self.cpu, lines.events)} (client {client:.1f}, server {server:.1f})"


class _Server:
    """A PostgreSQL on which databases are made, filled and dropped."""

    def __init__(self, shop: Workshop, url: str) -> None:
        self._shop = shop
        self._url = url

    def cost(self, fill: Callable[[str], Cost]) -> Sides:
        """What filling a new database costs; making it is not counted."""
        with psycopg.connect(libpq_url(self._url), autocommit=True) as admin, self._database(admin) as database:
            with Postgres(admin).spent() as server:
                client = fill(database)
            return Sides(client, server)

    def more(self, lines: Lines, fill: Callable[[str, Lines], Cost]) -> Sides:
        """What all lines cost more than the first alone: but for the start of processes, and for making the tables."""
        whole, start = (self.cost(partial(_filled, fill, these)) for these in (lines, lines.head(1)))
        return Sides(whole.client - start.client, whole.server - start.server)

    @contextmanager
    def filled(self, lines: Lines) -> Iterator[str]:
        """The URL of an archive of these lines, of which the server knows how much is in it."""
        with psycopg.connect(libpq_url(self._url), autocommit=True) as admin, self._database(admin) as database:
            self._shop.import_into(database, lines)
            with psycopg.connect(libpq_url(database), autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
            yield database

    @contextmanager
    def _database(self, admin: psycopg.Connection) -> Iterator[str]:
        name = f"bench{self._shop.path('').name}"
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield make_url(self._url).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _filled(fill: Callable[[str, Lines], Cost], lines: Lines, database: str) -> Cost:
    return fill(database, lines)


def _import_figures(shop: Workshop, server: _Server, lines: Lines, rounds: int) -> list[Figure]:
    imported: list[Sides] = []
    copied: list[Sides] = []
    for _ in range(rounds):
        imported.append(server.more(lines, shop.import_into))
        copied.append(server.more(lines, lambda database, lines: plain.postgres_cost(lines, database, BATCH)))
    own, floor = _middle(imported), _middle(copied)
    return [
        Figure(
            f"import on PostgreSQL, CPU an event, {lines.events:,} {lines.shape}",
            own.told(lines),
            f"raw COPY, plain rows: {floor.told(lines)}",
            own.cpu / floor.cpu,
            1.2,
            at_most=True,
        )
    ]


def _stream_figures(
    shop: Workshop, server: _Server, lines: Lines, rounds: int, batch: int, clock: Clock
) -> list[Figure]:
    streamed: list[Sides] = []
    copied: list[Sides] = []
    for _ in range(rounds):
        streamed.append(server.cost(lambda database: stream(shop, lines, database).cost))
        copied.append(server.cost(lambda database: plain.postgres_cost(lines, database, batch)))
    own, floor = _middle(streamed), _middle(copied)
    what = f"websocket to PostgreSQL, {lines.events:,} {lines.shape}"
    own_rate, floor_rate = (rate(one.by(clock), lines.events) for one in (own, floor))
    ratio = floor.by(clock) / own.by(clock)
    own_parts, floor_parts = own.told(lines), f"raw COPY, plain rows: {floor.told(lines)}"
    return [
        Figure(f"{what}, {clock}", own_rate, f"raw COPY, plain rows: {floor_rate}", ratio, 0.8),
        Figure(f"{what}, CPU an event", own_parts, floor_parts, floor.cpu / own.cpu, None),
    ]


def _middle(taken: list[Sides]) -> Sides:
    return Sides(middle([one.client for one in taken]), middle([one.server for one in taken]))
