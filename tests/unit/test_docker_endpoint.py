"""Where the docker command would find its engine."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.errors import ConfigurationWrong
from archiver.platforms.docker.endpoint import DEFAULT, resolve
from archiver.platforms.docker.lines import ssh_command


def context(home: Path, name: str, host: str) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker" / "contexts" / "meta" / digest
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    context(tmp_path, "lab", "ssh://ops@lab.example:2222")
    context(tmp_path, "here", "unix:///run/user/1000/docker.sock")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "here"}')
    return tmp_path


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        ("docker://", {}, "unix:///run/user/1000/docker.sock"),
        ("docker://", {"DOCKER_CONTEXT": "lab"}, "ssh://ops@lab.example:2222"),
        ("docker://", {"DOCKER_CONTEXT": "default"}, DEFAULT),
        ("docker://", {"DOCKER_CONTEXT": "lab", "DOCKER_HOST": "tcp://10.0.0.1:2375"}, "tcp://10.0.0.1:2375"),
        ("docker://lab", {"DOCKER_HOST": "tcp://10.0.0.1:2375"}, "ssh://ops@lab.example:2222"),
        ("unix:///run/d.sock", {"DOCKER_HOST": "tcp://10.0.0.1:2375"}, "unix:///run/d.sock"),
        ("tcp://[::1]:2375", {}, "tcp://[::1]:2375"),
        ("tcp://10.0.0.1:2375/", {}, "tcp://10.0.0.1:2375"),
        ("tcp://10.0.0.1:2375/engines/b", {}, "tcp://10.0.0.1:2375/engines/b"),
        ("ssh://lab.example/run/d.sock", {}, "ssh://lab.example/run/d.sock"),
        ("http://10.0.0.1:2375/", {}, "http://10.0.0.1:2375"),
        ("https://lab.example/engines/b", {}, "https://lab.example/engines/b"),
        ("docker://", {"DOCKER_HOST": "https://lab.example"}, "https://lab.example"),
    ],
)
def test_the_engine_is_found_as_the_docker_command_finds_it(
    home: Path, url: str, environ: dict[str, str], found: str
) -> None:
    assert resolve(url, {"HOME": str(home), **environ}).url == found


def test_without_any_configuration_it_is_the_local_socket(tmp_path: Path) -> None:
    assert resolve("docker://", {"HOME": str(tmp_path)}).url == DEFAULT


@pytest.mark.parametrize(
    "url", ["ssh://ops:hidden@lab.example", "ssh://ops:hidden/rest@lab.example", "tcp://:hidden@h", "tcp://h?x=hidden"]
)
def test_a_password_in_an_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationWrong) as caught:
        resolve(url, {})

    assert "hidden" not in f"{caught.value} {caught.value.next_step} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("variable", "mode"), [("DOCKER_TLS_VERIFY", ssl.CERT_REQUIRED), ("DOCKER_TLS", ssl.CERT_NONE)]
)
def test_tls_follows_the_variables_of_the_docker_command(tmp_path: Path, variable: str, mode: ssl.VerifyMode) -> None:
    endpoint = resolve("tcp://lab.example:2376", {variable: "1", "HOME": str(tmp_path)})

    assert endpoint.tls is not None
    assert endpoint.tls.verify_mode is mode


@pytest.mark.parametrize(
    "url",
    [
        "unix://",
        "tcp://",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "tcp://host:port",
        "tcp://user@host",
        "tcp://host?x=1",
        "ssh://host#x",
        "ssh://%2DoProxyCommand=x@host",
        "unix://var/run/docker.sock",
        "unix:///run/d.sock?x",
        "ftp://host",
        "docker://nowhere",
        "http://user@host",
        "https://host?x=1",
        "https://stream.example/v1/events",
        "tcp://host:2375/events/",
        "http://",
    ],
)
def test_an_url_that_leads_nowhere_is_wrong(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationWrong):
        resolve(url, {"HOME": str(tmp_path)})


def test_https_is_tls_and_http_is_not(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}

    assert resolve("http://lab.example", home).tls is None
    checked = resolve("https://lab.example", home).tls
    assert checked is not None
    assert checked.verify_mode is ssl.CERT_REQUIRED
    unchecked = resolve("https://lab.example", home | {"DOCKER_TLS": "1"}).tls
    assert unchecked is not None
    assert unchecked.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("variable", ["DOCKER_TLS_VERIFY", "DOCKER_TLS"])
def test_what_is_written_as_in_the_clear_and_wanted_by_tls_is_wrong(variable: str) -> None:
    with pytest.raises(ConfigurationWrong, match="in the clear"):
        resolve("http://lab.example:2376", {variable: "1"})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://lab.example", ("lab.example", 80)),
        ("https://lab.example/b", ("lab.example", 443)),
        ("http://lab.example:2375", ("lab.example", 2375)),
        ("tcp://lab.example", ("lab.example", 2375)),
    ],
)
def test_a_port_that_is_not_named_is_that_of_the_scheme(tmp_path: Path, url: str, host: tuple[str, int]) -> None:
    assert resolve(url, {"HOME": str(tmp_path)}).host == host


def test_certificates_that_cannot_be_read_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")

    with pytest.raises(ConfigurationWrong, match="certificates"):
        resolve("tcp://h", {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)})


def test_a_path_behind_ssh_is_no_word_of_the_shell_there() -> None:
    command = ssh_command(resolve("ssh://lab.example/run/a';reboot;'.sock", {}).parts, 10)

    assert command[-4:-2] == ["-H", """'unix:///run/a'"'"';reboot;'"'"'.sock'"""]


# --- Podman -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rootless(tmp_path: Path) -> Iterator[Path]:
    """The folder of a user whose Podman listens."""
    (tmp_path / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "podman" / "podman.sock"))
        yield tmp_path


def test_podman_is_found_as_its_command_finds_it(rootless: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(rootless)}
    told = environ | {"CONTAINER_HOST": "ssh://core@lab.example:2222/run/user/1000/podman/podman.sock"}

    assert resolve("podman://", told).url == told["CONTAINER_HOST"]
    if not Path("/run/podman/podman.sock").is_socket():
        assert resolve("podman://", environ).url == f"unix://{rootless}/podman/podman.sock"


def test_podman_is_looked_for_where_it_would_be_when_it_is_not_there(tmp_path: Path) -> None:
    found = resolve("podman://", {"XDG_RUNTIME_DIR": str(tmp_path)}).url

    assert found in (f"unix://{tmp_path}/podman/podman.sock", "unix:///run/podman/podman.sock")


@pytest.mark.skipif(Path(DEFAULT.removeprefix("unix://")).exists(), reason="a Docker Engine is there")
def test_where_only_podman_listens_it_is_the_local_engine(rootless: Path, tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(rootless), "HOME": str(tmp_path)}

    assert resolve("docker://", environ).url.endswith("/podman/podman.sock")
    assert resolve("docker://", {**environ, "DOCKER_CONTEXT": "default"}).url == DEFAULT


def test_podman_has_no_contexts() -> None:
    with pytest.raises(ConfigurationWrong, match="names no connection"):
        resolve("podman://machine", {})


def test_the_own_command_joins_a_socket_of_podman_behind_ssh() -> None:
    command = ssh_command(resolve("ssh://core@lab.example/run/user/1000/podman/podman.sock", {}).parts, 10)

    assert command[-5:] == ["podman", "--url", "unix:///run/user/1000/podman/podman.sock", "system", "dial-stdio"]
