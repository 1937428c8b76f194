"""A tree, drawn for people and nested for programs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime

from archiver.cli.commands import tree
from archiver.cli.output import Format, Presentation
from archiver.model import TreeNode

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SINCE = datetime(2026, 11, 20, 14, 48, tzinfo=UTC)


def node(kind: str, name: str | None, state: str | None, *children: TreeNode) -> TreeNode:
    return TreeNode(f"/{kind}/{name}/", kind, name, state, SINCE if state else None, children)


SHOP = node(
    "stack", "shop", "Running",
    node("service", "web", "Running", node("container", "web-1", "Running"), node("container", "web-0", "Terminated")),
    node("service", "old", "Terminated", node("container", "old-1", "Terminated")),
    node("service", "db", None),
)  # fmt: skip


def shown(root: TreeNode, format: Format = "table", *, whole: bool = False) -> list[str]:
    return list(tree.lines(Presentation(format, now=NOW), root, whole=whole))


def test_what_is_gone_is_one_line() -> None:
    assert shown(SHOP) == [
        "stack shop  /stack/shop/  Running  3h12m",
        "├── service web  /service/web/  Running  3h12m",
        "│   ├── container web-1  /container/web-1/  Running  3h12m",
        "│   └── ... 1 Terminated (--all names them)",
        "├── service db  /service/db/",
        "└── ... 1 Terminated (--all names them)",
    ]


def test_all_names_what_is_gone() -> None:
    assert len(shown(SHOP, whole=True)) == 7


def test_what_lives_under_something_gone_is_named() -> None:
    root = node("stack", "s", "Running", node("service", "gone", "Terminated", node("container", "alive", "Running")))

    assert any("alive" in line for line in shown(root))


def test_plain_is_whole_and_indented() -> None:
    lines = shown(SHOP, "plain")

    assert len(lines) == 7
    assert lines[2] == "    /container/web-1/\tcontainer\tweb-1\tRunning\t2026-11-20T14:48:00Z"


def test_json_is_the_contract() -> None:
    whole = json.loads(shown(SHOP, "json")[0])

    assert list(whole) == ["uri", "type", "name", "state", "since", "children"]
    assert [child["name"] for child in whole["children"]] == ["web", "old", "db"]
    assert whole["children"][0]["children"][1] == {
        "uri": "/container/web-0/", "type": "container", "name": "web-0", "state": "Terminated",
        "since": "2026-11-20T14:48:00Z", "children": [],
    }  # fmt: skip
    assert whole["children"][2]["since"] is None


def test_csv_has_one_node_a_line() -> None:
    rows = list(csv.DictReader(shown(SHOP, "csv")))

    assert [(row["name"], row["depth"], row["parent"]) for row in rows[:3]] == [
        ("shop", "0", ""), ("web", "1", "/stack/shop/"), ("web-1", "2", "/service/web/"),
    ]  # fmt: skip


def test_a_tree_as_deep_as_a_hostile_stream_likes() -> None:
    root = node("container", "last", "Running")
    for _ in range(5000):
        root = node("container", "x", "Running", root)

    assert shown(root, "json")[0].count("children") == 5001
    assert len(shown(root)) == 5001
