"""How a connection ended or why there is none, and what that means for the next one."""

from __future__ import annotations

import enum
import json
import re
from typing import NamedTuple

from archiver.model import EndKind

LONGEST_ERROR = 4096
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
POLICY, TRY_LATER = 1008, 1013
LATER_SECONDS = 1.0
_OWN_CODES = range(4400, 4500)
"""Close codes that many services derive from the statuses of HTTP."""
_LOGIN_CODES = frozenset({4401, 4403, 3000, 3003})
"""Unauthorized and forbidden; 3000 and 3003 as registered with IANA."""
_NOT_OF_LOGINS = frozenset({4400, 4404, 4405, 4406, 4408, 4409, 4413, 4415, 4429})
_LOGIN_WORDS = re.compile(
    r"unauthori[sz]ed|not authori[sz]ed|forbidden|access denied|permission denied|credential|password"
    r"|auth\w*[ _-](failed|failure|error|required|invalid|expired|denied)"
    r"|(invalid|bad|wrong|expired|revoked|missing|unknown|no) +(\w+ +)?"
    r"(token|auth\w*|api[ _-]?key|key|login|user\w*|session)\b"
    r"|(token|api[ _-]?key|key|login|session) +(is +|was +|has +)?(invalid|expired|revoked|refused|rejected|required)"
    r"|not logged in|log ?in required",
    re.IGNORECASE,
)


class Ending(enum.Enum):
    """What the end of a session means for the next one."""

    STOPPED = "we stopped"
    LOST = "the connection is gone"
    SILENT = "the platform gives no sign of life"
    REFUSED = "the platform does not take our credentials"
    THROTTLED = "the platform takes no more logins for a while"


_KINDS: dict[Ending, EndKind] = {
    Ending.STOPPED: "stopped",
    Ending.LOST: "lost",
    Ending.SILENT: "silent",
    Ending.REFUSED: "refused",
    Ending.THROTTLED: "refused",
}

BROKEN = (Ending.LOST, Ending.SILENT)
"""Ends after which the next connection is tried soon."""


class End(NamedTuple):
    """How a session ended, in a plain word for the code and in plain words for the reader."""

    ending: Ending
    reason: str
    wait: float = 0.0
    """For how many seconds at least the platform asked to be left alone."""
    farewell: bool = False
    """Whether the platform said good-bye, as a close frame does."""

    @property
    def kind(self) -> EndKind:
        """The kind of end that the archive keeps."""
        return _KINDS[self.ending]


def refusal(payload: bytes) -> End | None:
    """The old way of Tutum to refuse: connect first, then say so in a message (python-tutum, `events.py`)."""
    if b"errorMessage" not in payload or len(payload) > LONGEST_ERROR:
        return None
    try:
        value = json.loads(payload)
        text = str(value["data"]["errorMessage"]) if value["type"] == "error" else ""
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    if text.upper() == "UNAUTHORIZED":
        return End(Ending.REFUSED, "credentials refused: UNAUTHORIZED")
    if is_throttling(text):
        return End(Ending.THROTTLED, f"no more logins for now: {text}")
    return None


def is_throttling(text: str) -> bool:
    """True for the words Docker Cloud locked an account with, and for what others say instead."""
    return re.search(r"too many (login|logins|request|attempt|connection)", text, re.IGNORECASE) is not None


def farewell(payload: bytes, *, heard: bool) -> End:
    """What a close frame means; `heard`: the session had brought a message before, so the login had been taken."""
    if len(payload) < 2:
        return End(Ending.LOST, "closed by the server", farewell=True)
    code, text = int.from_bytes(payload[:2]), payload[2:].decode("utf-8", "replace")
    words = f"closed by the server: {code} {text}".rstrip()
    if code == 4000 + TOO_MANY or (code >= POLICY and is_throttling(text)):
        return End(Ending.THROTTLED, f"no more logins for now: {words}", farewell=True)
    if _refuses_login(code, text, heard):
        return End(Ending.REFUSED, f"credentials refused: {words}", farewell=True)
    return End(Ending.LOST, words, wait=LATER_SECONDS if code == TRY_LATER else 0.0, farewell=True)


def _refuses_login(code: int, text: str, heard: bool) -> bool:
    if code in _LOGIN_CODES:
        return True
    if code == POLICY or code >= 3000:
        if _LOGIN_WORDS.search(text):
            return True
        return not heard and ((code == POLICY and not text) or (code in _OWN_CODES and code not in _NOT_OF_LOGINS))
    return False
