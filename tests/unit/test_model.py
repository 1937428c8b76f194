"""The names of the model are where they are said to be, though each module is loaded when it is first asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from archiver import model


def test_every_name_is_there_and_no_other() -> None:
    assert sorted(model.__all__) == sorted(model._MODULES)  # noqa: SLF001
    assert all(getattr(model, name) is not None for name in model.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        model.Nothing  # noqa: B018


def test_a_name_loads_what_it_needs() -> None:
    asked = (
        "import sys, archiver.model; archiver.model.iso(0); print(*(name for name in sys.modules if 'model.' in name))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, encoding="utf-8", check=True)

    assert done.stdout.split() == ["archiver.model.moments"]
