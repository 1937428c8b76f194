"""What a TLS connection trusts, how it proves who we are, and what to do when either fails."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple

from websocket import WebSocketException

from archiver.errors import ConfigurationWrong

_UNKNOWN_SIGNER = frozenset({18, 19, 20, 21})
"""X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT and its neighbours (x509_vfy.h)."""


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
"""What versions of OpenSSL say of an answer in HTTP."""
_HUNG_UP = "UNEXPECTED_EOF_WHILE_READING"


class ClientCertificate(NamedTuple):
    """The files (PEM) that prove who we are to a server that wants a certificate."""

    certificate: Path
    key: Path | None = None
    """None: the key stands in the certificate's file."""


def secure_context(own: ClientCertificate | None = None) -> ssl.SSLContext:
    """Certificates and host names are verified, TLS 1.2 is the least, and no environment variable logs the keys.

    Trusted are the authorities of the system, or of SSL_CERT_FILE and SSL_CERT_DIR. Raises ConfigurationWrong for a
    certificate of our own that cannot be used.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.keylog_filename = None  # type: ignore[assignment]  # typeshed knows only str
    if own is not None:
        _show(context, own)
    return context


def _show(context: ssl.SSLContext, own: ClientCertificate) -> None:
    asked = False

    def no_passphrase() -> str:
        nonlocal asked
        asked = True
        return ""

    try:
        # Without a function that answers, OpenSSL would ask at the terminal.
        context.load_cert_chain(own.certificate, own.key, no_passphrase)
    except OSError as exc:
        path = own.key or own.certificate
        reason = "its key has a passphrase; give one without" if asked else exc.strerror or "it is not PEM"
        if isinstance(exc, ssl.SSLError) and not asked:
            reason = "certificate and key do not fit, or are not PEM"
        origin = "ARCHIVER_CLIENT_CERT and ARCHIVER_CLIENT_KEY, or the configuration"
        raise ConfigurationWrong(setting="the client certificate", reason=f"{path}: {reason}", origin=origin) from exc


def spoken_plainly(exc: ssl.SSLError) -> WebSocketException | None:
    """What a handshake that failed says of a server that speaks without TLS; None: it failed for another reason."""
    if exc.reason in _NO_TLS:
        return WebSocketException("the server speaks no TLS at this port (without TLS it is ws:// or http://)")
    if exc.reason == _HUNG_UP:
        return WebSocketException(
            "the server hung up in the TLS handshake (if it speaks no TLS at this port, it is ws:// or http://)"
        )
    return None


def tls_hint(exc: BaseException) -> str:
    """The next step after a failure of TLS, to be put behind what failed; empty when there is none."""
    if isinstance(exc, ssl.SSLCertVerificationError) and exc.verify_code in _UNKNOWN_SIGNER:
        named = os.environ.get("SSL_CERT_FILE")
        if named and not os.access(named, os.R_OK):
            return " (SSL_CERT_FILE names a file that cannot be read)"
        return " (a private authority is trusted when SSL_CERT_FILE names its certificate)"
    if isinstance(exc, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (exc.reason or ""):
        return " (the server wants a client certificate: ARCHIVER_CLIENT_CERT and ARCHIVER_CLIENT_KEY)"
    return ""
