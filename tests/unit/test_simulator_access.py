"""The simulator takes credentials in every way the platforms took them."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest

from archiver.simulator.service.access import Access, Admission

BASIC = "Basic " + b64encode(b"demo:s3cret").decode()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("user=demo&token=s3cret", {}),
        (f"auth={quote(BASIC)}", {}),
        ("auth=ApiKey%20demo:s3cret", {}),
        ("", {"Authorization": BASIC}),
        ("", {"Authorization": "ApiKey demo:s3cret"}),
        ("", {"Authorization": "Role xyz"}),
    ],
)
def test_every_way_is_admitted(query: str, headers: dict[str, str]) -> None:
    assert Access(Admission(credentials=("demo", "s3cret"), verbatim="Role xyz")).admits(query, headers)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("user=demo&token=wrong", {}),
        ("user=demo", {}),
        ("", {"Authorization": "Basic !!!"}),
        ("", {"Authorization": "Basic " + b64encode(b"\xff\xfe").decode()}),
        ("", {"Authorization": "Bearer demo:s3cret"}),
        ("", {"Authorization": "ApiKey other:s3cret"}),
    ],
)
def test_anything_else_is_refused(query: str, headers: dict[str, str]) -> None:
    assert not Access(Admission(credentials=("demo", "s3cret"))).admits(query, headers)


def test_without_credentials_the_door_is_open() -> None:
    assert Access(Admission()).admits("", {})


def test_too_many_bad_tries_lock_the_account_for_good_ones_too() -> None:
    access = Access(Admission(credentials=("demo", "s3cret"), lock_after=2))
    access.admits("", {})
    access.admits("", {})

    assert access.locked
    assert not access.admits("user=demo&token=s3cret", {})
