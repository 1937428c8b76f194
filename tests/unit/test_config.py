"""The settings and where they come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.config.loading import NO_HOME, home_folder, load
from archiver.config.settings import Config
from archiver.errors import ConfigurationWrong
from archiver.platforms.docker.endpoint import resolve


def loaded(tmp_path: Path, environ: dict[str, str] | None = None, file: str | None = None, **flags: object) -> Config:
    environ = dict(environ or {})
    if file is not None:
        (tmp_path / "config.toml").write_text(file)
        environ["CONFIGURATION_DIRECTORY"] = str(tmp_path)
    return load(flags, environ, tmp_path)


def test_flag_goes_before_environment_before_file_before_default(tmp_path: Path) -> None:
    environ, file = {"ARCHIVER_LOG_LEVEL": "warning"}, 'log_level = "error"'
    settings = [
        loaded(tmp_path, environ, file, log_level="debug"),
        loaded(tmp_path, environ, file),
        loaded(tmp_path, None, file),
        loaded(tmp_path, {}),
    ]
    assert [config.log_level.value for config in settings] == ["debug", "warning", "error", "info"]
    origins = [config.log_level.origin for config in settings]
    assert origins == ["--log-level", "ARCHIVER_LOG_LEVEL", f"{tmp_path / 'config.toml'}, line 1", "default"]


def test_a_flag_that_was_not_given_says_nothing(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, {"ARCHIVER_ALLOW_PLAINTEXT": "yes", "ARCHIVER_STREAM": "wss://a"}, allow_plaintext=False, streams=[]
    )
    assert config.allow_plaintext.value
    assert config.streams.value == ("wss://a",)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("/var/lib/a.db", "sqlite:////var/lib/a.db"),
        ("sqlite:////var/lib/a.db", "sqlite:////var/lib/a.db"),
        ("/var/lib/%41?.db", "sqlite:////var/lib/%2541%3F.db"),
        ("sqlite:////var/lib/%41.db", "sqlite:////var/lib/A.db"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql://u@h/d?sslmode=verify-full", "postgresql://u@h/d?sslmode=verify-full"),
        ("postgresql+psycopg:///d", "postgresql:///d"),
    ],
)
def test_a_database_is_a_path_or_a_url(given: str, url: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, {"ARCHIVER_DATABASE_URL": given}).database.value == url


@pytest.mark.parametrize("given", ["~/a.db", "sqlite:///~/a.db"])
def test_a_path_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert loaded(tmp_path, database=given).database.value == f"sqlite:///{tmp_path}/a.db"


@pytest.mark.parametrize("name", ["database", "spool"])
def test_an_empty_text_is_refused_and_not_taken_for_the_default(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationWrong, match=f"{name} is wrong: it is empty"):
        loaded(tmp_path, **{name: ""})


def test_a_user_whom_nobody_knows_has_no_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    assert home_folder() != NO_HOME

    monkeypatch.setattr(os, "getuid", lambda: 54321)  # a number without a name, as in containers
    assert home_folder() == NO_HOME
    assert resolve("docker://", {}).url


def test_who_has_no_home_folder_must_say_where_the_archive_is() -> None:
    with pytest.raises(ConfigurationWrong, match="give it with --database, or set HOME"):
        load({}, {}, NO_HOME)

    assert load({"database": "/srv/a.db"}, {}, NO_HOME).spool.value == Path("/srv/a-spool.db")
    assert load({}, {"STATE_DIRECTORY": "/state"}, NO_HOME).database.value == "sqlite:////state/archive.db"


def test_the_archive_and_the_spool_live_in_the_state_folder_else_in_the_data_folder(tmp_path: Path) -> None:
    config = loaded(tmp_path, {"STATE_DIRECTORY": "/var/lib/archiver"})
    assert config.database.value == "sqlite:////var/lib/archiver/archive.db"
    assert config.spool.value == Path("/var/lib/archiver/archive-spool.db")
    config = loaded(tmp_path, {"XDG_DATA_HOME": "/data"})
    assert config.database.value == "sqlite:////data/archiver/archive.db"
    assert loaded(tmp_path).database.value == f"sqlite:///{tmp_path}/.local/share/archiver/archive.db"


def test_the_spool_lies_beside_a_sqlite_archive_and_not_beside_a_postgres_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, database="/srv/x/a.db").spool.value == Path("/srv/x/a-spool.db")
    config = loaded(tmp_path, {"STATE_DIRECTORY": "/state"}, database="postgresql://h/d")
    assert config.spool.value == Path("/state/spool.db")


@pytest.mark.parametrize(
    ("environ", "streams"),
    [
        ({"ARCHIVER_STREAM": " wss://a/x \n wss://b/y "}, ("wss://a/x", "wss://b/y")),
        ({"TUTUM_STREAM_URL": "wss://s/v1/"}, ("wss://s/v1/events",)),
        ({"TUTUM_STREAM_HOST": "wss://s/"}, ("wss://s/v1/events",)),
        ({"DOCKERCLOUD_STREAM_HOST": "wss://c"}, ("wss://c/api/audit/v1/events",)),
        ({"DOCKERCLOUD_STREAM_HOST": "wss://c/", "DOCKERCLOUD_NAMESPACE": "org"}, ("wss://c/api/audit/v1/org/events",)),
        ({"TUTUM_STREAM_URL": "wss://s:443/v1/events"}, ("wss://s:443/v1/events",)),
        ({"TUTUM_STREAM_URL": "wss://s/v1/events/"}, ("wss://s/v1/events/",)),
        ({"TUTUM_STREAM_URL": "wss://s/v1/events?type=stack"}, ("wss://s/v1/events?type=stack",)),
        ({"TUTUM_STREAM_HOST": "wss://s/", "ARCHIVER_STREAM": "wss://a"}, ("wss://a",)),
        ({}, ()),
    ],
)
def test_streams_are_found(environ: dict[str, str], streams: tuple[str, ...], tmp_path: Path) -> None:
    assert loaded(tmp_path, environ).streams.value == streams


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000", 1000),
        ("1k", 1024),
        ("2 MiB", 2 << 20),
        ("500MB", 500_000_000),
        ("1g", 1 << 30),
        ("3TiB", 3 << 40),
        ("7B", 7),
    ],
)
def test_a_size_has_a_suffix(text: str, size: int, tmp_path: Path) -> None:
    assert loaded(tmp_path, {"ARCHIVER_SPOOL_LIMIT": text}).spool_limit.value == size


def test_everything_can_stand_in_the_file(tmp_path: Path) -> None:
    file = """
        database = "postgresql://h/d"
        streams = ["wss://a", "wss://b"]
        spool = "/fast/spool.db"
        spool_limit = 5000
        api = "https://api.example"
        auth = "query-auth"
        log_level = "debug"
        exit_on_auth_failure = true
        allow_plaintext = false
        metrics = "127.0.0.1:9464"
        hooks = [{on = "oom", exec = "mail root"}]
        hook_limit = 3
        otlp = "https://collector.example/"
        otlp_headers = {x-api-key = "s3cret"}
        client_cert = "/etc/archiver/client.pem"
        client_key = "~/client.key"
    """
    config = loaded(tmp_path, None, file)
    assert config.streams.value == ("wss://a", "wss://b")
    assert config.exit_on_auth_failure.value is True
    assert config.client_cert.value == Path("/etc/archiver/client.pem")
    assert config.client_key.value == tmp_path / "client.key"
    lines = [origin.rpartition(", line ") for _, origin in config.shown().values()]
    assert {path for path, _, _ in lines} == {str(tmp_path / "config.toml")}
    assert [int(line) for _, _, line in lines] == sorted({int(line) for _, _, line in lines})


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("stream = 'wss://a'", "'stream'"),
        ("streams = 3", "streams"),
        ("streams = [1]", "streams"),
        ("spool_limit = true", "spool_limit"),
        ("spool_limit = 0", "spool_limit"),
        ("spool_limit = '1 parsec'", "spool_limit"),
        ("allow_plaintext = 1", "allow_plaintext"),
        ("database = 'mysql://h/d'", "database"),
        ("database = ''", "database"),
        ("auth = 'none'", "auth"),
        ("not toml", "the configuration file"),
    ],
)
def test_a_wrong_file_is_refused_by_setting_and_origin(file: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong) as wrong:
        loaded(tmp_path, None, file)
    assert wrong.value.exit_code == 78
    assert str(wrong.value).startswith(f"{named} is wrong")
    assert str(tmp_path / "config.toml") in wrong.value.next_step


def test_a_wrong_setting_of_a_file_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong) as wrong:
        loaded(tmp_path, None, "# spool_limit = 1\n\ndatabase = '/a.db'\n  spool_limit = 'lots'\n")
    assert f"{tmp_path / 'config.toml'}, line 4" in wrong.value.next_step


def test_a_home_folder_of_somebody_else_sets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda _path: (_ for _ in ()).throw(PermissionError))
    assert load({}, {}, tmp_path).database.origin == "default"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbfdatabase = "/a.db"\n')

    assert load({}, {"ARCHIVER_CONFIG": str(path)}, tmp_path).database.value == "sqlite:////a.db"


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong) as wrong:
        loaded(tmp_path, {"ARCHIVER_EXIT_ON_AUTH_FAILURE": "maybe"})
    assert "ARCHIVER_EXIT_ON_AUTH_FAILURE" in wrong.value.next_step


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong):
        loaded(tmp_path, {"ARCHIVER_CONFIG": str(tmp_path / "nowhere.toml")})


def test_the_user_s_own_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "archiver" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("log_level = 'error'")
    assert loaded(tmp_path).log_level.origin == f"{path}, line 1"


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    config = loaded(tmp_path, database="postgresql://u:s3cret@h/d", streams=["wss://x/e?user=u&token=s3cret"])
    assert "s3cret" not in repr(config)
    assert "s3cret" not in str(config.shown())


def test_the_module_costs_little_to_import() -> None:
    dear = {"tomllib", "json", "logging", "ssl", "websocket", "archiver.model.hooks"}
    check = f"import sys, archiver.config.loading; print({dear} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_hooks_come_from_the_command_the_environment_or_the_file(tmp_path: Path) -> None:
    file = """
[[hooks]]
on = "oom|crash"
exec = "/usr/bin/page 'on call'"
webhook = ["https://a.example/T0KEN", "@/etc/hook"]
[[hooks]]
on = ["gap=1m", "state=exited*"]
exec = "mail"
"""
    config = loaded(tmp_path, None, file)
    assert [(hook.on, hook.program, hook.url) for hook in config.hooks.value] == [
        ("oom|crash", ("/usr/bin/page", "on call"), ""),
        ("oom|crash", (), "https://a.example/T0KEN"),
        ("oom|crash", (), "@/etc/hook"),
        ("gap=1m|state=exited*", ("mail",), ""),
    ]
    assert "T0KEN" not in str(config.shown())
    environ = {"ARCHIVER_ON": "reject", "ARCHIVER_EXEC": "mail root"}
    (hook,) = loaded(tmp_path, environ, file).hooks.value
    assert (hook.on, hook.program) == ("reject", ("mail", "root"))
    (hook,) = loaded(tmp_path, environ, file, hooks=[{"on": ["told"], "webhook": ["http://b"]}]).hooks.value
    assert (hook.on, hook.url) == ("told", "http://b")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ARCHIVER_ON": "crashes", "ARCHIVER_EXEC": "a"}, "'crashes' is no condition; there are state=WORD, oom"),
        ({"ARCHIVER_ON": "never-came-back=soon", "ARCHIVER_EXEC": "a"}, "no length of time"),
        ({"ARCHIVER_ON": "state=", "ARCHIVER_EXEC": "a"}, "no condition"),
        ({"ARCHIVER_ON": "oom|", "ARCHIVER_EXEC": "a"}, "no condition"),
        ({"ARCHIVER_ON": "oom"}, "nobody is to be told of oom"),
        ({"ARCHIVER_EXEC": "a"}, "nothing says when"),
        ({"ARCHIVER_ON": "oom", "ARCHIVER_EXEC": "a 'b"}, "no closing quotation"),
        ({"ARCHIVER_ON": "oom", "ARCHIVER_WEBHOOK": "ftp://s3cret@a"}, "begins with https://"),
        ({"ARCHIVER_HOOK_LIMIT": "0"}, "from 1 on"),
    ],
)
def test_a_hook_that_cannot_be_is_refused_with_its_place(tmp_path: Path, environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationWrong, match=said) as raised:
        loaded(tmp_path, environ)
    assert next(iter(environ)) in raised.value.next_step
    assert "s3cret" not in str(raised.value)
