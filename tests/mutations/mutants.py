"""Small faults that could be in a module: another comparison, operator or number, in Python and in SQL."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

_PYTHON = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is",
    "in": "not in", "not in": "in", "and": "or", "or": "and", "+": "-", "-": "+", "*": "+", "//": "*", "|": "&",
}  # fmt: skip
_SQL = (
    (r"(?<![<>])<=", "<"), (r">=", ">"), (r"(?<=[\w)\s])<(?![=>])", "<="), (r"(?<![<=])>(?!=)", ">="),
    (r"(?<=\s)=(?=\s)", "<>"), (r"\bAND\b", "OR"), (r"\bOR\b", "AND"), (r" DESC\b", ""), (r"\bmax\(", "min("),
    (r"\bmin\(", "max("), (r"\bIS NOT NULL\b", "IS NULL"), (r"\bIS NULL\b", "IS NOT NULL"), (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bUNION ALL\b", "UNION"), (r"\bNOT EXISTS\b", "EXISTS"), (r"(?<=\s)\+(?=\s)", "-"), (r"(?<!SELECT )\b1\b", "2"),
    (r"\b0\b", "1"),
)  # fmt: skip
_IS_SQL = re.compile(r"\b(SELECT|WHERE|JOIN|ORDER BY|CASE WHEN|AND|FROM|UPDATE|INSERT|DELETE)\b")
_Change = tuple[int, int, str]
"""From where to where in the text, and what stands there instead."""


class Mutant(NamedTuple):
    """A module with one fault."""

    line: int
    before: str
    """The line as it is."""
    after: str
    text: str
    """All of it, with the fault."""


def mutants(text: str) -> list[Mutant]:
    """All that are known, in the order of their places."""
    changes = {*_of_python(text), *_of_sql(text)}
    return [made for change in sorted(changes) if (made := _made(text, change)) is not None]


def _made(text: str, change: _Change) -> Mutant | None:
    start, end, instead = change
    mutated = text[:start] + instead + text[end:]
    try:
        ast.parse(mutated)
    except SyntaxError:
        return None
    line = text.count("\n", 0, start)
    return Mutant(line + 1, text.split("\n")[line].strip(), mutated.split("\n")[line].strip(), mutated)


class _Places:
    """Where in a text the nodes of its tree are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._data = text.encode()
        self._begins = [0, *accumulate(len(line.encode()) for line in text.splitlines(keepends=True))]

    def begin(self, node: ast.expr) -> int:
        """Where it begins."""
        return self._at(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        """Where it ends."""
        return self._at(node.end_lineno or 0, node.end_col_offset or 0)

    def _at(self, line: int, column: int) -> int:
        return len(self._data[: self._begins[line - 1] + column].decode())


def _of_python(text: str) -> Iterator[_Change]:
    places = _Places(text)
    tree = ast.parse(text)
    annotations = {id(part) for note in _annotations(tree) for part in ast.walk(note)}  # nobody evaluates them
    for node in ast.walk(tree):
        if id(node) in annotations:
            continue
        for left, right in pairwise(_operands(node)):
            start = places.end(left)
            if (word := text[start : places.begin(right)].strip(" \n()")) in _PYTHON:
                begin = text.index(word, start)
                yield begin, begin + len(word), _PYTHON[word]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield places.begin(node), places.begin(node) + len("not "), ""
        elif isinstance(node, ast.Constant) and type(node.value) in (int, bool):
            start, end = places.begin(node), places.end(node)
            if text[start:end] == repr(node.value):  # a place within an f-string is not told right before Python 3.12
                yield start, end, repr(not node.value if type(node.value) is bool else node.value + 1)


def _annotations(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if (note := getattr(node, name, None)) is not None:
                yield note


def _operands(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.BoolOp):
        return node.values
    return [node.left, node.right] if isinstance(node, ast.BinOp) else []


def _of_sql(text: str) -> Iterator[_Change]:
    lines = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
    documents = {
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.start not in documents and _IS_SQL.search(token.string):
            begin = lines[token.start[0] - 1] + token.start[1]
            for pattern, instead in _SQL:
                for found in re.finditer(pattern, token.string):
                    yield begin + found.start(), begin + found.end(), instead
