"""Whether a request carries the right credentials, in any of the ways the platforms took them."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs

Credentials = tuple[str, str]
"""A user and an API key, or password."""


Refusal = Literal["status", "message"]
"""How bad credentials are refused: HTTP 401 at the handshake, or, as old Tutum did, a message after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who is let in: everybody when `credentials` and `verbatim` are None.

    `verbatim` is the value of an Authorization header taken as it is, whatever its scheme (what an "API role" had in
    its environment). Others are refused as `refuse` says; after `lock_after` bad tries the account is locked for good
    (HTTP 429), as the real services did for a while.
    """

    credentials: Credentials | None = None
    verbatim: str | None = None
    refuse: Refusal = "status"
    lock_after: int | None = None


class Access:
    """Applies an admission to requests, and counts the bad tries."""

    def __init__(self, admission: Admission) -> None:
        self._credentials = admission.credentials
        self._verbatim = admission.verbatim
        self._lock_after = admission.lock_after
        self.failures = 0

    @property
    def locked(self) -> bool:
        """True when there were too many bad tries."""
        return self._lock_after is not None and self.failures >= self._lock_after

    def admits(self, query: str, headers: Mapping[str, str]) -> bool:
        """Judge the query string and the headers of one request."""
        if self._credentials is None and self._verbatim is None:
            return True
        if not self.locked and (self._query_fits(query) or self._value_fits(headers.get("Authorization"))):
            return True
        self.failures += 1
        return False

    def user_of(self, query: str, headers: Mapping[str, str]) -> str:
        """Who says to be asking; empty when nobody does. Not whether it is true."""
        fields = parse_qs(query)
        return fields.get("user", [""])[0] or _pair_of(headers.get("Authorization") or "")[0]

    def _query_fits(self, query: str) -> bool:
        fields = parse_qs(query)
        user, token, auth = (fields.get(name, [None])[0] for name in ("user", "token", "auth"))
        return (user is not None and token is not None and self._pair_fits(user, token)) or self._value_fits(auth)

    def _value_fits(self, value: str | None) -> bool:
        if value is None:
            return False
        if self._verbatim is not None and _same(value, self._verbatim):
            return True
        return self._pair_fits(*_pair_of(value))

    def _pair_fits(self, user: str, key: str) -> bool:
        return self._credentials is not None and _same(f"{user}\0{key}", "\0".join(self._credentials))


def _pair_of(value: str) -> Credentials:
    """User and key in the value of an Authorization header; both empty when there are none."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "basic":
        try:
            rest = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
    elif scheme.lower() != "apikey":
        return "", ""
    user, _, key = rest.strip().partition(":")
    return user, key


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="surrogateescape"), right.encode(errors="surrogateescape"))
