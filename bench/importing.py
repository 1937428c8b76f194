"""Figures of `archiver import` into SQLite: against plain rows and peers, its growth, and the size of the file."""

from __future__ import annotations

from bench import peers
from bench.costs import Clock, Cost, middle
from bench.figures import Figure, micros, rate
from bench.workshop import Filled, Lines, Way, Workshop

WAYS: dict[str, Way] = {
    "archiver": peers.archiver,
    "script": peers.script,
    "utils": peers.sqlite_utils,
    "plain": peers.plain_rows,
}


def figures(shop: Workshop, few: Lines, many: Lines, rounds: int, clock: Clock) -> list[Figure]:
    """One shape of events at two sizes, if there are two.

    What starting a process and making the file costs is taken off everywhere.
    """
    found = [
        *_rates(few, _measured(shop, few, rounds), 0.6, clock),
        *(_rates(many, _measured(shop, many, 1), 1.0, clock) if many != few else []),
        *_sizes(many, shop.filled(peers.archiver, many), shop.filled(peers.script, many)),
    ]
    for way in (peers.script, peers.plain_rows):
        shop.filled(way, many).discard()
    return found


def _measured(shop: Workshop, lines: Lines, rounds: int) -> dict[str, Cost]:
    """What each way costs, all of them in turn."""
    costs: dict[str, list[Cost]] = {name: [] for name in WAYS}
    for turn in range(rounds):
        for name, way in WAYS.items():
            filled = shop.fill(way, lines) if turn else shop.filled(way, lines)
            start = shop.fill(way, lines.head(1))
            costs[name].append(filled.cost - start.cost)
            start.discard()
            if turn:
                filled.discard()
    return {name: middle(taken) for name, taken in costs.items()}


def _rates(lines: Lines, costs: dict[str, Cost], bar: float, clock: Clock) -> list[Figure]:
    """CPU against the peers, time against plain rows; `bar` is that of sqlite-utils, which slows down."""
    archiver, script, utils, plain = (costs[name] for name in WAYS)
    input_, own = f"{lines.events:,} {lines.shape}", micros(archiver.cpu, lines.events)
    by_script, by_utils = (micros(peer.cpu, lines.events) for peer in (script, utils))
    what = f"import, CPU an event, {input_}"
    return [
        Figure(what, own, f"the script: {by_script}", archiver.cpu / script.cpu, 1.5, True),
        Figure(what, own, f"sqlite-utils, four indexes: {by_utils}", archiver.cpu / utils.cpu, bar, True),
        Figure(
            f"import, {clock}, {input_}",
            rate(archiver.by(clock), lines.events),
            f"plain rows, raw: {rate(plain.by(clock), lines.events)}",
            plain.by(clock) / archiver.by(clock),
            1.0,
        ),
    ]


def growth(shop: Workshop, few: Lines, many: Lines) -> Figure:
    """How many events many take a second of CPU, against few."""
    cheap, dear = (shop.filled(peers.archiver, lines).cost.cpu for lines in (few, many))
    start = shop.fill(peers.archiver, few.head(1))
    start.discard()
    before, after = ((cost - start.cost.cpu) / lines.events for cost, lines in ((cheap, few), (dear, many)))
    what = f"import, events a second of CPU, {many.events:,} {many.shape}"
    return Figure(what, f"{1 / after:,.0f}", f"{few.events:,} events: {1 / before:,.0f}", before / after, 0.9)


def _sizes(lines: Lines, archive: Filled, script: Filled) -> list[Figure]:
    """Bytes an event in the file, all indexes included, against the event's line and the script's file."""
    own, line, peer = (archive.bytes / lines.events, lines.bytes_per_event, script.bytes / lines.events)
    what = f"bytes an event, SQLite, {lines.events:,} {lines.shape}"
    return [
        Figure(what, f"{own:.0f}", f"the JSON line: {line:.0f}", own / line, 0.5, at_most=True),
        Figure(what, f"{own:.0f}", f"the script's file: {peer:.0f}", own / peer, 1.5, at_most=True),
    ]
