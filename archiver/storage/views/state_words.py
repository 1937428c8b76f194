"""The view of the states that were ever told, with what each says of a container."""

from __future__ import annotations

from archiver.storage.causes import ALL_GONE
from archiver.storage.views.causes import among, exit_code, is_down
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of_one
from archiver.storage.views.view import View


def _state_words(say: Idioms) -> str:
    word = "lower(s.text)"
    return f"""
SELECT s.id AS id, s.text AS state, {word} AS word,
  CASE WHEN {kind_of_one(say, "s.text", "'container'")} = 'up' THEN 1 ELSE 0 END AS runs,
  CASE WHEN {is_down(say, word)} THEN 1 ELSE 0 END AS down,
  CASE WHEN {among(word, ALL_GONE)} THEN 1 ELSE 0 END AS gone, {exit_code(word)} AS exit_code
FROM event_states s
"""


state_words = View(
    "state_words",
    "Every state that was ever told, with what it says of a container",
    {
        "id": "Number of the state",
        "state": "The state, as first told",
        "word": "The state in lower case",
        "runs": "1: a container in it runs, as `state_kinds` says; 0: it does not",
        "down": "1: a container in it has stopped, or is gone; 0: it has not",
        "gone": "1: a container in it is no more; 0: it is, or was only stopped",
        "exit_code": "The exit code that it tells, if it does",
    },
    _state_words,
    is_part=True,
)
