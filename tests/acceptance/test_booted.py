"""The unit and its template in a real systemd that is process 1 of a machine of its own; `make booted` asks for it.

The machine is a container (systemd-nspawn) on a copy of this one's files that is written nowhere: root, overlayfs and
systemd-nspawn (Debian: systemd-container) are needed, and a /usr/bin/python3 that this environment's packages fit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAM = """#!/usr/bin/python3
import sys
sys.path[:0] = ["/usr/local/lib/archiver/code", "/usr/local/lib/archiver/packages"]
from archiver.cli import main
sys.exit(main(sys.argv[1:]))
"""
LOOKS = """#!/bin/sh
exec > /results/told 2>&1
say() { echo "== $1"; }
of() { systemctl show "$1" -p ActiveState -p NRestarts -p Result -p ExecMainStatus -p DynamicUser; }
until_is() { for i in $(seq 100); do eval "$1" > /dev/null 2>&1 && return; sleep 0.5; done; echo "in vain: $1"; }
systemctl start simulator.service
systemctl start archiver.service archiver@shop.service
for name in archiver archiver-shop; do
  until_is "archiver status --database /var/lib/$name/archive.db -o json | grep -q '\\"connected\\": true'"
done
say started; of archiver.service; of archiver@shop.service
say status; systemctl show archiver.service -p StatusText
say exposed
systemd-analyze security archiver.service archiver@shop.service --no-pager --threshold=15 > /dev/null; echo $?
say stuck; kill -STOP $(systemctl show archiver.service -p MainPID --value)
systemctl kill -s KILL archiver@shop.service
until_is 'test $(systemctl show archiver.service -p NRestarts --value) -gt 0'
until_is 'test $(systemctl show archiver@shop.service -p NRestarts --value) -gt 0'
until_is 'systemctl is-active archiver.service && systemctl is-active archiver@shop.service'
of archiver.service; of archiver@shop.service
say journal; journalctl --no-pager -o cat -u archiver.service | grep -i watchdog | head -n 1
say stopped; systemctl stop archiver.service archiver@shop.service; of archiver.service; of archiver@shop.service
touch /results/done
systemctl poweroff
"""
UNITS = {
    "simulator.service": "[Service]\nType=simple\nExecStart=/usr/local/bin/archiver simulate --port 8765\n",
    "looks.service": "[Unit]\nAfter=basic.target\n[Service]\nType=oneshot\nExecStart=/usr/local/bin/looks\n",
    "tried.target": "[Unit]\nRequires=basic.target\nWants=looks.service\nAfter=basic.target\n",
    "archiver.service.d/soon.conf": "[Service]\nWatchdogSec=6\n",
}

pytestmark = pytest.mark.skipif("ARCHIVER_TEST_BOOTED" not in os.environ, reason="only `make booted` boots a machine")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A copy of this machine's files, as they are, to be written to."""
    if os.geteuid() != 0 or shutil.which("systemd-nspawn") is None:
        pytest.skip("NOT TESTED: it takes root and systemd-nspawn (apt-get install systemd-container)")
    version = subprocess.run(["/usr/bin/python3", "-V"], capture_output=True, encoding="utf-8").stdout
    if not version.startswith(f"Python {sys.version_info.major}.{sys.version_info.minor}."):
        pytest.skip(f"NOT TESTED: /usr/bin/python3 is {version or 'not there'}")
    with ExitStack() as mounted:

        def mount(*arguments: str) -> None:
            if subprocess.run(["mount", *arguments], capture_output=True).returncode:
                pytest.skip(f"NOT TESTED: this machine does not mount {arguments[-1]}")
            mounted.callback(subprocess.run, ["umount", "-l", arguments[-1]], check=True)

        mount("-t", "tmpfs", "none", str(tmp_path))
        for name in ("over", "work", "root"):
            (tmp_path / name).mkdir()
        layers = f"lowerdir=/,upperdir={tmp_path / 'over'},workdir={tmp_path / 'work'}"
        mount("-t", "overlay", "-o", layers, "overlay", str(tmp_path / "root"))
        yield tmp_path / "root"


def installed(machine: Path) -> None:
    """The units as the documents say, the program, a login, and what looks."""
    files = {f"etc/systemd/system/{name}": text for name, text in UNITS.items()}
    for unit in ("archiver.service", "archiver@.service"):
        files[f"etc/systemd/system/{unit}"] = (DEPLOY / unit).read_text()
    for name in ("", "shop."):
        files[f"etc/archiver/{name}environment"] = "ARCHIVER_STREAM=ws://127.0.0.1:8765/v1/events\n"
        files[f"etc/archiver/{name}token"] = "somebody:a-key"
    files |= {"usr/local/bin/archiver": PROGRAM, "usr/local/bin/looks": LOOKS, "etc/machine-id": ""}
    for name, text in files.items():
        path = machine / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if "/bin/" in name else 0o600 if "token" in name else 0o644)
    code = machine / "usr/local/lib/archiver/code"
    shutil.copytree(ROOT / "archiver", code / "archiver")
    shutil.copytree(ROOT / "migrations", code / "archiver/_migrations")


def test_a_booted_systemd_runs_watches_and_ends_the_unit_and_its_template(machine: Path) -> None:
    installed(machine)
    results = machine.parent / "results"
    results.mkdir()
    packages = machine / "usr/local/lib/archiver/packages"
    packages.mkdir()
    command = [
        "systemd-nspawn",
        "-q",
        "-D",
        str(machine),
        "--boot",
        "--register=no",
        "--keep-unit",
        "--private-network",
    ]
    binds = [
        f"--bind={results}:/results",
        f"--bind-ro={sysconfig.get_path('purelib')}:/usr/local/lib/archiver/packages",
    ]
    run = [*command, *binds, "--console=pipe", "--tmpfs=/tmp", "--", "systemd.unit=tried.target"]
    console = subprocess.run(run, capture_output=True, encoding="utf-8", errors="replace", timeout=280)
    assert (results / "done").exists(), console.stdout + console.stderr
    told = (results / "told").read_text()
    assert "in vain" not in told
    parts = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in told.split("== ")[1:]}
    assert parts["started"].count("ActiveState=active") == parts["started"].count("DynamicUser=yes") == 2
    assert parts["started"].count("NRestarts=0") == 2
    assert "archived" in parts["status"]
    assert parts["exposed"].strip() == "0"
    assert parts["stuck"].count("ActiveState=active") == parts["stuck"].count("NRestarts=1") == 2
    assert "watchdog" in parts["journal"].lower()
    assert parts["stopped"].count("ActiveState=inactive") == parts["stopped"].count("Result=success") == 2
