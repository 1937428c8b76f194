"""No credential of a URL or of a header is shown, wherever it stands in a text, and however that is cut."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli import logs, main, pager
from archiver.codec.secrets import blanked, blanked_text
from archiver.platforms.wire.address import to_connect, without_credentials
from archiver.platforms.wire.logtext import plain

SECRET = "cAnArY0123456789"
# What may stand in a secret where a URL or a header holds it: more is not one of them any more.
_SECRETS = st.text("abcXYZ019-_.~+%=*!$", min_size=8, max_size=40).map(lambda rest: SECRET + rest)
PLACES = {
    "user and password": "wss://bob:{}@stream.example/v1/events",
    "a token as the user": "https://{}@registry.example/v2/",
    "a URL taken for a file's name": "there is no file https:/bob:{}@x/a.db",
    "a password of the database": "postgresql://bob:{}@db/archive",
    "a password for ssh": "ssh://ops:{}@lab.example",
    "two addresses in one text": "git+https://a:{}@x/y.git then ftp://bob:{}@z",
    "JSON's escaped slashes": '{{"url":"https:\\/\\/bob:{}@x\\/y"}}',
    "token": "wss://x/v1/events?user=bob&token={}&x=1",
    "auth": "wss://x/v1/events?auth=Basic%20{}",
    "another one's word for it": "https://x/hook?X-Amz-Signature={}",
    "access_token": "https://x/hook?id=7&access_token={}#part",
    "password": "postgresql://h/d?password={}",
    "a header": "Authorization: Basic {}",
    "a header of another scheme": "proxy-authorization: Bearer {}",
    "a bare header": "authorization={}",
    "a header in a dict": "{{'Authorization': u'Basic {}', 'Host': 'x'}}",
    "a header in JSON": '{{"Authorization":"ApiKey {}"}}',
}


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def shows_part(text: str) -> bool:
    return any(SECRET[at : at + 6] in text for at in range(len(SECRET) - 5))


@pytest.mark.parametrize("place", PLACES)
@given(secret=_SECRETS, before=st.text(max_size=60), after=st.text(max_size=20), limit=st.integers(5, 200))
def test_what_is_said_of_a_text_shows_no_secret_in_it(
    place: str, secret: str, before: str, after: str, limit: int
) -> None:
    text = f"{before} {PLACES[place].replace('{}', secret)} {after}"

    assert not shows_part(plain(text, limit))
    assert not shows_part(blanked_text(text))
    assert not shows_part(blanked(text.encode(errors="surrogatepass")).decode(errors="surrogatepass"))


@given(text=st.text().filter(lambda text: not set(text) & set("@=:") and "authorization" not in text.lower()))
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert blanked_text(text) == text


def test_what_is_blanked_already_takes_nothing_else_with_it() -> None:
    text = "HTTP 401 Authorization: ***: why, Authorization: Basic *** and http://***@x/?token=***"
    assert blanked_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "ssh://ops@lab.example",
        "wss://ann@stream.example/v1/events",
        "postgresql://archiver@db/archive",
        "postgresql://bob:***@db/archive",
        "write postgresql://user:password@host/name",
        "http://user:password@proxy.example.org:3128",
        "/data:/backup@night/x",
    ],
)
def test_who_somebody_is_where_that_is_no_secret_and_an_example_are_shown(text: str) -> None:
    assert blanked_text(text) == text


@pytest.mark.parametrize("key", ["526d474c-45cf-4e5b-9768-5a21a9850848", "0a" * 20, "dckr_pat_a1B2-c3", f"{SECRET}:"])
def test_a_key_in_the_place_of_a_streams_user_is_not_shown(key: str) -> None:
    assert blanked_text(f"no wss://{key}@x/v1/events") == "no wss://***@x/v1/events"


@pytest.mark.parametrize(
    "hostile", ["a" * 1_000_000, "a:" * 500_000, "://" * 300_000, "?" + "a-" * 500_000, "authorization: " * 70_000]
)
def test_a_hostile_text_costs_no_more_than_another(hostile: str) -> None:
    assert blanked_text(hostile + "?token=x authorization: y").endswith(" ***")  # it took minutes, once


@pytest.mark.parametrize("name", ["access_token", "api_key", "X-Amz-Signature", "passwd", "client_secret"])
def test_a_stream_is_called_by_its_url_without_secrets_of_any_name(name: str) -> None:
    url = f"wss://stream.example/v1/events?type=stack&{name}={SECRET}"
    assert without_credentials(url) == "wss://stream.example/v1/events?type=stack"
    assert to_connect(url) == url


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("journal", "as_json"), [(False, False), (True, False), (False, True)])
def test_no_log_line_and_no_traceback_shows_one(
    place: str, journal: bool, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("debug", {"INVOCATION_ID": "1"} if journal else {}, as_json=as_json)
    text = PLACES[place].replace("{}", SECRET)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("archiver.test").exception("told: %s", text)

    said = capsys.readouterr().err
    assert "told: " in said
    assert not shows_part(said)


_STREAM = f"wss://bob:{SECRET}@stream.example/v1/events?token={SECRET}"
_ARCHIVE = f"postgresql://bob:{SECRET}@127.0.0.1:1/archive"
WRONG_CALLS = {
    "a URL where none belongs": ("status", _ARCHIVE),
    "a URL as a number": ("events", "-n", _STREAM),
    "a URL as a command": (_STREAM,),
    "a URL as a time": ("events", "--since", _STREAM),
    "a URL as a reference": ("--database", "{archive}", "history", _STREAM),
    "an archive that is not there": ("--database", _ARCHIVE, "status"),
    "an archive of another kind": ("--database", f"mysql://bob:{SECRET}@x/y", "status"),
    "an archive in a traceback": ("--debug", "--database", _ARCHIVE, "status"),
    "a key in place of a URL": ("run", "--stream", SECRET),
    "a login in place of a URL": ("run", "--stream", f"bob:{SECRET}"),
    "a stream of no kind": ("run", "--stream", f"amqp://bob:{SECRET}@x/y"),
    "a stream with a port that is none": ("run", "--stream", f"wss://bob:{SECRET}/x@stream.example/"),
    "an engine with a password": ("run", "--stream", f"tcp://bob:{SECRET}@127.0.0.1:2375"),
    "an engine with a query": ("run", "--stream", f"tcp://127.0.0.1:2375?token={SECRET}"),
    "a context that is a URL": ("run", "--stream", f"docker://bob:{SECRET}@127.0.0.1"),
    "a stream without TLS": ("run", "--stream", f"ws://bob:{SECRET}@stream.example/v1/events"),
    "a recording of a stream": ("import", "--stream", f"wss://[bob:{SECRET}@x/", "-"),
    "a file that is a URL": ("import", _STREAM),
    "a copy that is a URL": ("db", "backup", _STREAM),
    "a copy that is read from a URL": ("db", "restore", _STREAM),
}


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ARCHIVER_DATABASE_URL", f"{tmp_path}/a.db")
    monkeypatch.chdir(str(tmp_path))


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("case", WRONG_CALLS)
def test_no_error_repeats_the_secret_of_a_wrong_call(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WRONG_CALLS[case]]) not in (0, 141)

    said = capsys.readouterr()
    assert said.err
    assert not shows_part(said.out + said.err)


ENVIRONMENTS = {
    "ARCHIVER_DATABASE_URL": f"postgresql://bob:{SECRET}@[x/archive",
    "ARCHIVER_STREAM": f"wss://bob:{SECRET}@[x/v1/events",
    "ARCHIVER_SPOOL_LIMIT": f"https://bob:{SECRET}@x",
    "ARCHIVER_AUTH": f"https://x?token={SECRET}",
    "ARCHIVER_LOG_LEVEL": f"Authorization: Basic {SECRET}",
    "ARCHIVER_TOKEN": f"{SECRET}\nsecond line",
    "TUTUM_STREAM_URL": f"https://bob:{SECRET}@x/v1/events",
    "DOCKERCLOUD_STREAM_HOST": f"https://bob:{SECRET}@x",
    "DOCKER_HOST": f"tcp://bob:{SECRET}@x:2375",
    "DOCKER_CONTEXT": f"tcp://bob:{SECRET}@x:2375",
    "CONTAINER_HOST": f"tcp://bob:{SECRET}@x:2375",
    "https_proxy": f"socks5://bob:{SECRET}@x:1080",
}


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_error_repeats_the_secret_of_a_wrong_environment(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = {"DOCKER_HOST": "docker://", "DOCKER_CONTEXT": "docker://", "CONTAINER_HOST": "podman://"}
    monkeypatch.setenv(name, ENVIRONMENTS[name])
    stream = [] if "STREAM" in name else ["--stream", streams.get(name, "wss://stream.invalid/v1/events")]

    assert main(["--debug", "run", *stream]) in (2, 78)

    said = capsys.readouterr()
    assert said.err
    assert not shows_part(said.out + said.err)


FILES = {
    "config.toml, no TOML": (".config/archiver/config.toml", f'database = "postgresql://b:{SECRET}@x/y'),
    "config.toml, no setting": (".config/archiver/config.toml", f'tokne = "{SECRET}"'),
    "config.toml, no stream": (".config/archiver/config.toml", f'streams = ["https://bob:{SECRET}@x/"]'),
    "the file of a token": ("token", f"{SECRET} {SECRET}\n{SECRET}"),
    ".tutum, neither INI nor TOML": (".tutum", f"[auth\nuser = bob\napikey = {SECRET}"),
    ".tutum, no Base64": (".tutum", f"[auth]\nbasic_auth = {SECRET}#"),
    "Docker's, no JSON": (".docker/config.json", f'{{"auths": {{"{quote(SECRET)}": '),
    "Docker's, no Base64": (
        ".docker/config.json",
        json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": f"{SECRET}#"}}}),
    ),
}


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("case", FILES)
def test_no_error_repeats_the_secret_of_a_file(
    case: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    name, content = FILES[case]
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text(content)
    (home / name).chmod(0o600)
    if name == "token":
        monkeypatch.setenv("ARCHIVER_TOKEN_FILE", str(home / name))
    platform = "ws.cloud.docker.com/api/audit/v1/events" if "docker" in name else "stream.tutum.invalid/v1/events"
    stream = [] if "no stream" in case else ["--stream", f"wss://{platform}"]

    assert main(["--debug", "run", *stream]) == 78

    assert not shows_part(capsys.readouterr().err)


def test_a_pager_is_given_none_of_our_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARCHIVER_TOKEN", "TUTUM_APIKEY", "DOCKERCLOUD_PASS", "PGPASSWORD"):
        monkeypatch.setenv(name, "canary-0123456789")
    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGPIPE)]
    try:
        with pager.started(f"env > {tmp_path / 'given'}") as shown:
            shown.communicate("")
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    given = (tmp_path / "given").read_text()
    assert "LESS=FRX" in given
    assert "canary" not in given


@pytest.mark.parametrize("name", ["pass", "sig", "jwt", "access_token", "password", "X-Amz-Signature"])
def test_a_parameter_that_holds_a_secret_is_known_by_its_name(name: str) -> None:
    assert (
        blanked(f"wss://x/e?{name}=hunter2&type=container".encode()) == f"wss://x/e?{name}=***&type=container".encode()
    )
