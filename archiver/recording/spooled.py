"""What is archived of an item of the spool: what it tells, or else its bytes; and of which item an event was made."""

from __future__ import annotations

from functools import cached_property

from archiver.model import Batch, Condition, Event, Item, Message, Observed, Record, Reject, Together
from archiver.platforms.decoders import Decoder
from archiver.recording.failures import Failures
from archiver.recording.spool.queue import Spool


class Originals:
    """Gives the messages that the events of a batch were made of, as long as the spool has them."""

    def __init__(self, spool: Spool, records: Batch, first: int) -> None:
        self._spool = spool
        self._records = records
        self._first = first

    @cached_property
    def _places(self) -> dict[Event, int]:
        places: dict[Event, int] = {}
        for place, record in enumerate(self._records):
            for told in record.records if isinstance(record, Together) else (record,):
                if isinstance(told, Event):
                    places.setdefault(told, place)
        return places

    def __call__(self, event: Event) -> bytes | None:
        """The message of an event that was placed on its platform."""
        place = self._places.get(event._replace(platform=None))
        group = None if place is None else self._spool.take(self._first + place - 1, 1, 1)
        item = None if group is None else group.items[0]
        return item.payload if isinstance(item, Message) else None


def decode_item(item: Item, decoder: Decoder, failures: Failures) -> Record:
    """What of a spooled item is recorded; whatever it holds, the next one gets its turn."""
    try:
        if isinstance(item, (Message, Observed)):
            return decoder.decode(item)
    except Exception as error:  # noqa: BLE001 - a bug of a decoder must not end the recording
        failures.tell("a message could not be decoded, and is kept as a reject", error)
        return rejected(item, f"{type(error).__name__} while decoding")
    assert not isinstance(item, (Message, Observed))
    return item


def rejected(item: Item, reason: str) -> Reject:
    """An item that cannot be recorded as what it is; the reason in letters that any database takes."""
    reason = reason.encode("unicode_escape").decode()[:1000]
    if isinstance(item, Message):
        return Reject(item.payload, reason, item.received_at, item.session)
    payload = item.payload if isinstance(item, Observed) else repr(item).encode()
    return Reject(payload, reason, item.at, None if isinstance(item, Condition) else item.session)
