"""The plainest records there are: a database that does not take these takes none, whatever a message holds."""

from __future__ import annotations

import secrets

from archiver.model import Alive, Batch, Closed, Condition, Event, Observation, Opened, Reject, now_micros


def plainest() -> Batch:
    """One record of each kind, of things that no archive has heard of."""
    now, word = now_micros(), secrets.token_hex(16)
    stream, container, service = f"trial:{word}", f"/api/v1/container/{word}/", f"/api/v1/service/{word}/"
    return Batch(
        [
            Opened(stream, word, "tutum", now, now),
            Condition(stream, "tutum", now, "trouble", "none"),
            Event(
                "container",
                "update",
                "Running",
                container,
                (service,),
                now,
                "datetime",
                now,
                word,
                None,
                word,
                name=word,
                image=word,
                slot=word,
            ),
            Observation(container, "Running", word, (service,), now, None, word, image=word, slot=word),
            Reject(b"{}", "none", now, word),
            Alive(stream, word, now),
            Closed(stream, word, now, "none", "stopped"),
        ]
    )
