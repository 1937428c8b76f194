"""What lives, and what lived at an instant or within a range: which present rows to look at for it."""

from __future__ import annotations

from archiver.storage.lasting import BEGAN, CLASS, CLASSES, FEW, LIVES, OF_CLASS, lived

LIVING = f"p.{CLASS} = {LIVES} AND p.{BEGAN} < :until"
"""The condition that what a present row `p` is of lives, and was first heard of before `:until`."""
LIVED = f"FROM {CLASSES} l CROSS JOIN present p WHERE {FEW} AND {OF_CLASS}"
LIVED += f" AND p.type_id IN :types AND {lived(':since', ':until')}"
"""The present rows `p` of all of some types that lived from `:since` to `:until` (exclusive), or ended at `:since`.

Who was gone in between, and came back, is among them as well.
"""
