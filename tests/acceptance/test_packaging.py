"""What is published works where nothing but a bare Python is: sdist to wheel to an empty virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipapp
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Building, and installing from the registry, take what the network takes.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built out of the source distribution, as the registry's users get it."""
    target = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(REPOSITORY)]
    built = subprocess.run(build, capture_output=True, encoding="utf-8")
    assert built.returncode == 0, built.stdout + built.stderr
    return next(target.glob("event_archiver-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds event-archiver[demo] and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder)
    # The pip of these tests: to put one into the environment takes longer than what it is to do there.
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    install = [*pip, "install", "--quiet", "--disable-pip-version-check", f"{wheel}[demo]"]
    done = subprocess.run(install, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def archiver(installed: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": f"{installed}{os.pathsep}{os.defpath}", "LC_ALL": "C.UTF-8"}
    command = [str(installed / "archiver"), *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, encoding="utf-8", timeout=120)


def test_the_wheel_holds_the_migrations_and_its_types_and_no_second_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    migrations = REPOSITORY / "migrations"
    wanted = {
        f"archiver/_migrations/{path.relative_to(migrations)}"
        for path in migrations.rglob("*.*")
        if path.suffix != ".pyc"
    }

    assert any("versions/" in path for path in wanted)
    assert wanted | {"archiver/py.typed"} <= set(names)
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"archiver"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_installed_program_migrates_and_shows_the_demo(installed: Path, tmp_path: Path) -> None:
    upgraded = archiver(installed, tmp_path, "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr

    shown = archiver(installed, tmp_path, "demo")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout


def test_out_of_a_zip_file_it_says_what_it_cannot_do(tmp_path: Path) -> None:
    application = tmp_path / "application"
    shutil.copytree(REPOSITORY / "archiver", application / "archiver")
    (application / "__main__.py").write_text("import sys\nfrom archiver.cli import main\nsys.exit(main())\n")
    zipapp.create_archive(application, tmp_path / "archiver.pyz")

    def said(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "archiver.pyz", "--database", "a.db", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert said("db", "upgrade").returncode == 0
    shown = said("db", "sql")

    assert shown.returncode == 78
    assert "archiver.pyz, and cannot show how the tables" in shown.stderr
