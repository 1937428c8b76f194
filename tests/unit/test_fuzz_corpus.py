"""The inputs that fuzzing kept: what must hold of all bytes holds of these; `make fuzz` looks for others."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_what_must_hold_of_all_bytes_holds_of_the_corpus(target: str) -> None:
    inputs = sorted((CORPUS / target).iterdir())
    assert len(inputs) > 5
    for path in inputs:
        TARGETS[target](path.read_bytes())
