"""What every test may use: a fresh archive of either database, and the real program as a process."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
from sqlalchemy import make_url

import archiver

from . import memory
from .forked import POSSIBLE, Nursery, running_nursery
from .pgbouncer import NO_PGBOUNCER, PORT, find_pgbouncer, running_pgbouncer
from .pgcluster import NO_BINARIES, find_binaries, running_cluster

TIERS = {
    "unit": "one part by itself, without a database",
    "integration": "parts together with real sockets, files and databases",
    "acceptance": "the real program as a process, as its users start it",
    "migrations": "the schema on its way from one revision to the next",
}
OWN_VARIABLES = ("ARCHIVER_", "TUTUM_", "DOCKERCLOUD_")
TEST_VARIABLES = ("ARCHIVER_TEST_", "ARCHIVER_REQUIRE_")
DATABASES = ["sqlite", "postgresql"]

# The examples are the same in every run, but for `make test-random`. None fails for being slow on a busy machine, and
# all of a test share one archive: each makes names of its own.
patient = hypothesis.settings(
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.register_profile("same", patient, derandomize=True)
hypothesis.settings.register_profile("random", patient, print_blob=True)
hypothesis.settings.load_profile("same")

RunArchiver = Callable[..., subprocess.CompletedProcess[str]]
NewArchive = Callable[[], str]
RunScript = Callable[..., subprocess.CompletedProcess[str]]
SpawnArchiver = Callable[..., subprocess.Popen[str]]

without_postgres = pytest.StashKey[str]()
without_pgbouncer = pytest.StashKey[str]()
without_chromium = pytest.StashKey[str]()


# --- the run as a whole -------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    # Who is started in the background of a script ignores Ctrl-C, and so would all that the tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory.place(Path(tempfile.gettempdir()))))
    for tier, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {meaning}")
    for name in list(os.environ):
        if name.startswith(OWN_VARIABLES) and not name.startswith(TEST_VARIABLES):
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        tier = item.path.relative_to(here).parts[0]
        if tier in TIERS:
            item.add_marker(tier)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if reason := config.stash.get(without_postgres, None):
        terminalreporter.write_line(f"NOTHING WAS TESTED ON POSTGRESQL: {reason}", red=True, bold=True)
    if reason := config.stash.get(without_pgbouncer, None):
        terminalreporter.write_line(f"NOTHING WAS TESTED BEHIND PGBOUNCER: {reason}", red=True, bold=True)
    if reason := config.stash.get(without_chromium, None):
        terminalreporter.write_line(f"NO PAGE WAS LOOKED AT: {reason}", red=True, bold=True)


# --- SQLite ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _a_broken_pipe_is_an_error() -> None:
    """Undoes what the command line asks for where a test calls it in this process: that a closed pipe ends it."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite archive that is only ever copied."""
    path = tmp_path_factory.mktemp("template") / "archive.db"
    _migrate(f"sqlite:///{path}")
    assert not Path(f"{path}-wal").exists(), "the migration left the archive open"
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh migrated archive in a SQLite file of this test."""
    path = tmp_path / "archive.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


class PostgresServer:
    """A server on which the tests make and drop databases."""

    def __init__(self, url: str, admin: Any) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._admin = admin
        # Copied by files, and not page by page through the log, which costs more and leaves out the server's caches.
        self._copying = "STRATEGY FILE_COPY" if admin.info.server_version >= 150000 else ""

    @contextmanager
    def database(self, template: str = "template1", options: str = "") -> Iterator[str]:
        """The URL of a new database, a copy of `template`; dropped at the end, whoever is still connected.

        `options` are more of CREATE DATABASE's.
        """
        name = f"archiver_test_{secrets.token_hex(6)}"
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {self._copying} {options}')
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def copy(self, name: str, kept: str) -> None:
        """Makes another database of one that somebody may be connected to: he is cut off for that while."""
        self._cut_off(name)
        self._admin.execute(f'CREATE DATABASE "{kept}" TEMPLATE "{name}"')
        self._admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def replace(self, name: str, kept: str) -> None:
        """Puts such a copy in the place of the database."""
        self._cut_off(name)
        self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._admin.execute(f'ALTER DATABASE "{kept}" RENAME TO "{name}"')

    def _cut_off(self, name: str) -> None:
        self._admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        ended = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"
        while self._admin.execute(ended, (name,)).fetchall():
            pass

    @contextmanager
    def role(self) -> Iterator[str]:
        """A new role that may log in and nothing else; the databases in which it is given rights end before it."""
        name = f"archiver_test_{secrets.token_hex(6)}"
        self._admin.execute(f"CREATE ROLE {name} LOGIN")
        try:
            yield name
        finally:
            self._admin.execute(f"DROP ROLE {name}")

    def parameters(self) -> dict[str, str]:
        """What libpq needs to reach the server: host, port, user, and a password if there is one."""
        info = self._admin.info
        found = {"host": info.host, "port": str(info.port), "user": info.user}
        return found | ({"password": info.password} if info.password else {})


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The server named by ARCHIVER_TEST_PG_URL, or else one that is started for this run."""
    if configured := os.environ.get("ARCHIVER_TEST_PG_URL"):
        with _connected(configured) as server:
            yield server
        return
    binaries = find_binaries()
    if binaries is None:
        _go_without_postgres(request.config, NO_BINARIES)
    with running_cluster(binaries, within=memory.place(Path("/tmp"))) as url, _connected(url) as server:
        yield server


@contextmanager
def _connected(url: str) -> Iterator[PostgresServer]:
    import psycopg  # only here: the other tests run without the driver

    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as admin:
        yield PostgresServer(url, admin)


def _go_without_postgres(config: pytest.Config, reason: str) -> NoReturn:
    config.stash[without_postgres] = reason
    if os.environ.get("ARCHIVER_REQUIRE_PG") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a migrated database that is only ever copied."""
    with postgres_server.database() as url:
        _migrate(url)
        yield str(make_url(url).database)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A fresh migrated archive in a PostgreSQL database of this test."""
    with postgres_server.database(postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def pgbouncer(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[str]:
    """The folder of a PgBouncer's socket, in front of the tests' server."""
    binary = find_pgbouncer()
    if binary is None:
        request.config.stash[without_pgbouncer] = NO_PGBOUNCER
        if os.environ.get("ARCHIVER_REQUIRE_PGBOUNCER") == "1":
            pytest.fail(NO_PGBOUNCER, pytrace=False)
        pytest.skip(NO_PGBOUNCER)
    with running_pgbouncer(binary, **postgres_server.parameters()) as folder:
        yield folder


@pytest.fixture
def pooled_url(pgbouncer: str, postgres_url: str) -> str:
    """A fresh migrated PostgreSQL archive, reached through PgBouncer in transaction mode."""
    url = make_url(postgres_url)
    return f"postgresql://{url.username}@/{url.database}?host={pgbouncer}&port={PORT}"


# --- either database ------------------------------------------------------------------------------------------------


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated archive, once on each database."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture(scope="module", params=DATABASES)
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewArchive]:
    """Makes fresh migrated archives, once on each database, that tests of one module share: they are only read."""
    with ExitStack() as databases:

        def made() -> str:
            if request.param == "sqlite":
                path = tmp_path_factory.mktemp("shared") / "archive.db"
                shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
                return f"sqlite:///{path}"
            server: PostgresServer = request.getfixturevalue("postgres_server")
            return databases.enter_context(server.database(request.getfixturevalue("postgres_template")))

        yield made


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, once on each kind; the SQLite file is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


def _migrate(url: str) -> None:
    from archiver.storage import migrate

    migrate.create(url)


# --- the real program -----------------------------------------------------------------------------------------------


@pytest.fixture
def program_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has configured nothing, at home in this test's folder."""
    home = tmp_path / "home"
    home.mkdir()
    return _environment(home)


def _environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": os.pathsep.join(
            map(str, (Path(__file__).parent / "watched", Path(archiver.__file__).parents[1]))
        ),
    }


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """A process that has loaded the program, for those who do not look at how it starts."""
    folder = tmp_path_factory.mktemp("n")
    with running_nursery(folder, _environment(folder)) as found:
        yield found


@pytest.fixture
def run_archiver(
    request: pytest.FixtureRequest, program_environment: dict[str, str], tmp_path: Path, start_archiver: RunArchiver
) -> RunArchiver:
    """Run the program to its end: ``run_archiver("history", uri, env={...}, input="...")``; see `forked`."""
    if not POSSIBLE:
        return start_archiver
    nursery: Nursery = request.getfixturevalue("nursery")

    def run(
        *arguments: str,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        environment = {**program_environment, **(env or {})}
        if not nursery.can_run(environment):
            return start_archiver(*arguments, input=input, env=env, timeout=timeout)
        return nursery.run(arguments, environment, tmp_path, input, timeout)

    return run


@pytest.fixture
def run_script(request: pytest.FixtureRequest, program_environment: dict[str, str], tmp_path: Path) -> RunScript:
    """Run Python that uses the library, and may be killed by itself: ``run_script(code, argument)``."""

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        if POSSIBLE:
            nursery: Nursery = request.getfixturevalue("nursery")
            return nursery.run(arguments, program_environment, tmp_path, script=code)
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            command, env=program_environment, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60
        )

    return run


@pytest.fixture
def start_archiver(program_environment: dict[str, str], tmp_path: Path) -> RunArchiver:
    """The same, started as its users start it."""

    def run(
        *arguments: str,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return subprocess.run(
            [sys.executable, "-m", "archiver", *arguments],
            env={**program_environment, **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            **source,
        )

    return run


@pytest.fixture
def spawn_archiver(program_environment: dict[str, str], tmp_path: Path) -> Iterator[SpawnArchiver]:
    """Start the program and go on; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []
    opened = tmp_path / "opened-by-hand"

    def spawn(
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "archiver", *arguments],
            env={**program_environment, "ARCHIVER_TEST_OPENED": str(opened), **(env or {})},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield spawn
    for process in started:
        process.kill()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()
    assert not opened.exists(), opened.read_text()
