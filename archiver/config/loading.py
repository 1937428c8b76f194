"""Brings all settings together, with what each is where nobody says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archiver.config.settings import Config, Setting
from archiver.config.sources import Sources
from archiver.config.values import (
    DEFAULT_AUTH,
    DEFAULT_HOOK_LIMIT,
    DEFAULT_SPOOL_LIMIT,
    LOG_LEVELS,
    address_or_none,
    api_or_none,
    auth_way,
    count_of,
    database_url,
    flag_of,
    headers_of,
    one_of,
    parse_size,
    path_of,
    path_or_none,
    receiver_or_none,
    texts_of,
)
from archiver.errors import ConfigurationWrong
from archiver.storage.database.address import is_postgres
from archiver.storage.database.sqlite_url import sqlite_file

NO_HOME = Path("/nonexistent")
"""The home folder of who has none, as Debian writes it for such users."""


def home_folder() -> Path:
    """The user's home folder; `NO_HOME` when there is none, as for a number without a name in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return NO_HOME


def require_home(name: str, setting: Setting[Any]) -> None:
    """Raises ConfigurationWrong when the default of a setting lies in a home folder that is not there."""
    value = setting.value if isinstance(setting.value, Path) else Path(setting.value.removeprefix("sqlite:///"))
    if setting.origin.startswith("default") and value.is_relative_to(NO_HOME):
        reason = f"its default lies in the home folder, and there is none; give it with --{name}, or set HOME"
        raise ConfigurationWrong(setting=name, reason=reason, origin=setting.origin)


def _data_folder(environ: Mapping[str, str], home: Path) -> tuple[Path, str]:
    if state := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(state), "default, in STATE_DIRECTORY"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "archiver", "default"


def _spool_default(database: str, folder: Path) -> Path:
    if is_postgres(database):
        return folder / "spool.db"
    # Of the archive's own name: what waits for one archive must never end up in another.
    path = Path(sqlite_file(database))
    return path.with_name(f"{path.stem}-spool.db")


def _old_streams(environ: Mapping[str, str]) -> Setting[Any]:
    """The stream the old clients' variables name (python-tutum and python-dockercloud, `events.py`).

    TUTUM_STREAM_URL was the folder of the stream for the Python client, and the whole URL for go-tutum.
    """
    if base := environ.get("TUTUM_STREAM_URL"):
        path = base.partition("?")[0].rstrip("/")
        whole = "?" in base or path.endswith("/events")
        return Setting([base if whole else f"{path}/events"], "TUTUM_STREAM_URL")
    if host := environ.get("TUTUM_STREAM_HOST"):
        return Setting([f"{host.rstrip('/')}/v1/events"], "TUTUM_STREAM_HOST")
    if host := environ.get("DOCKERCLOUD_STREAM_HOST"):
        namespace = environ.get("DOCKERCLOUD_NAMESPACE", "").strip("/")
        folder = f"{namespace}/" if namespace else ""
        return Setting([f"{host.rstrip('/')}/api/audit/v1/{folder}events"], "DOCKERCLOUD_STREAM_HOST")
    return Setting((), "default")


def load(flags: Mapping[str, Any], environ: Mapping[str, str], home: Path) -> Config:
    """All settings. A flag that is None, an empty list or False counts as not given.

    Raises ConfigurationWrong naming the setting and where its value was found.
    """
    sources = Sources(flags, environ, home)
    folder, origin = _data_folder(environ, home)
    database = sources.setting(
        "database",
        "ARCHIVER_DATABASE_URL",
        database_url,
        Setting(str(folder / "archive.db"), origin),
    )
    require_home("database", database)
    spool = Setting(str(_spool_default(database.value, folder)), "default, beside the archive or in the data folder")
    config = Config(
        database=database,
        streams=sources.setting("streams", "ARCHIVER_STREAM", texts_of, _old_streams(environ)),
        spool=sources.setting("spool", "ARCHIVER_SPOOL", lambda raw: path_of(raw, home), spool),
        spool_limit=sources.setting(
            "spool_limit", "ARCHIVER_SPOOL_LIMIT", parse_size, Setting(DEFAULT_SPOOL_LIMIT, "default")
        ),
        api=sources.setting("api", "ARCHIVER_API", api_or_none, Setting(None, "default")),
        auth=sources.setting("auth", "ARCHIVER_AUTH", auth_way, Setting(DEFAULT_AUTH, "default")),
        log_level=sources.setting("log_level", "ARCHIVER_LOG_LEVEL", one_of(*LOG_LEVELS), Setting("info", "default")),
        exit_on_auth_failure=sources.setting(
            "exit_on_auth_failure", "ARCHIVER_EXIT_ON_AUTH_FAILURE", flag_of, Setting(False, "default")
        ),
        allow_plaintext=sources.setting(
            "allow_plaintext", "ARCHIVER_ALLOW_PLAINTEXT", flag_of, Setting(False, "default")
        ),
        metrics=sources.setting("metrics", "ARCHIVER_METRICS", address_or_none, Setting(None, "default")),
        hooks=sources.hooks(),
        hook_limit=sources.setting(
            "hook_limit", "ARCHIVER_HOOK_LIMIT", count_of, Setting(DEFAULT_HOOK_LIMIT, "default")
        ),
        otlp=sources.setting("otlp", "ARCHIVER_OTLP", receiver_or_none, Setting(None, "default")),
        otlp_headers=sources.setting("otlp_headers", "ARCHIVER_OTLP_HEADERS", headers_of, Setting({}, "default")),
        client_cert=sources.setting(
            "client_cert", "ARCHIVER_CLIENT_CERT", lambda raw: path_or_none(raw, home), Setting(None, "default")
        ),
        client_key=sources.setting(
            "client_key", "ARCHIVER_CLIENT_KEY", lambda raw: path_or_none(raw, home), Setting(None, "default")
        ),
    )
    sources.refuse_unknown()
    return config
