"""The published interface for plain SQL: views that are the same on both databases, each column described once."""

from __future__ import annotations

from archiver.storage.views.actions import action_log
from archiver.storage.views.availability import availability_daily, found_of_day, told_of_day
from archiver.storage.views.changes import changes
from archiver.storage.views.coverage import coverage_daily
from archiver.storage.views.deploys import deploys
from archiver.storage.views.engine_actions import engine_actions, index_levels
from archiver.storage.views.events import event_log, event_parents
from archiver.storage.views.flaps import flaps, state_changes
from archiver.storage.views.gaps import gap_log
from archiver.storage.views.grafana import grafana_annotations, grafana_state_timeline
from archiver.storage.views.inventory import inventory
from archiver.storage.views.places import direct_parents, resource_names
from archiver.storage.views.restarts import counted_stops, restarts, told_ends, told_stops
from archiver.storage.views.sessions import session_log
from archiver.storage.views.state_words import state_words
from archiver.storage.views.states import current_states, state_spans
from archiver.storage.views.subtree import subtree
from archiver.storage.views.tags import resource_tags
from archiver.storage.views.unchanged import unchanged
from archiver.storage.views.view import View
from archiver.storage.views.watched import watched_spans
from archiver.storage.views.words import words
from archiver.storage.views.words_under import words_under

__all__ = ["VIEWS", "View"]

VIEWS = (
    event_log,
    event_parents,
    words,
    session_log,
    unchanged,
    resource_names,
    direct_parents,
    state_spans,
    current_states,
    action_log,
    subtree,
    gap_log,
    watched_spans,
    state_words,
    index_levels,
    engine_actions,
    told_ends,
    told_stops,
    counted_stops,
    restarts,
    inventory,
    resource_tags,
    changes,
    deploys,
    state_changes,
    flaps,
    coverage_daily,
    told_of_day,
    found_of_day,
    availability_daily,
    grafana_annotations,
    grafana_state_timeline,
    words_under,
)
"""All views, in an order in which they can be created."""
