"""The peer: how clients of these streams were written, a callback with one ORM commit for every event.

Run as a process of its own: `python -m bench.old_client URL DATABASE COUNT`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import websocket
from sqlalchemy import Column, ForeignKey, Integer, String, Table, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """The peer's own tables."""


parents = Table(
    "event_parents",
    Base.metadata,
    Column("event_id", ForeignKey("events.id"), primary_key=True),
    Column("resource_id", ForeignKey("resources.id"), primary_key=True),
)


class Resource(Base):
    """An object of the platform."""

    __tablename__ = "resources"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    uri: Mapped[str] = mapped_column(String, unique=True)


class Event(Base):
    """One event with its parents."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    type: Mapped[str]
    action: Mapped[str]
    state: Mapped[str]
    date: Mapped[str | None] = mapped_column(index=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), index=True)
    resource: Mapped[Resource] = relationship()
    parents: Mapped[list[Resource]] = relationship(secondary=parents)


def find_or_make(session: Session, uri: str) -> Resource:
    """The resource of an URI."""
    resource = session.scalar(select(Resource).where(Resource.uri == uri))
    if resource is None:
        resource = Resource(uri=uri)
        session.add(resource)
    return resource


def save(session: Session, message: str) -> None:
    """Write one event and commit it."""
    value: dict[str, Any] = json.loads(message)
    session.add(
        Event(
            type=value["type"],
            action=value["action"],
            state=value["state"],
            date=value.get("date"),
            resource=find_or_make(session, value["resource_uri"]),
            parents=[find_or_make(session, uri) for uri in dict.fromkeys(value["parents"])],
        )
    )
    session.commit()


def main() -> None:
    """Listen until COUNT events are in the database."""
    url, database, count = sys.argv[1:]
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    left = int(count)
    with Session(engine) as session:

        def on_message(app: websocket.WebSocketApp, message: str) -> None:
            nonlocal left
            save(session, message)
            left -= 1
            if not left:
                app.close()

        websocket.WebSocketApp(url, on_message=on_message).run_forever()


if __name__ == "__main__":
    main()
