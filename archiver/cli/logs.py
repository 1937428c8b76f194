"""Log lines as an operator, journald or a collector wants them: escaped, and without credentials."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable, Mapping

from archiver.cli.escape import escape
from archiver.codec.secrets import blanked_text

# sd-daemon(3): a line that begins with <N> has that syslog priority in the journal.
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _Formatter(logging.Formatter):
    """One line a record (a traceback adds its own), nothing a terminal would act on, no secret."""

    def __init__(self, secrets: Iterable[str], *, journal: bool, as_json: bool) -> None:
        super().__init__()
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._journal = journal
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        text = escape(self._without_secrets(record.getMessage()))
        if record.exc_info:
            # Set in, so that no line of it, whoever wrote the text, can pass for a line of the log.
            trace = self._without_secrets(self.formatException(record.exc_info))
            text = "\n".join([text, *(f"    {escape(line)}" for line in trace.split("\n"))])
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        if self._as_json:
            return json.dumps({"time": moment, "level": record.levelname.lower(), "message": text})
        if self._journal:
            return "\n".join(f"<{_PRIORITIES.get(record.levelno, 6)}>{line}" for line in text.split("\n"))
        return f"{moment} {record.levelname.lower():7} {text}"

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return blanked_text(text)


def set_up(level: str, environ: Mapping[str, str], *, secrets: Iterable[str] = (), as_json: bool = False) -> None:
    """Sends the program's log to standard error, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    journal = "JOURNAL_STREAM" in environ or "INVOCATION_ID" in environ
    handler.setFormatter(_Formatter(secrets, journal=journal, as_json=as_json))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
