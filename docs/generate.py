"""Writes the pages that are made from the program itself: the commands, the schema, the picture of the README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

HERE = Path(__file__).parent
WIDTH = 100
MADE = "<!-- Made by `make docs`; change the program, not this page. -->"


def pages() -> dict[str, str]:
    """Every generated page, by its file name in this folder."""
    return {"cli.md": commands_page(), "schema.md": schema_page(), "demo.svg": picture(_terminal_text())}


# --- the commands -------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[Any, Any]]:
    """Every command as (context, command), groups before what is in them."""
    import typer

    from archiver.cli.app import app

    yield from _walk(typer.main.get_command(app), None, "archiver")


def _walk(command: Any, parent: Any, name: str) -> Iterator[tuple[Any, Any]]:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH)
    yield context, command
    if hasattr(command, "list_commands"):
        for child in command.list_commands(context):
            yield from _walk(command.get_command(context, child), context, child)


def commands_page() -> str:
    """Every command's own help."""
    found = list(commands())
    lines = [MADE, "# Commands", "", "What `archiver COMMAND --help` says, for every command.", ""]
    lines += [f"- [{context.command_path}](#{_anchor(context.command_path)})" for context, _ in found]
    for context, command in found:
        shown = "\n".join(line.rstrip() for line in command.get_help(context).rstrip().split("\n"))
        lines += ["", f"## {context.command_path}", "", "```text", shown, "```"]
    return "\n".join(lines) + "\n"


def _anchor(heading: str) -> str:
    return heading.replace(" ", "-").lower()


# --- the schema ---------------------------------------------------------------------------------------------------

_SCHEMA_HEAD = f"""{MADE}
# Schema

Reports are written over the views: they are the same on SQLite and PostgreSQL, and only ever grow.
The tables below them may change with a release; `archiver db upgrade` changes them.
[sql.md](sql.md) has queries to begin with.

Instants (`*_at`, `since`, `until`) are UTC: `timestamptz` on PostgreSQL, text such as `2026-11-23T18:35:17.000000Z`
on SQLite, which compares and groups as it stands. Beside each stands the same instant as a whole number of microseconds
since 1970 (`*_us`), to reckon with. `seconds` is a number with a fraction, `id`, `event_id`, `resource_id`, `position`
and `holds` are whole numbers, everything else is text. On PostgreSQL the descriptions stand in the database as well
(`\\d+ event_log` in psql).
"""


def schema_page() -> str:
    """Every view and every table, with the comments they have in the code."""
    from archiver.storage.schema import metadata
    from archiver.storage.views import VIEWS

    lines = [_SCHEMA_HEAD, "## Views", ""]
    for view in sorted(VIEWS, key=lambda view: view.is_part):
        whole = "" if not view.is_part else " Other views are made of it."
        lines += [f"### {view.name}", "", f"{view.comment}.{whole}", "", "| column | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(text)} |" for name, text in view.columns.items()]
        lines.append("")
    lines += ["## Tables", ""]
    for table in metadata.sorted_tables:
        lines += _table(table)
    return "\n".join(lines).rstrip() + "\n"


def _table(table: Table) -> Iterator[str]:
    yield from (f"### {table.name}", "", f"{table.comment}.", "")
    yield from ("| column | SQLite | PostgreSQL | meaning |", "|---|---|---|---|")
    for column in table.columns:
        kinds = " | ".join(_kind(column, database.dialect()) for database in (sqlite, postgresql))
        yield f"| `{column.name}`{_key(column)} | {kinds} | {_cell(column.comment)} |"
    yield ""


def _kind(column: Column[Any], dialect: Dialect) -> str:
    return column.type.compile(dialect=dialect).partition(" COLLATE")[0].lower()


def _key(column: Column[Any]) -> str:
    targets = [key.column.table.name for key in column.foreign_keys]
    notes = ["key"] if column.primary_key else []
    notes += [f"→ {name}" for name in targets]
    notes += [] if column.nullable else ["always given"]
    return f" ({', '.join(notes)})" if notes else ""


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


# --- the picture --------------------------------------------------------------------------------------------------

_CHARACTER, _LINE, _MARGIN = 8.45, 19, 16
_WORDS = re.compile(
    r"(?P<prompt>^\$ .*)|(?P<gap>\(not watched\).*|^nobody was watching.*)"
    r"|(?P<state>\b(?:Running|Stopped|Stopping|Starting|Redeploying|Scaling|Terminating|Terminated|Failed|Success"
    r"|In progress|Partly running)\b\??)|(?P<head>^[A-Z]{4,} .*[A-Z]$)"
)
_STYLE = """
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328 }
rect { fill: #f6f8fa; stroke: #d1d9e0 }
.prompt { font-weight: bold } .head { fill: #59636e }
.green { fill: #1a7f37 } .red { fill: #cf222e } .yellow { fill: #9a6700 } .dim, .gap { fill: #59636e }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } rect { fill: #151b23; stroke: #3d444d } .head { fill: #9198a1 }
  .green { fill: #3fb950 } .red { fill: #f85149 } .yellow { fill: #d29922 } .dim, .gap { fill: #9198a1 }
}
"""


def _terminal_text() -> str:
    return (HERE / "demo.txt").read_text(encoding="utf-8").rstrip("\n")


def picture(text: str) -> str:
    """What stood on a terminal, as an SVG that follows the reader's choice of light or dark."""
    lines = text.split("\n")
    width = round(max(map(len, lines)) * _CHARACTER) + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    rows = [
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * number + 14}" xml:space="preserve">{_coloured(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    frame = f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", frame, *rows, "</svg>"]) + "\n"


def _coloured(line: str) -> str:
    shown, end = "", 0
    for match in _WORDS.finditer(line):
        shown += escape(line[end : match.start()], quote=False)
        shown += f'<tspan class="{_class(match)}">{escape(match.group(), quote=False)}</tspan>'
        end = match.end()
    return shown + escape(line[end:], quote=False)


def _class(found: re.Match[str]) -> str:
    """The program's own colour of a state; what it does not colour is plain."""
    from archiver.cli.words import states

    if found.lastgroup != "state":
        return str(found.lastgroup)
    names = {states.GREEN: "green", states.YELLOW: "yellow", states.RED: "red", states.DIM: "dim", "": "plain"}
    return "dim" if found.group().endswith("?") else names[states.state_style(found.group())]


if __name__ == "__main__":
    for name, content in pages().items():
        (HERE / name).write_text(content, encoding="utf-8")
