"""Where credentials are found, how they are sent, and that they are never shown."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path

import pytest

from archiver.errors import ConfigurationWrong
from archiver.platforms.tutum.credential_helper import ask_helper
from archiver.platforms.tutum.credentials import Credentials, find_credentials
from archiver.platforms.wire.address import without_credentials

TUTUM = "wss://stream.tutum.co/v1/events"
CLOUD = "wss://ws.cloud.docker.com/api/audit/v1/events"
BASIC = base64.b64encode(b"bob:k3y").decode()


def secret_file(path: Path, text: str, mode: int = 0o600) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    ("environ", "header"),
    [
        ({"ARCHIVER_TOKEN": "bob:k3y"}, f"Basic {BASIC}"),
        ({"ARCHIVER_TOKEN": "k3y", "ARCHIVER_USER": "bob"}, f"Basic {BASIC}"),
        ({"ARCHIVER_TOKEN": "bob:k3y", "ARCHIVER_USER": "bob"}, f"Basic {BASIC}"),
        ({"ARCHIVER_TOKEN": "ApiKey bob:k3y\n"}, "ApiKey bob:k3y"),
        ({"ARCHIVER_TOKEN": f"Basic {BASIC}"}, f"Basic {BASIC}"),
        ({"TUTUM_USER": "bob", "TUTUM_APIKEY": "k3y"}, f"Basic {BASIC}"),
        ({"TUTUM_USER": "bob", "TUTUM_PASS": "k3y"}, f"Basic {BASIC}"),
        ({"TUTUM_AUTH": "ApiKey bob:k3y"}, "ApiKey bob:k3y"),
        ({"DOCKERCLOUD_USER": "bob", "DOCKERCLOUD_APIKEY": "k3y"}, f"Basic {BASIC}"),
        ({"DOCKERCLOUD_USER": "bob", "DOCKERCLOUD_PASS": "k3y"}, f"Basic {BASIC}"),
        ({"DOCKERCLOUD_AUTH": "Bearer x"}, "Bearer x"),
        ({"TUTUM_USER": "eve", "TUTUM_APIKEY": "x", "TUTUM_AUTH": "ApiKey bob:k3y"}, "ApiKey bob:k3y"),
        ({"ARCHIVER_TOKEN": "bob:k3y", "TUTUM_AUTH": "Basic other"}, f"Basic {BASIC}"),
    ],
)
def test_variables_are_found(environ: dict[str, str], header: str, tmp_path: Path) -> None:
    found = find_credentials(environ, tmp_path, TUTUM)
    assert found is not None
    assert found.authorization() == header


def test_nothing_found_is_none(tmp_path: Path) -> None:
    assert find_credentials({"TUTUM_USER": "bob"}, tmp_path, TUTUM) is None


def test_a_token_file_goes_before_a_systemd_credential_and_that_before_variables(tmp_path: Path) -> None:
    environ = {"ARCHIVER_TOKEN": "v:1", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    secret_file(tmp_path / "token", "s:2\n")
    found = find_credentials(environ, tmp_path)
    assert found == Credentials("2", "s")
    environ["ARCHIVER_TOKEN_FILE"] = secret_file(tmp_path / "mine", "f:3\n")
    assert find_credentials(environ, tmp_path) == Credentials("3", "f")


def test_the_empty_systemd_credential_of_who_has_written_none_is_none(tmp_path: Path) -> None:
    secret_file(tmp_path / "token", "\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert find_credentials(environ, tmp_path) is None
    assert find_credentials({**environ, "ARCHIVER_TOKEN": "v:1"}, tmp_path) == Credentials("1", "v")


@pytest.mark.parametrize(
    "text",
    [
        "[auth]\nuser = bob\napikey = k3y\n",
        f"[auth]\nbasic_auth = {BASIC}\n",
        "[auth]\nuser=bob\napikey=k3y",
        '[auth]\nuser = "bob"\napikey = "k3y"  # as go-tutum reads it\n',
        '[Auth]\nUser = "bob"\nApikey = "k3y"\n',
        f'[auth]\nbasic_auth = "{BASIC}"\n',
        "[auth]\nuser = 'bob'\napikey = k3y\n",
    ],
)
def test_the_login_of_the_tutum_client_is_found(text: str, tmp_path: Path) -> None:
    secret_file(tmp_path / ".tutum", text)
    assert find_credentials({}, tmp_path, TUTUM) == Credentials("k3y", "bob")


def test_the_login_of_the_docker_client_is_found_for_docker_cloud_only(tmp_path: Path) -> None:
    login = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": BASIC}}})
    secret_file(tmp_path / ".docker" / "config.json", login)
    assert find_credentials({}, tmp_path, CLOUD) == Credentials("k3y", "bob")
    assert find_credentials({}, tmp_path, "wss://elsewhere.example/v1/events") is None
    assert find_credentials({}, tmp_path, "wss://evil-docker.com/v1/events") is None


def test_the_variables_of_the_platform_itself_go_first(tmp_path: Path) -> None:
    environ = {"TUTUM_AUTH": "Basic tutum", "DOCKERCLOUD_AUTH": "Basic cloud"}
    assert find_credentials(environ, tmp_path, TUTUM) == Credentials("Basic tutum")
    assert find_credentials(environ, tmp_path, CLOUD) == Credentials("Basic cloud")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://x/e?user=bob&token=k%2B3", Credentials("k+3", "bob")),
        ("wss://x/e?type=a&USER=bob&apikey=k", Credentials("k", "bob")),
        ("wss://x/e?auth=Basic%20abc", Credentials("Basic abc")),
        ("wss://bob:k%403@x/e", Credentials("k@3", "bob")),
        ("wss://x/e", None),
    ],
)
def test_a_url_may_carry_credentials(url: str, expected: Credentials | None, tmp_path: Path) -> None:
    assert find_credentials({}, tmp_path, url) == expected


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "wss://bob:k@x:8443/e?user=u&type=a&token=t&object=%2Fapi%2F&Auth=z#f",
            "wss://x:8443/e?type=a&object=%2Fapi%2F",
        ),
        ("wss://x/e?%74oken=secret", "wss://x/e"),
        ("wss://x/v1/events/", "wss://x/v1/events/"),
    ],
)
def test_a_url_is_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize("url", ["wss://x/?user=bob", "wss://bob@x/", "wss://x/?token=t"])
def test_half_a_credential_in_a_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match="without a"):
        find_credentials({}, tmp_path, url)


def test_credentials_do_not_show_in_their_repr() -> None:
    assert "k3y" not in repr(Credentials("k3y", "bob", "ARCHIVER_TOKEN"))


def test_every_form_of_a_credential_is_hidden() -> None:
    credentials = Credentials("k 3/y+", "bob")
    encoded = credentials.authorization().split()[1]
    text = f"k 3/y+ k%203/y%2B k+3%2Fy%2B {encoded} Basic {encoded} Basic%20{encoded}"
    hidden = credentials.hidden_in(text)
    assert set(hidden.split()) <= {"***", "Basic", "Basic%20***"}, hidden


def test_a_header_value_cannot_go_as_user_and_token() -> None:
    with pytest.raises(ConfigurationWrong, match="query-auth"):
        Credentials("Basic abc", origin="here").applied("wss://x/", "query")


@pytest.mark.parametrize("token", ["bob:k\r\nX-Evil: 1", "bob:k\0", "k3y", "bob:", "bob:kéy"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(token: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong) as refused:
        find_credentials({"ARCHIVER_TOKEN": token}, tmp_path)
    assert token not in str(refused.value) + refused.value.next_step
    assert "ARCHIVER_TOKEN" in refused.value.next_step


@pytest.mark.parametrize(
    ("name", "text", "url"),
    [
        (".tutum", "s3cret without a section", TUTUM),
        (".tutum", "[auth]\nbasic_auth = s3cret!!", TUTUM),
        (".docker/config.json", "{s3cret", CLOUD),
        (".docker/config.json", '["s3cret"]', CLOUD),
        (".docker/config.json", '{"auths": {"https://index.docker.io/v1/": {"auth": "s3cret!"}}}', CLOUD),
    ],
)
def test_a_broken_file_is_named_and_not_quoted(name: str, text: str, url: str, tmp_path: Path) -> None:
    path = secret_file(tmp_path / name, text)
    with pytest.raises(ConfigurationWrong) as broken:
        find_credentials({}, tmp_path, url)
    assert path in str(broken.value)
    assert "s3cret" not in str(broken.value)
    assert broken.value.__cause__ is None


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match="nowhere cannot be read: No such file"):
        find_credentials({"ARCHIVER_TOKEN_FILE": str(tmp_path / "nowhere")}, tmp_path)


def test_a_file_others_can_read_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"ARCHIVER_TOKEN_FILE": secret_file(tmp_path / "token", "bob:k3y", 0o644)}
    with caplog.at_level(logging.WARNING):
        find_credentials(environ, tmp_path)
        find_credentials(environ, tmp_path)
    assert len(caplog.records) == 1
    assert "k3y" not in caplog.text


# --- what `docker login` kept -----------------------------------------------------------------------------------------


def docker_config(folder: Path, value: object) -> None:
    secret_file(folder / "config.json", json.dumps(value))


def helper(folder: Path, script: str, name: str = "keys") -> dict[str, str]:
    """The environment in which a helper of this name is found."""
    secret_file(folder / f"docker-credential-{name}", f"#!/bin/sh\n{script}\n", 0o700)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


ANSWERING = r"""read server
[ "$1" = get ] && echo "{\"ServerURL\":\"$server\",\"Username\":\"bob\",\"Secret\":\"k3y\"}"
"""


def test_docker_s_configuration_may_lie_elsewhere(tmp_path: Path) -> None:
    docker_config(tmp_path / "cfg", {"auths": {"https://index.docker.io/v1/": {"auth": BASIC}}})
    assert find_credentials({"DOCKER_CONFIG": str(tmp_path / "cfg")}, tmp_path, CLOUD) == Credentials("k3y", "bob")


@pytest.mark.parametrize(
    "config",
    [
        {"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "keys"},
        {"credHelpers": {"https://index.docker.io/v1/": "keys"}, "credsStore": "other"},
        {"credHelpers": {"index.docker.io": "keys"}},
    ],
)
def test_the_helper_that_keeps_the_login_is_asked(config: object, tmp_path: Path) -> None:
    docker_config(tmp_path / ".docker", config)
    found = find_credentials(helper(tmp_path, ANSWERING), tmp_path, CLOUD)
    assert found == Credentials("k3y", "bob")
    assert found.origin == "docker-credential-keys"


def test_a_helper_sees_none_of_our_own_secrets_and_starts_where_nobody_can_plant_a_file(tmp_path: Path) -> None:
    docker_config(tmp_path / ".docker", {"credsStore": "keys"})
    environ = helper(tmp_path, f"env > {tmp_path}/seen; pwd >> {tmp_path}/seen; {ANSWERING}")
    environ |= {"TUTUM_PASS": "x", "ARCHIVER_CONFIG": "x", "LD_PRELOAD": "", "GNUPGHOME": "/keys"}
    assert find_credentials(environ, tmp_path, CLOUD) is not None
    seen = (tmp_path / "seen").read_text().splitlines()
    names = {line.partition("=")[0] for line in seen[:-1]}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "HOME", "GNUPGHOME"}
    assert seen[-1] == "/"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo s3cret; exit 1", "it ended with code 1"),
        ("echo s3cret", "not the JSON it should be"),
        ("""echo '{"Username":"<token>","Secret":"s3cret"}'""", "a token that only a registry takes"),
        ("""echo '{"Username":"bob"}'""", "not the JSON it should be"),
        ("""echo '{"Username":"bob","Secret":""}'""", "no user and key"),
    ],
)
def test_a_helper_without_a_login_is_named_and_not_quoted(
    script: str, why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    docker_config(tmp_path / ".docker", {"credsStore": "keys"})
    assert find_credentials(helper(tmp_path, script), tmp_path, CLOUD) is None
    assert "docker-credential-keys gave no login" in caplog.text
    assert why in caplog.text
    assert "s3cret" not in caplog.text


def test_a_helper_that_hangs_is_not_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environ = helper(tmp_path, "exec sleep 30")
    assert ask_helper("keys", "https://index.docker.io/v1/", environ, tmp_path, seconds=0.2) is None
    assert "no answer within 0.2 s" in caplog.text


@pytest.mark.parametrize("name", ["missing", "../keys", "/keys", "", "ke ys", "-keys"])
def test_only_a_helper_of_path_is_run(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_config(tmp_path / ".docker", {"credsStore": name})
    helper(tmp_path, ANSWERING, "missing")
    monkeypatch.chdir(tmp_path)
    assert find_credentials({"PATH": f":.:{tmp_path / 'nowhere'}"}, tmp_path, CLOUD) is None
    assert ("gave no login" in caplog.text) == bool(name)


def test_the_key_of_a_whole_header_is_hidden_as_well() -> None:
    header = f"Basic {base64.b64encode(b'bob:key/9f+3==').decode()}"
    for text in ("key/9f+3==", "key%2F9f%2B3%3D%3D", base64.b64encode(b"key/9f+3==").decode()):
        assert Credentials(header).hidden_in(text) == "***", text
    assert Credentials("Basic no+base64").hidden_in("no+base64") == "***"


def test_the_beginning_of_a_secret_at_the_end_of_a_text_is_hidden() -> None:
    credentials = Credentials("0123456789abcdef", "bob")
    assert credentials.hidden_in("the key is 0123456789") == "the key is ***"
    assert credentials.hidden_in(f"you sent {credentials.authorization()[:20]}") == "you sent ***"


def test_the_name_of_a_scheme_at_the_end_of_a_text_is_shown() -> None:
    assert Credentials("0123456789abcdef", "bob").hidden_in("what is wanted is Basic") == "what is wanted is Basic"
