"""The ways to a Docker Engine: ssh, TLS, paths and names."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archiver.model import Alive, Condition
from archiver.platforms.docker.endpoint import resolve
from archiver.platforms.docker.http import Api, Connection, Limits, Way
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.source import DockerSource

from ..fake_engine import FakeEngine, message
from .docker_items import QUICK, conditions, count, raw, watch
from .test_ingest import wait_until


@pytest.mark.parametrize(
    ("far", "words"),
    [
        ("far.example", ["docker", "system", "dial-stdio"]),
        ("far.example/run/d.sock", ["docker", "-H", "unix:///run/d.sock", "system", "dial-stdio"]),
    ],
)
def test_ssh_runs_the_docker_command_of_the_other_side(
    engine: FakeEngine, url: str, tmp_path: Path, far: str, words: list[str]
) -> None:
    """A program called ssh that checks how it is called, and joins its input and output to the socket."""
    program = tmp_path / "ssh"
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, socket, sys, threading\n"
        f"assert sys.argv[sys.argv.index('--'):] == ['--', 'far.example', *{words!r}], sys.argv\n"
        "assert sys.argv[sys.argv.index('-l') + 1] == 'ops'\n"
        "assert not [name for name in os.environ if name.startswith(('ARCHIVER_', 'TUTUM_'))]\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({url.removeprefix('unix://')!r})\n"
        "def out():\n"
        "    while data := s.recv(65536): os.write(1, data)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=out, daemon=True).start()\n"
        "while data := os.read(0, 65536): s.sendall(data)\n"
    )
    program.chmod(0o755)
    engine.tell(message(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        patch.setenv("ARCHIVER_TOKEN", "bob:s3cret")
        patch.setenv("TUTUM_APIKEY", "s3cret")
        source = DockerSource(f"ssh://ops@{far}", pace=DockerPace(alive_every=0.1))
        got = watch(source, count(Alive, 1))

    assert raw(got) == [message(1)]
    assert source.stream == f"ssh://ops@{far}"


def test_what_ssh_says_is_why_the_stream_cannot_be_reached(tmp_path: Path) -> None:
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\nprintf 'Permission denied \\033[31m(publickey).\\n' >&2\nexit 255\n")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        got = watch(DockerSource("ssh://far.example", pace=QUICK), count(Condition, 1))

    assert conditions(got, "trouble") == [r"closed by the engine; ssh said: Permission denied \x1b[31m(publickey)."]


def test_the_path_of_a_tcp_url_stands_before_every_path_that_is_asked(engine: FakeEngine) -> None:
    engine.tell(message(1))
    with engine.on_tcp() as url:
        stop = threading.Event()
        items = DockerSource(f"{url}/engines/b", pace=QUICK).items(stop)
        next(items)
        stop.set()

    assert engine.asked
    assert all(path.startswith("/engines/b/") for path in engine.asked)


def test_http_is_another_way_to_write_tcp(engine: FakeEngine) -> None:
    engine.tell(message(1))
    with engine.on_tcp() as url:
        http = url.replace("tcp:", "http:")
        source = DockerSource(http, environ={}, pace=QUICK)
        got = watch(source, count(Alive, 1))

    assert source.stream == http
    assert raw(got) == [message(1)]
    assert set(engine.hosts) == {http.removeprefix("http://")}


def test_requests_name_the_host_of_the_url(engine: FakeEngine) -> None:
    with engine.on_tcp() as url:
        watch(DockerSource(url, pace=QUICK), count(Alive, 1))

    assert set(engine.hosts) == {url.removeprefix("tcp://")}


def test_a_redirect_is_told_and_not_followed(engine: FakeEngine, url: str) -> None:
    engine.forbidden["events"] = 301
    engine.headers["Location"] = "http://elsewhere.example/"

    got = watch(DockerSource(url, pace=QUICK), count(Condition, 1))

    assert "301 (it points to http://elsewhere.example/, which is not followed)" in str(conditions(got, "trouble"))
    assert set(engine.asked) == {"/events?since=0"}


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """An authority, and a certificate for localhost that serves both sides."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificates of this test")
    folder = tmp_path / "certificates"
    folder.mkdir()
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    options = ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *options], cwd=folder, check=True, capture_output=True)
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    return folder


@pytest.mark.parametrize("secure", [False, True])
def test_a_question_over_a_connection_that_the_engine_has_dropped_is_asked_again(
    engine: FakeEngine, certificates: Path, secure: bool
) -> None:
    context = None
    if secure:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)} if secure else {}
    engine.drops_connections = True
    with engine.on_tcp(context) as url:
        connection = Connection(resolve(url, environ), 5)
        api = Api(connection.endpoint, Way(), 5, Limits())
        api._connection = connection  # noqa: SLF001 - to see when the engine has gone
        answers = []
        for _ in range(3):
            answers.append(api.get("/_ping", 5).value)
            wait_until(connection.waits)  # the end has come: what is written next goes nowhere
        api.close()

    assert answers == ["OK"] * 3


@pytest.mark.parametrize("scheme", ["tcp", "https"])
def test_tls_shows_and_checks_certificates(engine: FakeEngine, certificates: Path, scheme: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    engine.tell(message(1))
    environ = {"DOCKER_TLS_VERIFY": "1" if scheme == "tcp" else "", "DOCKER_CERT_PATH": str(certificates)}
    with engine.on_tcp(context) as url:
        url = url.replace("tcp:", f"{scheme}:")
        got = watch(DockerSource(url, environ=environ, pace=QUICK), lambda got: count(Alive, 1)(got))

    assert raw(got) == [message(1)]
