"""The peer: the script one would write oneself. `python script.py events.db < events.jsonl`

Every event once, every list of parents once, and on the disk before the next ones are read.
"""

import json
import sqlite3
import sys
from datetime import UTC, datetime
from itertools import islice

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS resources (id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS members (list INTEGER, place INTEGER, resource INTEGER, PRIMARY KEY (list, place))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, time TEXT NOT NULL, uuid TEXT, type TEXT, action TEXT,
    state TEXT, resource INTEGER, list INTEGER, extra TEXT);
CREATE INDEX IF NOT EXISTS members_by_resource ON members (resource);
CREATE INDEX IF NOT EXISTS events_by_resource ON events (resource, time);
CREATE INDEX IF NOT EXISTS events_by_list ON events (list, time);
CREATE UNIQUE INDEX IF NOT EXISTS events_by_time ON events (time, uuid);
"""
ADD_EVENT = "INSERT OR IGNORE INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)"
KNOWN = {"uuid", "date", "datetime", "type", "action", "state", "resource_uri", "parents"}

db = sqlite3.connect(sys.argv[1])
db.executescript(SCHEMA)
resources = {uri: number for number, uri in db.execute("SELECT id, uri FROM resources")}
listed = "SELECT list, group_concat(resource, ' ') FROM (SELECT * FROM members ORDER BY list, place) GROUP BY list"
lists = {tuple(map(int, members.split())): number for number, members in db.execute(listed)}


def number_of(key, numbers, fresh):
    if key not in numbers:
        numbers[key] = len(numbers) + 1
        fresh.append((numbers[key], key))
    return numbers[key]


while batch := list(islice(sys.stdin, 5000)):
    now, events, new_resources, new_lists = datetime.now(UTC).isoformat(), [], [], []
    for event in map(json.loads, batch):
        parents = tuple(number_of(uri, resources, new_resources) for uri in event["parents"])
        resource = number_of(event["resource_uri"], resources, new_resources)
        parents = number_of(parents, lists, new_lists) if parents else None
        time = event.get("datetime") or event.get("date") or now
        more = {key: event[key] for key in event.keys() - KNOWN}
        told = (time, event.get("uuid"), event["type"], event.get("action"), event.get("state"))
        events.append((*told, resource, parents, json.dumps(more) if more else None))
    with db:
        db.executemany("INSERT INTO resources VALUES (?, ?)", new_resources)
        members = ((number, place, one) for number, parents in new_lists for place, one in enumerate(parents))
        db.executemany("INSERT INTO members VALUES (?, ?, ?)", members)
        db.executemany(ADD_EVENT, events)
