"""The settings: flag, else environment, else file, else default, and each knows which of them it was."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from archiver.errors import ConfigurationWrong
from archiver.model import hooks
from archiver.model.hooks import Hook
from archiver.storage.address import is_postgres, libpq_url, shown_url
from archiver.storage.sqlite_url import sqlite_file, sqlite_url

T = TypeVar("T")

LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_AUTH = "header"
DEFAULT_SPOOL_LIMIT = "1 GiB"
DEFAULT_HOOK_LIMIT = 10
MOST_HOOKS = 20
NO_HOME = Path("/nonexistent")
"""The home folder of who has none, as Debian writes it for such users."""
_SIZE = r"(\d{1,15})\s*(?:([kmgt])(i?b?)|b)?"


class Setting(NamedTuple, Generic[T]):
    """A value and where it came from; the value may be a secret and does not show in `repr`."""

    value: T
    origin: str

    def __repr__(self) -> str:
        return f"Setting(origin={self.origin!r})"


class Config(NamedTuple):
    """Everything that can be set."""

    database: Setting[str]
    """The archive: a SQLAlchemy URL of a SQLite file or a URL of libpq, which may hold a password (`shown_url`)."""
    streams: Setting[tuple[str, ...]]
    """The streams to record; a URL may carry credentials, so show it with `shown_stream`."""
    spool: Setting[Path]
    spool_limit: Setting[int]
    """Bytes."""
    api: Setting[str | None]
    """The REST API beside the stream: its URL, or `none`; None: as the stream's URL says."""
    auth: Setting[str]
    """How credentials travel: header, query or query-auth."""
    log_level: Setting[str]
    exit_on_auth_failure: Setting[bool]
    allow_plaintext: Setting[bool]
    metrics: Setting[tuple[str, int] | None]
    """Where numbers for a monitor are served."""
    hooks: Setting[tuple[Hook, ...]]
    """Who is told when something happens; a webhook's URL is a secret, so show it with `Hook.shown`."""
    hook_limit: Setting[int]
    """So many calls of each of them a minute."""
    otlp: Setting[str | None]
    """Where the events are sent as log records: the URL of a server, or `@FILE`; it may hold secrets."""
    otlp_headers: Setting[Mapping[str, str]]
    """What is sent along, which may be secrets."""
    client_cert: Setting[Path | None]
    """The certificate (PEM) that is shown to a server that wants one."""
    client_key: Setting[Path | None]
    """Its key; None: in the certificate's file."""

    def shown(self) -> dict[str, tuple[Any, str]]:
        """Each setting's value, as JSON has it and without secrets, and its origin."""
        settings: dict[str, Setting[Any]] = self._asdict()
        values = {name: setting.value for name, setting in settings.items()}
        values |= {name: str(value) for name, value in values.items() if isinstance(value, Path)}
        values["database"] = shown_url(self.database.value)
        if self.metrics.value is not None:
            host, port = self.metrics.value
            values["metrics"] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        values["hooks"] = tuple(hook.shown for hook in self.hooks.value)
        values["otlp"] = self.otlp.value and hooks.shown_place(self.otlp.value)
        values["otlp_headers"] = tuple(f"{name}=***" for name in self.otlp_headers.value)
        values["streams"] = tuple(shown_stream(url) for url in self.streams.value)
        return {name: (values[name], setting.origin) for name, setting in settings.items()}


def shown_stream(url: str) -> str:
    """A stream's URL without credentials."""
    from archiver.platforms.wire.address import without_credentials  # which a question never needs

    try:
        return without_credentials(url)
    except ValueError:
        return "(not a URL)"


# --- how a raw value becomes a setting's; each raises ValueError with words for the reader --------------------------


def _text(raw: Any) -> str:
    if not isinstance(raw, (str, os.PathLike)):
        raise ValueError(f"it must be a text, not {_kind(raw)}")
    text = str(raw).strip()
    if not text or "\0" in text:
        raise ValueError("it is empty")
    return text


def _texts(raw: Any) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(raw.split())
    if isinstance(raw, (list, tuple)):
        return tuple(_text(item) for item in raw)
    raise ValueError(f"it must be a list of texts, not {_kind(raw)}")


def _flag(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if isinstance(raw, str) and raw.strip().lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("it must be true or false")


def parse_size(raw: Any) -> int:
    """A number of bytes from 1000, 500k, 1GiB or 2GB; only a suffix that ends in a bare B counts in thousands."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        size = raw
    else:
        match = re.fullmatch(_SIZE, _text(raw), re.IGNORECASE)
        if match is None:
            raise ValueError("it must be a number of bytes, such as 500MiB or 2G")
        number, letter, tail = match.groups()
        base = 1000 if (tail or "").lower() == "b" else 1024
        size = int(number) * base ** ("kmgt".index(letter.lower()) + 1 if letter else 0)
    if size <= 0:
        raise ValueError("it must be more than 0 bytes")
    return size


def _api_or_none(raw: Any) -> str | None:
    if raw is None:
        return None
    if "@" in (text := _text(raw)):
        raise ValueError("it holds credentials; those of the stream are used")
    return text


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def choose(raw: Any) -> str:
        if (text := _text(raw).lower()) not in allowed:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return text

    return choose


def _auth(raw: Any) -> str:
    if raw == DEFAULT_AUTH:
        return DEFAULT_AUTH
    from archiver.platforms.wire.address import AUTH_WAYS

    return _one_of(*AUTH_WAYS)(raw)


def _kind(raw: Any) -> str:
    names: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(raw), type(raw).__name__)


def _database_url(raw: Any) -> str:
    """A URL that storage can read, from a URL or a plain path."""
    text = _text(raw)
    if is_postgres(text):
        return libpq_url(text)
    return sqlite_url(str(Path(sqlite_file(text)).absolute()))


def _path(raw: Any, home: Path) -> Path:
    text = _text(raw)
    return (home / text[2:] if text.startswith("~/") else Path(text)).absolute()


def _address(raw: Any) -> tuple[str, int] | None:
    """Host and port: 127.0.0.1:9464, [::1]:9464; without a host, this machine's own address."""
    if raw is None:
        return None
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*)):(\d{1,5})", _text(raw))
    if found is None or int(found[3]) > 65_535:
        raise ValueError("it must be an address and a port, such as 127.0.0.1:9464")
    return found[1] or found[2] or "127.0.0.1", int(found[3])


def _count(raw: Any) -> int:
    """A number of times, at least one."""
    number = int(raw) if isinstance(raw, str) and raw.strip().isdecimal() and len(raw) < 10 else raw
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**9:
        raise ValueError("it must be a number from 1 on")
    return number


def _hooks(raw: Any) -> tuple[Hook, ...]:
    """Hooks from tables that say in `on` when, and in `exec` or `webhook` (a text, or a list of them) who is told."""
    tables = raw if isinstance(raw, (list, tuple)) else [raw]
    found = [hook for table in tables for hook in _hooks_of(table)]
    if len(found) > MOST_HOOKS:
        raise ValueError(f"there are {len(found)}, and {MOST_HOOKS} are the most")
    return tuple(found)


def _hooks_of(table: Any) -> Iterator[Hook]:
    if not isinstance(table, Mapping):
        raise ValueError(f"each must be a table with 'on' and 'exec' or 'webhook', not {_kind(table)}")
    if unknown := sorted(table.keys() - {"on", "exec", "webhook"}):
        raise ValueError(f"{unknown[0]!r} is nothing that a hook has; it has on, exec and webhook")
    wishes = tuple(wish for text in _several(table.get("on", ())) for wish in hooks.wishes(text))
    programs, urls = (_several(table.get(name, ())) for name in ("exec", "webhook"))
    if not wishes:
        raise ValueError("nothing says when somebody is to be told: --on, ARCHIVER_ON, or 'on' in the file")
    if not programs and not urls:
        raise ValueError(f"nobody is to be told of {'|'.join(wish.text for wish in wishes)}: give --exec or --webhook")
    yield from (Hook(wishes, program=hooks.program(text)) for text in programs)
    yield from (Hook(wishes, url=hooks.webhook(text)) for text in urls)


def _several(raw: Any) -> tuple[str, ...]:
    """A text, or a list of them."""
    return tuple(_text(item) for item in ([raw] if isinstance(raw, str) else _texts(raw)))


def _webhook_or_none(raw: Any) -> str | None:
    return None if raw is None else hooks.webhook(_text(raw))


def _headers(raw: Any) -> Mapping[str, str]:
    """Headers of HTTP from a table, or from `name=value,name=value` as OpenTelemetry has it, percent-encoded."""
    if isinstance(raw, str):
        from urllib.parse import unquote

        pairs = [pair.partition("=") for pair in raw.split(",") if pair.strip()]
        raw = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    if not isinstance(raw, Mapping):
        raise ValueError(f"it must be a table of names and values, not {_kind(raw)}")
    for name, value in raw.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", name):
            raise ValueError("a header has no such name")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise ValueError(f"the header {name} has no text in ASCII")
    return dict(raw)


def _path_or_none(raw: Any, home: Path) -> Path | None:
    return None if raw is None else _path(raw, home)


# --- where the values come from ---------------------------------------------------------------------------------------


_HOOK_VARIABLES = {"on": "ARCHIVER_ON", "exec": "ARCHIVER_EXEC", "webhook": "ARCHIVER_WEBHOOK"}


def _parsed(name: str, found: Setting[Any], parse: Callable[[Any], T]) -> Setting[T]:
    try:
        return Setting(parse(found.value), found.origin)
    except ValueError as exc:
        raise ConfigurationWrong(setting=name, reason=str(exc), origin=found.origin) from None


class _Sources:
    """Flags, environment and file, asked in this order."""

    def __init__(self, flags: Mapping[str, Any], environ: Mapping[str, str], home: Path) -> None:
        self.flags = flags
        self.environ = environ
        self.home = home
        self.path = _file_path(environ, home)
        self.file, self.lines = _read_file(self.path) if self.path is not None else ({}, {})
        self.known: set[str] = set()

    def setting(self, name: str, variable: str, parse: Callable[[Any], T], fallback: Setting[Any]) -> Setting[T]:
        """The first value found, parsed; raises ConfigurationWrong naming the setting and its origin."""
        self.known.add(name)
        return _parsed(name, self._found(name, variable) or fallback, parse)

    def hooks(self) -> Setting[tuple[Hook, ...]]:
        """All hooks; three variables of the environment describe one."""
        self.known.add("hooks")
        named = {key: text for key, name in _HOOK_VARIABLES.items() if (text := self.environ.get(name, "").strip())}
        found = Setting[Any]((), "default")
        if self.flags.get("hooks"):
            found = Setting(self.flags["hooks"], "--on")
        elif named:
            found = Setting([named], " and ".join(_HOOK_VARIABLES[key] for key in named))
        elif "hooks" in self.file:
            found = Setting(self.file["hooks"], self._place("hooks"))
        return _parsed("hooks", found, _hooks)

    def _found(self, name: str, variable: str) -> Setting[Any] | None:
        value = self.flags.get(name)
        # A command's switch that was not given is False, its list empty: neither says anything. An empty text is wrong.
        if value is not None and value is not False and value not in ((), []):
            return Setting(value, f"--{name.replace('_', '-')}")
        if text := self.environ.get(variable, "").strip():
            return Setting(text, variable)
        if name in self.file:
            return Setting(self.file[name], self._place(name))
        return None

    def _place(self, name: str) -> str:
        """The configuration's file, and the line of it that sets something."""
        line = self.lines.get(name)
        return f"{self.path}, line {line}" if line is not None else str(self.path)

    def refuse_unknown(self) -> None:
        """Raise ConfigurationWrong when the file holds a key that is no setting."""
        for name in sorted(self.file.keys() - self.known):
            raise ConfigurationWrong(
                setting=f"{name!r}",
                reason=f"there is no such setting; there are {', '.join(sorted(self.known))}",
                origin=self._place(name),
            )


def _file_path(environ: Mapping[str, str], home: Path) -> Path | None:
    """The configuration file: the one named, which must exist, else the first that does."""
    if named := environ.get("ARCHIVER_CONFIG"):
        return Path(named)
    candidates = [
        Path(folder) / "config.toml" for folder in environ.get("CONFIGURATION_DIRECTORY", "").split(":") if folder
    ]
    candidates.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "archiver" / "config.toml")
    # A home folder that one may not look into is somebody else's: HOME was left as it was, by `su` for one.
    return next((path for path in candidates if os.path.isfile(path)), None)


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """What a file sets, and in which line; of a name that is written in quotes or escapes, no line."""
    import tomllib  # most runs have no file

    try:
        text = path.read_bytes().decode("utf-8-sig")  # editors of Windows begin a file with a mark
        lines: dict[str, int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if found := re.match(r"\s*\[?\[?\s*([\w-]+)\s*[].=]", line):
                lines.setdefault(found[1], number)
        return tomllib.loads(text), lines
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        where = re.search(r"\(at [^)]*\)", str(exc))
        reason = f"it is not TOML {where[0] if where else ''}".rstrip()
        raise ConfigurationWrong(setting="the configuration file", reason=reason, origin=str(path)) from None
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise ConfigurationWrong(setting="the configuration file", reason=reason, origin=str(path)) from exc


def _data_folder(environ: Mapping[str, str], home: Path) -> tuple[Path, str]:
    if state := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(state), "default, in STATE_DIRECTORY"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "archiver", "default"


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


def _spool_default(database: str, folder: Path) -> Path:
    if is_postgres(database):
        return folder / "spool.db"
    # Of the archive's own name: what waits for one archive must never end up in another.
    path = Path(sqlite_file(database))
    return path.with_name(f"{path.stem}-spool.db")


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


def load(flags: Mapping[str, Any], environ: Mapping[str, str], home: Path) -> Config:
    """All settings. A flag that is None, an empty list or False counts as not given.

    Raises ConfigurationWrong naming the setting and where its value was found.
    """
    sources = _Sources(flags, environ, home)
    folder, origin = _data_folder(environ, home)
    database = sources.setting(
        "database",
        "ARCHIVER_DATABASE_URL",
        _database_url,
        Setting(str(folder / "archive.db"), origin),
    )
    require_home("database", database)
    spool = Setting(str(_spool_default(database.value, folder)), "default, beside the archive or in the data folder")
    config = Config(
        database=database,
        streams=sources.setting("streams", "ARCHIVER_STREAM", _texts, _old_streams(environ)),
        spool=sources.setting("spool", "ARCHIVER_SPOOL", lambda raw: _path(raw, home), spool),
        spool_limit=sources.setting(
            "spool_limit", "ARCHIVER_SPOOL_LIMIT", parse_size, Setting(DEFAULT_SPOOL_LIMIT, "default")
        ),
        api=sources.setting("api", "ARCHIVER_API", _api_or_none, Setting(None, "default")),
        auth=sources.setting("auth", "ARCHIVER_AUTH", _auth, Setting(DEFAULT_AUTH, "default")),
        log_level=sources.setting("log_level", "ARCHIVER_LOG_LEVEL", _one_of(*LOG_LEVELS), Setting("info", "default")),
        exit_on_auth_failure=sources.setting(
            "exit_on_auth_failure", "ARCHIVER_EXIT_ON_AUTH_FAILURE", _flag, Setting(False, "default")
        ),
        allow_plaintext=sources.setting(
            "allow_plaintext", "ARCHIVER_ALLOW_PLAINTEXT", _flag, Setting(False, "default")
        ),
        metrics=sources.setting("metrics", "ARCHIVER_METRICS", _address, Setting(None, "default")),
        hooks=sources.hooks(),
        hook_limit=sources.setting("hook_limit", "ARCHIVER_HOOK_LIMIT", _count, Setting(DEFAULT_HOOK_LIMIT, "default")),
        otlp=sources.setting("otlp", "ARCHIVER_OTLP", _webhook_or_none, Setting(None, "default")),
        otlp_headers=sources.setting("otlp_headers", "ARCHIVER_OTLP_HEADERS", _headers, Setting({}, "default")),
        client_cert=sources.setting(
            "client_cert", "ARCHIVER_CLIENT_CERT", lambda raw: _path_or_none(raw, home), Setting(None, "default")
        ),
        client_key=sources.setting(
            "client_key", "ARCHIVER_CLIENT_KEY", lambda raw: _path_or_none(raw, home), Setting(None, "default")
        ),
    )
    sources.refuse_unknown()
    return config
