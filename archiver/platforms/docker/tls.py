"""The certificates with which an engine is spoken to, from a folder as the docker command lays it out."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from archiver.errors import ConfigurationWrong

Tls = ssl.SSLContext

_CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


def tls_of_environment(url: str, environ: Mapping[str, str], folder: Path) -> Tls | None:
    """What the URL, DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH (else `folder`) ask for.

    Raises ConfigurationWrong, also when they contradict each other.
    """
    verify, unverified = bool(environ.get("DOCKER_TLS_VERIFY")), bool(environ.get("DOCKER_TLS"))
    if url.startswith("http:") and (verify or unverified):
        reason = (
            "http:// is in the clear, and DOCKER_TLS_VERIFY or DOCKER_TLS asks for TLS; write https://, or unset it"
        )
        raise ConfigurationWrong(setting="--stream", reason=reason, origin="the command or its environment")
    if url.startswith("https:"):
        verify = verify or not unverified
    elif not url.startswith("tcp:") or not (verify or unverified):
        return None
    return tls_of(Path(environ.get("DOCKER_CERT_PATH") or folder), verify, "DOCKER_CERT_PATH")


def _no_passphrase() -> str:
    """Without a function that answers, OpenSSL would ask at the terminal, and a daemon wait for ever."""
    return ""


def tls_of(folder: Path, verify: bool, setting: str) -> Tls:
    """A context with the certificates of a folder, as far as there are any. Raises ConfigurationWrong."""
    authority, certificate, key = (folder / name for name in _CERTIFICATES)
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
        context.keylog_filename = None  # type: ignore[assignment]  # typeshed knows only str
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate.exists():
            context.load_cert_chain(str(certificate), str(key), _no_passphrase)
    except (OSError, ValueError) as exc:
        reason = f"the certificates in {folder} cannot be used: {exc}"
        raise ConfigurationWrong(setting=setting, reason=reason, origin="the environment") from exc
    return context
