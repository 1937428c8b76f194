"""What can be set, and each setting's value with where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from archiver.storage.database.address import shown_url

if TYPE_CHECKING:
    from archiver.model.hooks import Hook

T = TypeVar("T")


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
        if self.otlp.value is not None:
            from archiver.model.hooks import shown_place

            values["otlp"] = shown_place(self.otlp.value)
        values["otlp_headers"] = tuple(f"{name}=***" for name in self.otlp_headers.value)
        values["streams"] = tuple(shown_stream(url) for url in self.streams.value)
        return {name: (values[name], setting.origin) for name, setting in settings.items()}


def shown_stream(url: str) -> str:
    """A stream's URL without credentials, but for the user whose key it has."""
    from archiver.platforms.tutum.credentials import stream_name  # which a question never needs

    try:
        return stream_name(url)
    except ValueError:
        return "(not a URL)"
