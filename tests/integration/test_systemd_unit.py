"""The systemd unit is one that systemd takes, and one that gives little away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "archiver.service"

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments, str(UNIT)], capture_output=True, encoding="utf-8", timeout=60)


def test_systemd_accepts_the_unit() -> None:
    verdict = analyze("verify")
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_the_service_is_exposed_to_no_more_than_it_needs() -> None:
    verdict = analyze("security", "--offline=true", "--threshold=20", "--no-pager")
    assert verdict.returncode == 0, verdict.stdout
