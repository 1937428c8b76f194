"""Tells systemd how the daemon does (sd_notify(3), a stable protocol: lines of text in a datagram)."""

from __future__ import annotations

import socket
from collections.abc import Mapping


class Notifier:
    """Speaks to the socket that systemd names in NOTIFY_SOCKET; says nothing where there is none."""

    def __init__(self, address: str | None) -> None:
        # A leading @ means a socket in the abstract namespace, whose name begins with NUL.
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._last: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """The notifier for the environment of this process."""
        return cls(environ.get("NOTIFY_SOCKET"))

    def ready(self) -> None:
        """Everything is set up."""
        self._send("READY=1")

    def alive(self, status: str) -> None:
        """The daemon makes progress; `status` is what `systemctl status` shows."""
        line = " ".join(status.split())
        if self._send("WATCHDOG=1" if line == self._last else f"WATCHDOG=1\nSTATUS={line}"):
            self._last = line

    def stopping(self) -> None:
        """The daemon is about to end."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> bool:
        """Never waits and never fails: whoever supervises us may be deaf for a while, recording goes on."""
        if not self._address:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as line:
            try:
                line.sendto(text.encode(errors="backslashreplace"), self._address)
            except OSError:
                return False
        return True
