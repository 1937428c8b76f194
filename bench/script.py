"""The peer: the script one would write oneself. `python script.py events.db < events.jsonl`

Every event once, every list of parents once, and on the disk before the next ones are read.
"""

import json
import sqlite3
import sys
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS resources (id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS members (list INTEGER, place INTEGER, resource INTEGER, PRIMARY KEY (list, place))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, uuid BLOB, type INTEGER,
    action INTEGER, state INTEGER, resource INTEGER, list INTEGER, extra TEXT);
CREATE INDEX IF NOT EXISTS members_by_resource ON members (resource);
CREATE INDEX IF NOT EXISTS events_by_resource ON events (resource, time);
CREATE INDEX IF NOT EXISTS events_by_list ON events (list, time);
CREATE UNIQUE INDEX IF NOT EXISTS events_by_time ON events (time, uuid);
"""
KNOWN = {"uuid", "date", "datetime", "type", "action", "state", "resource_uri", "parents"}


class Numbers(dict):
    """A number for every new key, and which are new."""

    def __init__(self, rows):
        super().__init__((key, number) for number, key in rows)
        self.new = []

    def __missing__(self, key):
        self[key] = len(self) + 1
        self.new.append((self[key], key))
        return self[key]

    def take_new(self):
        new, self.new = self.new, []
        return new


db = sqlite3.connect(sys.argv[1])
db.executescript(SCHEMA)
words = Numbers(db.execute("SELECT id, text FROM words"))
resources = Numbers(db.execute("SELECT id, uri FROM resources"))
listed = "SELECT list, group_concat(resource) FROM (SELECT * FROM members ORDER BY list, place) GROUP BY list"
lists = Numbers((number, tuple(map(int, members.split(",")))) for number, members in db.execute(listed))

while batch := list(islice(sys.stdin, 5000)):
    now, events = datetime.now(UTC).timestamp(), []
    for event in map(json.loads, batch):
        time = event.get("datetime") or event.get("date")
        time = datetime.fromisoformat(time).timestamp() if time else now
        uuid = UUID(event["uuid"]).bytes if "uuid" in event else None
        told = [words[event[what]] if what in event else None for what in ("type", "action", "state")]
        parents = lists[tuple(resources[uri] for uri in event["parents"])] if event["parents"] else None
        more = {key: event[key] for key in event.keys() - KNOWN}
        extra = json.dumps(more) if more else None
        events.append((round(time * 1e6), uuid, *told, resources[event["resource_uri"]], parents, extra))
    with db:
        db.executemany("INSERT INTO words VALUES (?, ?)", words.take_new())
        db.executemany("INSERT INTO resources VALUES (?, ?)", resources.take_new())
        members = ((number, place, one) for number, key in lists.take_new() for place, one in enumerate(key))
        db.executemany("INSERT INTO members VALUES (?, ?, ?)", members)
        db.executemany("INSERT OR IGNORE INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", events)
