"""Finds the variables of the environment that are called nearly as ours are, and so are read by nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_PREFIX = "ARCHIVER_"
# fmt: off
READ = frozenset((
    "ALLOW_PLAINTEXT", "API", "AUTH", "CLIENT_CERT", "CLIENT_KEY", "CONFIG", "DATABASE_URL", "EXEC",
    "EXIT_ON_AUTH_FAILURE", "HOOK_LIMIT", "LOG_LEVEL", "METRICS", "ON", "OTLP", "OTLP_HEADERS", "PAGER",
    "SIMULATOR_KEY", "SPOOL", "SPOOL_LIMIT", "STREAM", "TOKEN", "TOKEN_FILE", "USER", "WEBHOOK",
))
# fmt: on
"""What is read, behind that prefix."""
_NEAR = 0.75
"""How alike two names are, of 1."""
_ADDRESS = r"\w+_PORT(tcp|udp|sctp)://.*"
"""What an orchestrator (Kubernetes, Docker's links) sets for a service, beside all else that begins as this does."""


def misnamed(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each variable that is not read, in the order of their names, with the one that may be meant."""
    given = {name.removeprefix(_PREFIX): value for name, value in environ.items() if name.startswith(_PREFIX)}
    services = tuple(name.removesuffix("PORT") for name, value in given.items() if re.fullmatch(_ADDRESS, name + value))
    unread = sorted(name for name in given if name not in READ and not name.startswith(services))
    if unread:
        from difflib import get_close_matches  # nearly always there are none

        for name in unread:
            for meant in get_close_matches(name, READ, n=1, cutoff=_NEAR):
                yield _PREFIX + name, _PREFIX + meant
