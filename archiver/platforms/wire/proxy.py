"""The way through an HTTP proxy, as the environment names it and as the old clients took it."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import quote, unquote, urlsplit

from websocket import WebSocketException

from archiver.errors import ConfigurationWrong
from archiver.platforms.wire.answer import read_answer

DEFAULT_PORT = 80
"""websocket-client 1.9, `_http.py`: where the URL of a proxy names no port."""


LOGIN_WANTED = 407


class ProxyRefused(WebSocketException):
    """The proxy does not connect us."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that connects to other hosts (CONNECT, RFC 9110, 9.3.6)."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Its host and port, fit to be shown."""
        return _host_and_port(self.host, self.port)

    def forms(self) -> set[str]:
        """Its password in every form in which it travels, none of which may ever be shown."""
        if not self.password:
            return set()
        return {self.password, quote(self.password), quote(self.password, safe=""), self._basic()}

    def tunnel(self, sock: socket.socket, host: str, port: int) -> None:
        """Make the connection to the proxy one to that host. Raises ProxyRefused, WebSocketException or OSError."""
        target = _host_and_port(host, port)
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if self.user:
            lines.append(f"Proxy-Authorization: Basic {self._basic()}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            answer = read_answer(sock)
        except WebSocketException as exc:
            raise ProxyRefused(f"the proxy {self.name} gave no answer: {exc}") from exc
        if not 200 <= answer.status < 300:
            reason = f"the proxy {self.name} refused: HTTP {answer.status} {answer.phrase}".rstrip()
            raise ProxyRefused(reason, answer.status)
        if answer.rest:
            raise ProxyRefused(f"the proxy {self.name} spoke before the server could")

    def _basic(self) -> str:
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def _host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def proxy_for(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to a websocket, as websocket-client finds it; None for the direct way.

    https_proxy is for wss://, http_proxy for ws://, no_proxy names the exceptions; each in small letters first, then
    in capitals. This machine itself is never behind a proxy. Raises ConfigurationWrong for one that cannot be used.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    name = "https_proxy" if parts.scheme.lower() == "wss" else "http_proxy"
    name = name if environ.get(name) else name.upper()
    text = environ.get(name, "").strip()
    exceptions = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if not text or _is_direct(host, exceptions):
        return None
    return _parse(text, name)


def _parse(text: str, name: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port, scheme = parts.hostname, parts.port or DEFAULT_PORT, parts.scheme.lower()
    except ValueError:
        host, port, scheme = None, 0, "http"
    if scheme != "http":
        # The credentials of who asks for TLS to the proxy must not go there in the clear.
        raise _wrong(name, f"a proxy is spoken to as http://, not as {scheme if scheme.isalnum() else 'that'}://")
    if not host or not host.isascii() or not host.isprintable():
        raise _wrong(name, "it must be a URL such as http://user:password@proxy.example.org:3128")
    return Proxy(host, port, unquote(parts.username or ""), unquote(parts.password or ""))


def _wrong(name: str, reason: str) -> ConfigurationWrong:
    return ConfigurationWrong(setting=name, reason=reason, origin="the environment; no_proxy names hosts without one")


def _is_direct(host: str, exceptions: str) -> bool:
    if host == "localhost" or _in_network(host, "127.0.0.0/8") or _in_network(host, "::1"):
        return True
    names = exceptions.lower().replace(",", " ").split()
    return any(_covers(name, host) for name in names)


def _covers(name: str, host: str) -> bool:
    """Whether an entry of no_proxy, a star, a host, a domain with or without its dot, or a network, means the host."""
    domain = name.removeprefix("*").lstrip(".")
    return name == "*" or (bool(domain) and (host == domain or host.endswith(f".{domain}"))) or _in_network(host, name)


def _in_network(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
