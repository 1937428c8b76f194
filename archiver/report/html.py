"""A picture as one page that stands by itself: it needs no server, asks nobody, and can do nothing but be looked at."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from html import escape as quoted
from importlib.resources import files

from archiver.model import Lanes
from archiver.report.headline import said_of, title_of
from archiver.report.packed import document
from archiver.report.picture import picture
from archiver.report.still import still
from archiver.version import __version__

_SCRIPTS = ("data", "times", "columns", "palette", "view", "draw", "minimap", "find", "pointer", "page")
"""The parts of the script in the order in which they stand on each other."""


_FOLDER = files("archiver.report") / "page"


def _part(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


# Read when the module is: whoever serves pages reads no file for any.
_SCRIPT = '"use strict";\n{\n' + "".join(_part(f"{name}.js") for name in _SCRIPTS) + "}\n"
_STYLE = _part("page.css")
# Before anything is laid out: what only stands for the script is then not laid out at all.
_HEAD = 'document.documentElement.classList.add("drawn");'
_PATTERNS, _TOOLS, _LEGEND, _LANES, _KEYS = map(
    _part, ("patterns.svg", "tools.html", "legend.html", "lanes.html", "keys.html")
)


def page(lanes: Lanes, *, now: datetime | None = None, live: str | None = None) -> Iterator[str]:
    """The page, in pieces of text to be written as UTF-8 one behind the other.

    `now` is where what is still so ends (None: the clock's). With `live`, a URL of the same server, the page listens
    there for server-sent events: each of the name `picture` has as its data what `news` gives.
    """
    drawn = picture(lanes, now or datetime.now(UTC))
    title, said = title_of(lanes), said_of(drawn)
    yield "<!doctype html>\n"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy(live=live is not None)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{quoted(title)}</title><style>{_STYLE}</style><script>{_HEAD}</script></head>"
    yield f'<body data-live="{quoted(live)}">' if live else "<body>"
    yield _PATTERNS
    yield f'<main><div id="whole"><header><h1>{quoted(title)}</h1>'
    yield from (f"<p>{quoted(line)}</p>" for line in said)
    yield f"</header>{_TOOLS}{_LEGEND}{_LANES}</div>{_KEYS}"
    # Drawn before a browser reads what says the same without a script, which is most of the file.
    yield f'<script type="application/json" id="picture">{document(drawn, title, said)}</script>'
    yield f"<script>{_SCRIPT}</script>"
    yield from still(drawn)
    yield f"</main><footer>archiver {quoted(__version__)}</footer></body></html>\n"


def news(lanes: Lanes, *, now: datetime | None = None) -> str:
    """What a page that is live draws next: one line of ASCII."""
    drawn = picture(lanes, now or datetime.now(UTC))
    return document(drawn, title_of(lanes), said_of(drawn))


@cache
def policy(*, live: bool = False) -> str:
    """The Content-Security-Policy of a page: its own script and style and nothing else; live, also its own server."""
    own = "; connect-src 'self'" if live else ""
    return (
        f"default-src 'none'; script-src {_hash(_HEAD)} {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}{own};"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
