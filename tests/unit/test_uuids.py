"""Uuids of events take 16 bytes where they can, and come back as they were spelled."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.storage.uuids import pack, pack_all, unpack

USUAL = "526d474c-45cf-4e5b-9768-5a21a9850848"

CLEAN = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
SPELLINGS = st.one_of(
    CLEAN,
    st.uuids().map(str),
    st.uuids().map(lambda uuid: str(uuid).upper()),
    st.uuids().map(lambda uuid: uuid.hex),
    st.text("0123456789abcdefABCDEF-", min_size=1, max_size=40),
)


def test_a_uuid_takes_sixteen_bytes() -> None:
    assert pack(USUAL) == UUID(USUAL).bytes


@given(SPELLINGS)
@example("exactly 16 bytes")
@example("\u20ac" * 5 + "x")
@example("٣" * 8 + "-1111-1111-1111-111111111111")
def test_what_was_packed_comes_back_as_it_was(uuid: str) -> None:
    assert unpack(pack(uuid)) == uuid


@given(SPELLINGS, SPELLINGS)
def test_two_texts_are_never_packed_alike(one: str, other: str) -> None:
    assert (pack(one) == pack(other)) == (one == other)


@given(st.lists(SPELLINGS | st.none()))
def test_a_column_is_packed_as_each_of_it(column: list[str | None]) -> None:
    assert pack_all(column) == [None if uuid is None else pack(uuid) for uuid in column]


@pytest.mark.parametrize("length", [15, 16, 17])
def test_a_text_that_looks_like_a_packed_uuid_is_none(length: int) -> None:
    assert unpack(pack("x" * length)) == "x" * length
    assert len(pack("x" * length)) != 16
