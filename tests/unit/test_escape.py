"""Text that others wrote never acts on a terminal or a spreadsheet."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from archiver.cli.escape import csv_cell, escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web-1", "web-1"),
        ("größe 日本", "größe 日本"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\x7f\x9b2J", "\\x7f\\x9b2J"),
        ("abc\u202etxt", "abc\\u202etxt"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("", ""),
    ],
)
def test_what_could_act_or_hide_is_shown(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_no_control_and_no_format_character_gets_through() -> None:
    dangerous = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Cs")]
    dangerous += [
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.bidirectional(chr(code)) in BIDI_CONTROLS
    ]

    assert [char for char in dangerous if escape(char) == char] == []


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_spreadsheet_reads_no_formula(start: str) -> None:
    assert csv_cell(start + "1+1").startswith("'")


def test_a_harmless_csv_cell_stays_as_it_is() -> None:
    assert csv_cell("a=b") == "a=b"


def test_a_csv_cell_is_one_harmless_line() -> None:
    assert csv_cell("a\n\x1b[2J") == "a\\n\\x1b[2J"
