"""Variables of the environment that are called nearly as those that are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archiver
from archiver.config.misnamed import READ, misnamed

from ..conftest import RunArchiver

HOUSE = Path(archiver.__file__).parent


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ARCHIVER_DATABASE", "ARCHIVER_DATABASE_URL"),
        ("ARCHIVER_STREAMS", "ARCHIVER_STREAM"),
        ("ARCHIVER_TOKENFILE", "ARCHIVER_TOKEN_FILE"),
    ],
)
def test_a_name_that_is_nearly_read_has_one_that_may_be_meant(name: str, meant: str) -> None:
    assert list(misnamed({name: "x"})) == [(name, meant)]


@pytest.mark.parametrize(
    "name", ["ARCHIVER_PORT", "ARCHIVER_SERVICE_HOST", "ARCHIVER_HOOK_TEXT", "ARCHIVER_HOOK_ON", "DATABASE_URL"]
)
def test_what_an_orchestrator_or_a_hook_sets_means_none_of_ours(name: str) -> None:
    assert list(misnamed({name: "x"})) == []


def test_what_an_orchestrator_says_of_a_service_means_none_of_ours() -> None:
    """As Kubernetes and Docker's links name the services `archiver` and `archiver-database` to whoever runs beside."""
    of = {"PORT": "tcp://10.0.0.9:5432", "NAME": "/web/db", "PORT_5432_TCP": "tcp://10.0.0.9:5432", "URLS": "x",
          "SERVICE_HOST": "10.0.0.9", "SERVICE_PORT": "5432", "PORT_5432_TCP_ADDR": "10.0.0.9"}  # fmt: skip
    assert list(misnamed({f"ARCHIVER_DATABASE_{name}": value for name, value in of.items()})) == []
    assert list(misnamed({f"ARCHIVER_{name}": value for name, value in of.items() if name != "URLS"})) == []
    own = {"ARCHIVER_PORT": "tcp://10.0.0.9:8321", "ARCHIVER_STREAMS": "x", "ARCHIVER_DATABASE_PORT": "5432"}
    assert [name for name, _ in misnamed(own)] == ["ARCHIVER_DATABASE_PORT", "ARCHIVER_STREAMS"]


def test_every_variable_that_is_read_is_known() -> None:
    text = "".join(path.read_text() for path in HOUSE.rglob("*.py") if path.name != "misnamed.py")
    read = {name for name in re.findall(r"\bARCHIVER_[A-Z_]*[A-Z]\b", text) if not name.startswith("ARCHIVER_HOOK_")}
    assert {name.removeprefix("ARCHIVER_") for name in read} | {"HOOK_LIMIT"} == READ


def test_a_question_says_which_variable_is_not_read(run_archiver: RunArchiver, sqlite_url: str) -> None:
    result = run_archiver("--database", sqlite_url, "config", "show", env={"ARCHIVER_DATABASE": "sqlite:///other.db"})
    assert "ARCHIVER_DATABASE is not read; did you mean ARCHIVER_DATABASE_URL?" in result.stderr
