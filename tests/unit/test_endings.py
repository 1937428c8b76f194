"""What a platform means by the way in which it ends a connection."""

from __future__ import annotations

import pytest

from archiver.platforms.tutum.endings import End, Ending, farewell


def ended(code: int, words: str = "", *, heard: bool = False) -> End:
    return farewell(code.to_bytes(2) + words.encode(), heard=heard)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1008, "invalid token"),
        (1008, ""),
        (1008, "Unauthorized"),
        (4401, ""),
        (4403, "Forbidden"),
        (4402, "pay first"),
        (4004, "Authentication failed"),
        (4003, "Not authenticated: token has expired"),
        (3000, ""),
        (1008, "API key revoked"),
        (1008, "bad user or password"),
    ],
)
def test_a_login_refused_by_closing_is_a_refusal_of_credentials(code: int, words: str) -> None:
    end = ended(code, words)
    assert end.ending is Ending.REFUSED
    assert end.reason == f"credentials refused: closed by the server: {code} {words}".rstrip()
    assert end.kind == "refused"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1000, ""),
        (1001, "going away"),
        (1000, "token bucket empty"),
        (1008, "slow consumer"),
        (1008, "message too big"),
        (1011, "unauthorized"),
        (4000, "unknown error"),
        (4400, "bad request"),
        (4404, "no such stream"),
        (4408, "timeout"),
        (1012, "service restart"),
    ],
)
def test_any_other_farewell_is_not(code: int, words: str) -> None:
    end = ended(code, words)
    assert end.ending is Ending.LOST
    assert end.farewell


@pytest.mark.parametrize("code", [1008, 4402])
def test_after_messages_only_words_refuse(code: int) -> None:
    assert ended(code, heard=True).ending is Ending.LOST
    assert ended(code, "token expired", heard=True).ending is Ending.REFUSED


@pytest.mark.parametrize(("code", "words"), [(4429, ""), (1008, "Too many requests"), (4008, "too many logins")])
def test_too_many_logins_are_waited_out(code: int, words: str) -> None:
    assert ended(code, words).ending is Ending.THROTTLED


def test_who_asks_to_be_left_alone_is() -> None:
    assert ended(1013, "try again later").wait >= 1
    assert ended(1001).wait == 0


def test_a_farewell_without_a_word_is_one() -> None:
    assert farewell(b"", heard=False) == End(Ending.LOST, "closed by the server", farewell=True)
