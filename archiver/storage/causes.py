"""How close together things are that belong together when something stops; microseconds, and the states of an end."""

from __future__ import annotations

from archiver.platforms import facts

GRACE = 15_000_000
"""An end follows so soon on the signal that caused it, where nothing else was told: an engine waits for ten seconds."""
TOLD_AFTER = 10_000_000
"""So long after an end an engine may take to tell of the `stop` or `restart` that it belongs to."""
AT_ONCE = 2_000_000
"""A `restart` so close to an end is its cause also where nothing was told of a signal: nobody reacts so fast."""
SLACK = 2_000_000
"""How far dates in whole seconds may put an end beside the action that it is a part of."""
UNFINISHED = facts.LINGERS * 1_000_000
"""For how long an action of which no end was told counts as running."""
OOM_EXPLAINS = 10_000_000
"""An engine tells of an exit within so long of the want of memory that caused it, before it or after."""
SUCCEEDS_BEFORE, SUCCEEDS_AFTER = 600_000_000, 3_600_000_000
"""What takes the place of a container is made so long before its end, or within so long behind it."""
FLAP = 6
"""So many changes of state within ten minutes are a flap: three restarts of a container."""
FLAPS_WITHIN = 600_000_000
"""Those ten minutes, which slide along; as many without a change end a flap."""
KILLED = 137
"""The exit code of what got the signal that cannot be refused."""

STOPPED, ALL_GONE = facts.ENDED, facts.GONE
