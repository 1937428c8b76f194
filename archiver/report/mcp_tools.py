"""Answers the tools of an assistant: each call is one question to the archive, and its answer is bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archiver.api.archive import Archive
from archiver.errors import AmbiguousReference, ArchiverError, NoSuchResource, UsageError
from archiver.model import Coverage, Resource, TimeRange, TreeNode
from archiver.report import documents, portions, reports
from archiver.report.mcp_arguments import check
from archiver.report.mcp_schemas import DEFAULT_LIMIT, MOST, TOOLS, Schema

SHOWN_GAPS = 20
"""So many gaps, the latest, stand in an answer that is not about them."""
NODES = 500
"""Nodes of one tree."""

Arguments = dict[str, Any]
Answer = dict[str, Any]
ParseRange = Callable[[str | None, str | None], TimeRange]


class Tools:
    """The questions that an assistant may ask of the archive at a URL.

    The archive is opened when it is first asked, and anew after it failed: an assistant starts its servers before there
    is anything to ask. `parse_range` reads the two ends of a range.
    """

    def __init__(self, url: str, parse_range: ParseRange) -> None:
        self._url, self._parse_range = url, parse_range
        self._archive: Archive | None = None
        self._inputs: dict[str, Schema] = {tool["name"]: tool["inputSchema"] for tool in TOOLS}
        self._questions: dict[str, Callable[[Arguments], Answer]] = {
            "history": self._history,
            "actions": self._actions,
            "events": self._events,
            "tree": self._tree,
            "why": self._why,
            "report": self._report,
        }

    def __contains__(self, name: object) -> bool:
        return name in self._questions

    def call(self, name: str, arguments: Arguments) -> Answer:
        """The answer of a tool. Raises ArchiverError: UsageError for arguments that do not fit, else what failed."""
        check(self._inputs[name], arguments)
        try:
            return self._questions[name](arguments)
        except ArchiverError as error:
            if error.exit_code > 3:
                self.close()  # whatever is wrong with the connection, the next question gets another one
            raise

    def close(self) -> None:
        """Closes the archive."""
        archive, self._archive = self._archive, None
        if archive is not None:
            archive.close()

    @property
    def archive(self) -> Archive:
        """The archive."""
        if self._archive is None:
            self._archive = Archive.open(self._url)
        return self._archive

    def _range(self, arguments: Arguments) -> TimeRange:
        return self._parse_range(arguments.get("since"), arguments.get("until"))

    # --- the questions ----------------------------------------------------------------------------------------------

    def _history(self, arguments: Arguments) -> Answer:
        within = self._range(arguments)
        resource = self.archive.resolve(arguments["ref"], range=within)
        timeline, portion = portions.spans(self.archive, resource, within, *_page(arguments))
        head = documents.head(timeline)
        head |= {"coverage": _coverage(timeline.coverage), "spans": portion.records}
        return head | {"empty": timeline.empty, "next_cursor": portion.cursor}

    def _actions(self, arguments: Arguments) -> Answer:
        within = self._range(arguments)
        resource = self.archive.resolve(arguments["ref"], range=within)
        healthchecks = arguments.get("healthchecks", False)
        portion = portions.actions(self.archive, [resource], within, *_page(arguments), healthchecks)
        answer = {"resource": documents.resource(resource), "actions": portion.records}
        return self._judged(answer, within, [resource], portion)

    def _events(self, arguments: Arguments) -> Answer:
        within = self._range(arguments)
        under = [self.archive.resolve(arguments["under"], range=within)] if "under" in arguments else None
        filters: dict[str, Any] = {name: tuple(arguments.get(name, ())) for name in ("types", "states", "actions")}
        filters |= {"under": under, "healthchecks": arguments.get("healthchecks", False)}
        portion = portions.events(self.archive, filters, within, *_page(arguments))
        return self._judged({"events": portion.records}, within, under, portion)

    def _tree(self, arguments: Arguments) -> Answer:
        at, gone = self._parse_range(None, arguments.get("at")).until, arguments.get("gone", False)
        then = TimeRange() if at is None else TimeRange.ending_at(at)
        meant = self._meant(arguments["ref"], then) if "ref" in arguments else []
        if len(meant) > 1:
            portion = portions.numbered([documents.resource(each) for each in meant], *_page(arguments))
            return self._judged({"tree": None, "resources": portion.records}, then, meant, portion)
        about = meant[0] if meant else None
        if gone and (at is not None or about is None):
            raise UsageError(
                reason="gone is about now, and about one resource", hint="leave out gone or at, or give ref"
            )
        root = self.archive.tree(about, gone=gone) if at is None else self.archive.at(at, about)
        coverage = root.coverage or self.archive.coverage(TimeRange(), about)
        return {
            "tree": _bounded(root),
            "resources": [],
            "range": documents.range_(TimeRange(root.at, root.at)),
            "coverage": _coverage(coverage),
            "empty": root.empty,
            "next_cursor": None,
        }

    def _meant(self, ref: str, then: TimeRange) -> list[Resource]:
        """All that a name, a key, the beginning of one, or a pattern means."""
        try:
            return [self.archive.resolve(ref, range=then)]
        except AmbiguousReference as error:
            on = error.platforms or [None] * len(error.candidates)
            return [self.archive.resolve(uri, platform=name) for uri, name in zip(error.candidates, on, strict=True)]
        except NoSuchResource:
            return self.archive.resolve_all([ref])  # it is a pattern, or the same error

    def _why(self, arguments: Arguments) -> Answer:
        at, since = self._parse_range(None, arguments.get("at")).until, self._range({**arguments, "until": None}).since
        named = TimeRange() if at is None else TimeRange.ending_at(at, since)
        resource = self.archive.resolve(arguments["ref"], range=named)
        found = self.archive.why(resource, at, since)
        records = [documents.record(documents.NEARBY, change) for change in found.changes]
        portion = portions.numbered(records, *_page(arguments))
        head = documents.before_head(found) | {"coverage": _coverage(found.coverage)}
        return head | {"changes": portion.records, "next_cursor": portion.cursor}

    def _report(self, arguments: Arguments) -> Answer:
        within = self._range(arguments)
        about = self.archive.resolve(arguments["ref"], range=within) if "ref" in arguments else None
        found = reports.asked(self.archive, arguments["name"], about, within, arguments.get("per"))
        shown = reports.fields(found)
        portion = portions.numbered([documents.record(shown, row) for row in found.rows], *_page(arguments))
        is_coverage = arguments["name"] == "coverage"
        head = reports.head(found) | {"coverage": _coverage(found.coverage, MOST if is_coverage else SHOWN_GAPS)}
        head |= {"status": documents.status(self.archive.status()) if is_coverage else None}
        return head | {"rows": portion.records, "next_cursor": portion.cursor}

    def _judged(
        self, answer: Answer, range: TimeRange, about: list[Resource] | None, portion: portions.Portion
    ) -> Answer:
        """An answer of one list with how well its range was watched, and where it is empty, why."""
        coverage = self.archive.coverage(range, about)
        empty = None if portion.records else self.archive.why_empty(range, about)
        answer |= {"range": documents.range_(range), "coverage": _coverage(coverage)}
        return answer | {"empty": empty, "next_cursor": portion.cursor}


def _page(arguments: Arguments) -> tuple[int, str | None]:
    return arguments.get("limit", DEFAULT_LIMIT), arguments.get("cursor")


def _coverage(coverage: Coverage, most: int = SHOWN_GAPS) -> Answer:
    """Coverage with the last of its gaps."""
    left_out = max(0, len(coverage.gaps) - most)
    shown = documents.coverage(coverage._replace(gaps=coverage.gaps[left_out:]))
    return shown | {"complete": coverage.complete, "gaps_left_out": left_out}


def _bounded(root: TreeNode) -> Answer:
    """A tree of no more than so many nodes: level by level, as what is near the root says most."""
    whole = documents.record(documents.NODE, root) | {"children": []}
    waiting, count, size = [(root, whole)], 1, 0
    for node, document in waiting:
        for number, child in enumerate(node.children):
            own = documents.record(documents.NODE, child) | {"children": []}
            size += portions.length(own)
            if count >= NODES or size > portions.BUDGET:
                document["children_left_out"] = len(node.children) - number
                break
            count += 1
            document["children"].append(own)
            waiting.append((child, own))
    return whole
