"""A tree, drawn for people and nested for programs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta

from archiver.cli.answers import tree as tree
from archiver.cli.listing.cutting import width
from archiver.cli.presentation import Format, Presentation
from archiver.model import Coverage, Gap, TreeNode

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SINCE = datetime(2026, 11, 20, 14, 48, tzinfo=UTC)


def node(kind: str, name: str | None, state: str | None, *children: TreeNode) -> TreeNode:
    gone_at = SINCE if state == "Terminated" else None
    return TreeNode(f"/{kind}/{name}/", kind, name, state, SINCE if state else None, children, gone_at)


SHOP = node(
    "stack", "shop", "Running",
    node("service", "web", "Running", node("container", "web-1", "Running"), node("container", "web-0", "Terminated")),
    node("service", "old", "Terminated", node("container", "old-1", "Terminated")),
    node("service", "db", None),
)  # fmt: skip


def shown(root: TreeNode, format: Format = "table", *, whole: bool = False) -> list[str]:
    return list(tree.lines(Presentation(format, now=NOW), root, whole=whole))


def test_it_is_drawn_and_says_what_is_gone() -> None:
    assert shown(SHOP) == [
        "stack shop  /stack/shop/  Running  3h12m",
        "├── service web  /service/web/  Running  3h12m",
        "│   ├── container web-1  /container/web-1/  Running  3h12m",
        "│   └── container web-0  /container/web-0/  Terminated  gone 3h12m ago",
        "├── service old  /service/old/  Terminated  gone 3h12m ago",
        "│   └── container old-1  /container/old-1/  Terminated  gone 3h12m ago",
        "└── service db  /service/db/",
    ]


def test_what_a_clock_that_is_ahead_dates_later_than_now_is_no_time_old() -> None:
    ahead = node("container", "web-1", "Running")._replace(since=NOW + timedelta(seconds=2))

    assert shown(ahead) == ["container web-1  /container/web-1/  Running  0s"]


def test_a_state_as_long_as_somebody_likes_leaves_each_node_in_its_line() -> None:
    hostile = node("stack", "s", "Stopped", node("container", "web-1", "Stopped " + "long" * 60))
    for columns in (60, 100):
        drawn = list(tree.lines(Presentation("table", now=NOW, columns=columns), hostile))
        assert max(map(width, drawn)) <= columns
        assert drawn[1].endswith("long  3h12m")


def test_a_state_from_before_a_gap_has_a_question_mark() -> None:
    web = node("container", "web-1", "Running")._replace(certain=False)
    watched = web._replace(at=NOW, coverage=Coverage((Gap("ws://x", SINCE, None, "cut"),), SINCE))
    imported = web._replace(at=NOW, coverage=Coverage((Gap(None, None, None, "imported"),)))

    assert shown(watched) == ["container web-1  /container/web-1/  Running?  3h12m"]
    assert shown(imported) == ["container web-1  /container/web-1/  Running  3h12m"]


def test_line_that_is_too_long_for_the_terminal_keeps_the_end_of_the_id_and_the_state() -> None:
    root = node("service", "a-rather-long-name-of-a-service", "Running")
    narrow = Presentation("table", now=NOW, columns=50)

    (line,) = tree.lines(narrow, root)
    (whole,) = tree.lines(Presentation("table", now=NOW), root)

    assert (len(line), len(whole) > 60) == (50, True)
    assert root.uri is not None
    assert f"{root.uri[-6:]}  Running" in line


def test_plain_is_whole_and_indented() -> None:
    lines = shown(SHOP, "plain")

    assert len(lines) == 7
    assert lines[2] == "    /container/web-1/\tcontainer\tweb-1\tRunning\t2026-11-20T14:48:00Z\t-"


def test_json_is_the_contract() -> None:
    whole = json.loads(shown(SHOP, "json")[0])

    own = ["uri", "type", "name", "state", "since", "gone_at", "certain", "image"]
    assert list(whole) == [*own, "at", "coverage", "empty", "children"]
    assert whole["gone_at"] is None
    assert [child["name"] for child in whole["children"]] == ["web", "old", "db"]
    assert whole["children"][0]["children"][1] == {
        "uri": "/container/web-0/", "type": "container", "name": "web-0", "state": "Terminated",
        "since": "2026-11-20T14:48:00Z", "gone_at": "2026-11-20T14:48:00Z", "certain": None, "image": None,
        "children": [],
    }  # fmt: skip
    assert whole["children"][2]["since"] is None


def test_csv_has_one_node_a_line() -> None:
    rows = list(csv.DictReader(shown(SHOP, "csv")))

    assert [(row["name"], row["depth"], row["parent"]) for row in rows[:3]] == [
        ("shop", "0", ""), ("web", "1", "/stack/shop/"), ("web-1", "2", "/service/web/"),
    ]  # fmt: skip


def test_an_image_stands_behind_where_there_is_room() -> None:
    web = node("container", "web-1", "Running")._replace(image="nginx:1.25")
    narrow = Presentation("table", now=NOW, columns=50)

    assert shown(web) == ["container web-1  /container/web-1/  Running  3h12m  nginx:1.25"]
    assert list(tree.lines(narrow, web)) == ["container web-1  /container/web-1/  Running  3h12m"]


def test_with_all_csv_and_plain_say_since_when_it_is_gone() -> None:
    rows = list(csv.DictReader(shown(SHOP, "csv", whole=True)))

    assert [row["gone_at"] for row in rows[2:4]] == ["", "2026-11-20T14:48:00Z"]
    assert shown(SHOP, "plain", whole=True)[2].endswith("2026-11-20T14:48:00Z\t-\t-")


def test_a_tree_as_deep_as_a_hostile_stream_likes() -> None:
    root = node("container", "last", "Running")
    for _ in range(5000):
        root = node("container", "x", "Running", root)

    assert shown(root, "json")[0].count("children") == 5001
    assert len(shown(root)) == 5001
