"""The systemd unit is one that systemd takes, and one that gives little away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = [DEPLOY / "archiver.service", DEPLOY / "archiver@.service"]

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def analyze(unit: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments, str(unit)], capture_output=True, encoding="utf-8", timeout=60)


@pytest.fixture(params=UNITS, ids=["unit", "template"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit; of the template an instance."""
    source: Path = request.param
    return Path(shutil.copy(source, tmp_path / source.name.replace("@", "@shop")))


def test_systemd_accepts_the_unit(unit: Path) -> None:
    verdict = analyze(unit, "verify")
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_the_service_is_exposed_to_no_more_than_it_needs(unit: Path) -> None:
    verdict = analyze(unit, "security", "--offline=true", "--threshold=15", "--no-pager")
    assert verdict.returncode == 0, verdict.stdout


def settings(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_the_template_is_the_unit_with_files_and_folders_of_each_instance() -> None:
    unit, template = map(settings, UNITS)
    assert len(unit) == len(template)
    for line, other in zip(unit, template, strict=True):
        own = line.replace("/etc/archiver/", "/etc/archiver/%i.") if "/etc/archiver/" in line else line
        if line.startswith(("StateDirectory=", "ConfigurationDirectory=", "SyslogIdentifier=")):
            own = f"{line}-%i"
        if line.startswith("Description="):
            own = f"{line} (%i)"
        assert other == own
