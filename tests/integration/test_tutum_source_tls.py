"""The source over TLS: whoever cannot prove who he is gets not one byte of the credentials."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from archiver.errors import ConfigurationWrong
from archiver.model import Closed, Opened
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.source import WebsocketSource
from archiver.platforms.wire.proxy import Proxy
from archiver.platforms.wire.tls import ClientCertificate, secure_context
from tests.integration.hostile import CLOSE, PING, Hostile, Peer, frame
from tests.integration.test_tutum_source import PROMPT, closings, collect, messages, troubles
from tests.integration.test_tutum_source_hostile import HASTY, failures
from tests.integration.test_tutum_source_opening import proxying

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for an IP address or host name."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    kind = "IP" if name[0].isdigit() else "DNS"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-keyout",
        str(key),
        "-out",
        str(cert),
        "-subj",
        f"/CN={name}",
        "-addext",
        f"subjectAltName={kind}:{name}",
    ]
    subprocess.run([*command, "-days", "2"], check=True, capture_output=True)
    return cert, key


AUTHORITY = """
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = IP:127.0.0.1
"""


def expired_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that was good for one day in 2020."""
    (folder / "ca.cnf").write_text(AUTHORITY)
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01")
    key = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    sign = ["ca", "-config", "ca.cnf", "-batch", "-notext", "-selfsign", "-keyfile", "old.key", "-in", "old.csr"]
    for command in (
        [*key, "-keyout", "old.key", "-out", "old.csr", "-subj", "/CN=127.0.0.1"],
        [*sign, "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", "old.pem"],
    ):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return folder / "old.pem", folder / "old.key"


def serving(files: tuple[Path, Path], version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if version is not None:
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def trusting(cert: Path) -> ssl.SSLContext:
    context = secure_context()
    context.load_verify_locations(cert)
    return context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def test_messages_come_over_tls(files: tuple[Path, Path]) -> None:
    big = b"b" * 300_000

    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"first"))
        peer.frame(big)
        peer.frame(b"", CLOSE)
        peer.drain()

    with Hostile(script, Peer.hold, context=serving(files)) as server:
        source = WebsocketSource(server.url, Credentials("k", "u"), retry=PROMPT, context=trusting(files[0]))
        items = collect(source, closings(1))
    assert [m.payload for m in messages(items)] == [b"first", big]
    assert b"Authorization: Basic" in server.requests[0]


def test_an_unknown_signer_is_refused(files: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.read_request(), context=serving(files)) as server:
        assert "certificate is not valid" in failures(server, caplog)
        assert server.requests == []


def test_a_certificate_for_another_host_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = certificate(tmp_path, "elsewhere.example")
    with Hostile(lambda peer: peer.read_request(), context=serving(other)) as server:
        line = failures(server, caplog, context=trusting(other[0]))
        assert "not valid for '127.0.0.1'" in line
        assert server.requests == []


def test_an_expired_certificate_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    expired = expired_certificate(tmp_path)
    with Hostile(lambda peer: peer.read_request(), context=serving(expired)) as server:
        assert "certificate has expired" in failures(server, caplog, context=trusting(expired[0]))
        assert server.requests == []


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated:DeprecationWarning")
def test_an_old_version_of_tls_is_refused(files: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.read_request(), context=serving(files, ssl.TLSVersion.TLSv1_1)) as server:
        assert "TLS failure" in failures(server, caplog, context=trusting(files[0]))
        assert server.requests == []


def test_a_server_without_tls_gets_no_request() -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        heard.append(peer.sock.recv(4096))
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Hostile(script) as server:
        source = WebsocketSource(server.url.replace("ws://", "wss://"), Credentials("c4nary", "bob"))
        (trouble,) = troubles(collect(source, enough=bool))
    assert trouble == "the server speaks no TLS at this port (without TLS it is ws:// or http://)"
    assert b"GET" not in b"".join(heard)


def test_who_hangs_up_in_the_handshake_may_speak_no_tls() -> None:
    with Hostile(lambda peer: peer.sock.recv(4096)) as server:
        source = WebsocketSource(server.url.replace("ws://", "wss://"))
        (trouble,) = troubles(collect(source, enough=bool))
    assert "hung up in the TLS handshake (if it speaks no TLS at this port, it is ws://" in str(trouble)


@pytest.mark.parametrize("says", [b"\x15\x03\x01\x00\x02\x02\x46", b""], ids=["alert", "nothing"])
def test_a_port_that_speaks_tls_is_called_so_to_who_does_not(says: bytes) -> None:
    """OpenSSL hangs up on a request in HTTP without a word, others send an alert."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(says)
        if says:
            peer.hold()

    with Hostile(script) as server:
        (trouble,) = troubles(collect(WebsocketSource(server.url), enough=bool))
    assert "speaks TLS at this port" in str(trouble)
    assert "wss://" in str(trouble)


def test_a_silent_tls_handshake_meets_the_deadline() -> None:
    with Hostile(Peer.hold) as server:
        source = WebsocketSource(server.url.replace("ws://", "wss://"), pace=HASTY)
        assert troubles(collect(source, enough=bool)) == ["not connected after 0.5 s"]


def test_a_redirect_to_another_host_brings_it_no_byte(
    files: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with Hostile(Peer.hold) as other:
        location = f"Location: {other.url}\r\n"
        with Hostile(lambda peer: peer.answer("302 Found", header=location), context=serving(files)) as server:
            assert "HTTP 302 Found" in failures(server, caplog, context=trusting(files[0]))
        assert other.connections == 0


def test_no_environment_variable_logs_the_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = secure_context()
    assert context.keylog_filename is None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_messages_are_taken_from_the_buffer_of_the_tls_layer(files: tuple[Path, Path]) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(frame(b"m") * 5000)
        peer.hold()

    with Hostile(script, context=serving(files)) as server:
        source = WebsocketSource(server.url, context=trusting(files[0]))
        items = collect(source, lambda items: len(messages(items)) == 5000)
    assert len(messages(items)) == 5000


@pytest.mark.parametrize("secure", [False, True])
def test_a_server_that_is_gone_while_it_is_written_to_has_said_what_it_said(
    files: tuple[Path, Path], secure: bool
) -> None:
    """Each pong goes to a socket that nobody reads and that is closed: ECONNRESET, then EPIPE, and no SIGPIPE."""

    def script(peer: Peer) -> None:
        peer.accept(extra=b"".join(frame(b"?", PING) + frame(b"m%d" % number) for number in range(50)))
        socket.socket(fileno=peer.sock.detach()).close()

    with Hostile(script, script, Peer.hold, context=serving(files) if secure else None) as server:
        context = trusting(files[0]) if secure else None
        items = collect(WebsocketSource(server.url, retry=PROMPT, context=context), closings(2))
    assert [m.payload for m in messages(items)] == [b"m%d" % number for number in range(50)] * 2
    assert {item.kind for item in items if isinstance(item, Closed)} == {"lost"}


# --- private authorities, certificates of our own, proxies ------------------------------------------------------------


def test_a_private_authority_is_trusted_when_it_is_named(
    files: tuple[Path, Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Hostile(lambda peer: (peer.accept(), peer.hold()), context=serving(files)) as server:
        assert "when SSL_CERT_FILE names its certificate" in failures(server, caplog)
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        items = collect(WebsocketSource(server.url), lambda items: True)
    assert isinstance(items[0], Opened)


def test_an_authority_that_cannot_be_read_is_told(
    files: tuple[Path, Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0].with_name("nowhere.pem")))
    with Hostile(lambda peer: peer.read_request(), context=serving(files)) as server:
        assert "SSL_CERT_FILE names a file that cannot be read" in failures(server, caplog)


def wanting_certificates(files: tuple[Path, Path]) -> ssl.SSLContext:
    context = serving(files)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(files[0])
    return context


def test_a_certificate_of_our_own_is_shown_to_who_wants_one(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with Hostile(lambda peer: (peer.accept(), peer.hold()), context=wanting_certificates(files)) as server:
        source = WebsocketSource(server.url, certificate=ClientCertificate(*files))
        assert isinstance(collect(source, lambda items: True)[0], Opened)


def test_a_server_that_wants_a_certificate_is_told_of(
    files: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with Hostile(lambda peer: peer.read_request(), context=wanting_certificates(files)) as server:
        assert "the server wants a client certificate: ARCHIVER_CLIENT_CERT" in failures(
            server, caplog, context=trusting(files[0])
        )


def test_a_certificate_that_cannot_be_used_is_refused_at_once(files: tuple[Path, Path], tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    command = ["openssl", "ec", "-in", str(files[1]), "-aes256", "-passout", "pass:s3cret", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    for own, reason in (
        (ClientCertificate(files[0], locked), "its key has a passphrase"),
        (ClientCertificate(tmp_path / "nowhere.pem"), "No such file"),
        (ClientCertificate(files[1], files[1]), "not PEM"),
    ):
        with pytest.raises(ConfigurationWrong, match=reason):
            WebsocketSource("wss://stream.example.org/", certificate=own)


def test_tls_goes_through_a_proxy_to_the_server_itself(files: tuple[Path, Path]) -> None:
    with (
        Hostile(lambda peer: (peer.accept(), peer.hold()), context=serving(files)) as server,
        Hostile(proxying(server.port)) as proxy,
    ):
        source = WebsocketSource(
            server.url, Credentials("k", "u"), context=trusting(files[0]), proxy=Proxy("127.0.0.1", proxy.port)
        )
        collect(source, lambda items: True)
    assert b"Authorization" not in proxy.requests[0]
    assert b"Authorization: Basic" in server.requests[0]
