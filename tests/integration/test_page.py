"""A page in a real Chromium: what it draws, how keys and search drive it, and that nothing in it ever acts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.model import Lanes
from archiver.report.html import page

from ..chromium import NO_CHROMIUM, Tab, find_chromium, running_chromium
from ..conftest import without_chromium
from ..unit.lanes import action, at, gap, lane, lanes, span
from ..unit.test_report_page import HOSTILE
from .archives import event, record
from .archives import opened as arrived
from .serving import serving

UP, PAPER, DARK = (43, 157, 120), (255, 255, 255), (21, 25, 30)
"""Colours of the page's style."""
DOWN = 9
"""What stands for a state that is down, among the ranks."""


@pytest.fixture(scope="module")
def tab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all."""
    binary = find_chromium()
    if binary is None:
        request.config.stash[without_chromium] = NO_CHROMIUM
        if os.environ.get("ARCHIVER_REQUIRE_CHROMIUM") == "1":
            pytest.fail(NO_CHROMIUM, pytrace=False)
        pytest.skip(NO_CHROMIUM)
    with running_chromium(binary, tmp_path_factory.mktemp("chromium") / "profile") as tab:
        yield tab


def crash() -> Lanes:
    """A container that ran, died, runs; one that vanished; an action; a gap."""
    died = (span("running", 0, 30), span("exited (137)", 30, 35, note="out of memory"), span("running", 35))
    gone = (span("created", 5, 6), span("running", 6, 50), span("exited (0)", 50, 51), span("removed", 51))
    web = lane("shop_web.1", *died, actions=(action("deploy", 20, 22), action("kill", 80, 80)))
    return lanes(
        web, lane("shop_web.2", *gone, key="c2"), lane("shop_db", span("running", 1), key="c3"), gaps=(gap(60, 70),)
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page") / "shop.html", crash())


def written(path: Path, picture: Lanes, now: float = 100) -> Path:
    path.write_text("".join(page(picture, now=at(now))), encoding="utf-8")
    return path


@pytest.fixture
def opened(tab: Tab, file: Path) -> Iterator[Tab]:
    """The page, opened anew; it must have complained of nothing and asked for nothing when a test is done with it."""
    tab.seen()
    tab.open(file)
    yield tab
    assert tab.complaints == []
    assert tab.requests == [file.as_uri()]


def view(tab: Tab) -> tuple[float, float]:
    """From where to where in minutes the page shows."""
    since, until = tab.ask("[page.view.since, page.view.until].map(t => (t - page.picture.since) / 60000)")
    return since, until


def said(tab: Tab) -> str:
    return str(tab.ask("document.getElementById('said').textContent"))


# --- what is drawn --------------------------------------------------------------------------------------------------


def colours(tab: Tab, lane: int, minute: float) -> list[int]:
    """Red, green and blue in the middle of a lane's band at an instant."""
    return list(
        tab.ask(
            f"""(() => {{
              const {{drawing, view, picture}} = page;
              drawing.draw(view, 0, null);
              const x = Math.round(drawing.x(picture.since + {minute} * 60000) * drawing.scale);
              const y = Math.round((30 + view.rows.indexOf(picture.lanes[{lane}]) * 24 + 8) * drawing.scale);
              const copy = new OffscreenCanvas(1, 1).getContext('2d', {{willReadFrequently: true}});
              copy.drawImage(drawing.canvas, -x, -y);
              return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
            }})()"""
        )
    )


def test_states_are_bands_of_their_colours_and_a_gap_is_a_hole(opened: Tab) -> None:
    assert colours(opened, 1, 10) == list(UP)
    assert colours(opened, 3, 65) != list(UP)
    assert colours(opened, 2, 2) == list(PAPER)
    assert colours(opened, 2, 20) == list(UP)


def test_what_is_known_from_before_the_gap_is_pale_behind_it(opened: Tab) -> None:
    behind = colours(opened, 3, 85.5)
    assert behind not in (list(UP), list(PAPER))


def test_a_crash_of_a_moment_is_seen_when_the_whole_is(tab: Tab, tmp_path: Path) -> None:
    moments = [span("running", minute, minute + 0.999) for minute in range(9_000)]
    crashes = [span("exited (1)", minute + 0.999, minute + 1) for minute in range(9_000)]
    flapping = sorted([*moments, *crashes], key=lambda each: each.since)
    tab.seen()
    tab.open(written(tmp_path / "flaps.html", lanes(lane("flaps", *flapping), until=10_000), 10_000))
    columns = tab.ask("[...page.drawing.columnsOf([page.picture.lanes[1]])]")
    seen = [value for value in columns if value]
    assert len(seen) > 700
    assert set(seen) == {DOWN}


def test_light_and_dark_follow_the_reader(tab: Tab, file: Path) -> None:
    tab.seen(dark=True)
    tab.open(file)
    assert colours(tab, 2, 2) == list(DARK)
    tab.seen(dark=False)
    tab.until("page.drawing.palette.paper === '#ffffff'")
    assert colours(tab, 2, 2) == list(PAPER)


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_bands_stand_out_from_the_paper(tab: Tab, file: Path, dark: bool) -> None:
    tab.seen(dark=dark)
    tab.open(file)
    for names, least in ((TEXTS, 4.5), (BANDS, 3)):
        found = tab.ask(CONTRASTS.replace("NAMES", str(names)))
        assert min(found.values()) >= least, found


TEXTS = ["ink", "quiet", "exit", "action", "found", "chosen"]
BANDS = ["up", "starting", "down", "gone", "other"]
CONTRASTS = """(() => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const whole = parseInt(style.getPropertyValue('--' + name).trim().slice(1), 16);
    const [r, g, b] = [whole >> 16, (whole >> 8) & 255, whole & 255].map((each) => {
      const share = each / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const against = (name) => {
    const [low, high] = [light(name), light('paper')].sort((one, other) => one - other);
    return (high + 0.05) / (low + 0.05);
  };
  return Object.fromEntries(NAMES.map((name) => [name, against(name)]));
})()"""


# --- keys -----------------------------------------------------------------------------------------------------------


def test_keys_zoom_and_pan_and_fit(opened: Tab) -> None:
    whole = view(opened)
    opened.press("w", "w")
    near = view(opened)
    assert near[1] - near[0] == pytest.approx((whole[1] - whole[0]) / 2.25)
    opened.press("d")
    assert view(opened)[0] == pytest.approx(near[0] + (near[1] - near[0]) / 4)
    opened.press("a", "s", "s")
    assert view(opened) == pytest.approx(whole)
    opened.press("w", "f")
    assert view(opened) == pytest.approx(whole)


def test_keys_go_to_exits_gaps_and_actions(opened: Tab) -> None:
    opened.press("e")
    assert said(opened) == ("container shop_web.1: exited (137) since 2026-11-20 12:30:00 UTC for 5m (out of memory)")
    opened.press("e")
    assert said(opened).startswith("container shop_web.2: exited (0) since 2026-11-20 12:50:00")
    opened.press("E")
    assert said(opened).startswith("container shop_web.1: exited (137)")
    opened.press("g")
    assert (
        said(opened)
        == "nobody was watching from 2026-11-20 13:00:00 UTC for 10m: connection lost (unix:///var/run/docker.sock)"
    )
    opened.press("]")
    assert said(opened).startswith("container shop_web.1: kill (Success)")
    opened.press("[")
    assert said(opened).startswith("container shop_web.1: deploy (Success) at 2026-11-20 12:20:00 UTC, took 2m")


def test_arrows_walk_lanes_and_states_and_enter_folds(opened: Tab) -> None:
    opened.ask("document.getElementById('lanes').focus()")
    opened.press("ArrowDown")
    assert said(opened).startswith("stack shop, 3 under it")
    opened.press("Enter")
    opened.until("page.view.rows.length === 1")
    opened.press("Enter", "ArrowDown", "ArrowRight", "ArrowRight")
    opened.press("ArrowLeft")
    assert said(opened).startswith("container shop_web.1: ")
    assert opened.ask("page.view.rows.length") == 4


def test_two_presses_of_m_measure(opened: Tab) -> None:
    opened.press("e", "m", "e", "m")
    assert said(opened) == "20m between the two"
    opened.press("m")
    assert opened.ask("page.view.measured") is None


def test_what_vanished_can_be_hidden(opened: Tab) -> None:
    opened.press("v")
    opened.until("page.view.rows.length === 3")
    opened.press("v")
    opened.until("page.view.rows.length === 4")


def test_the_question_mark_shows_the_keys(opened: Tab) -> None:
    opened.press("?")
    opened.until("document.getElementById('help').open")
    opened.press("Escape")
    opened.until("!document.getElementById('help').open")


def test_the_pointer_folds_chooses_drags_and_zooms(opened: Tab) -> None:
    whole = view(opened)
    opened.click(60, lane_y(opened, 0))
    opened.until("page.view.rows.length === 1")
    opened.click(60, lane_y(opened, 0))
    opened.until("page.view.rows.length === 4")
    opened.click(500, lane_y(opened, 1))
    assert said(opened).startswith("container shop_web.1: running since 2026-11-20 12:00:00")
    opened.press("w", "w")
    near = view(opened)
    opened.drag((700, lane_y(opened, 2)), (800, lane_y(opened, 2)))
    assert view(opened)[0] < near[0]
    assert view(opened)[1] - view(opened)[0] == pytest.approx(near[1] - near[0])
    opened.wheel(700, lane_y(opened, 2), 4_000, ctrl=True)
    assert view(opened) == pytest.approx(whole)
    opened.click(0, 0)


def lane_y(tab: Tab, row: int) -> float:
    """Where on the screen the middle of a row is."""
    return float(tab.ask(f"document.getElementById('lanes').getBoundingClientRect().top + 30 + {row} * 24 + 10"))


def test_search_finds_names_states_and_actions_in_turn(opened: Tab) -> None:
    opened.press("/", *"kill", "Enter")
    assert said(opened).startswith("container shop_web.1: kill")
    opened.until("document.getElementById('hits').textContent === '1 of 1'")  # as the next frame has it
    opened.ask("(() => { const box = document.getElementById('search'); box.value = 'SHOP_WEB';"
               " box.dispatchEvent(new Event('input')); document.getElementById('lanes').focus(); })()")  # fmt: skip
    assert said(opened).startswith("container shop_web.1, ")
    opened.press("n")
    assert said(opened).startswith("container shop_web.2, ")
    opened.press("n")
    assert said(opened).startswith("container shop_web.1, ")


def test_a_name_that_has_no_room_keeps_the_key_that_tells_it_from_another(tab: Tab, tmp_path: Path) -> None:
    alike = [lane("a-name-of-forty-characters-that-is-too-long", span("running", 0), key=key * 64) for key in "ab"]
    tab.seen()
    tab.open(written(tmp_path / "alike.html", lanes(*alike)))
    shown = [tab.ask(f"page.drawing.fitting(page.picture.lanes[{row}].name, 200)") for row in (1, 2)]
    assert [text[-16:] for text in shown] == [f"… ({key * 12})" for key in "ab"]
    long = "page.drawing.fitting('shop_web_of_the_north.17', 120, { ends: true })"
    assert tab.ask(long).endswith("…th.17")
    assert tab.ask("page.drawing.fitting('x'.repeat(99), 80)").startswith("xxx")


def test_the_button_folds_what_has_anything_below_it_and_unfolds_all(opened: Tab) -> None:
    fold = "(document.getElementById('fold').click(), page.draw(), page.view.rows.length)"
    assert [opened.ask(fold) for _ in range(4)] == [1, 4, 1, 4]


def test_the_address_restores_what_was_seen(opened: Tab, file: Path) -> None:
    opened.press("e", "w", "w", "m", "e", "m", "v", "u")
    seen = opened.ask("(page.tell(), page.draw(), [location.hash, view_of()])".replace("view_of()", _STANDING))
    opened.open(file, seen[0])
    assert opened.ask(_STANDING) == pytest.approx(seen[1])
    opened.requests[:] = [url.partition("#")[0] for url in opened.requests]


_STANDING = (
    "[page.view.since, page.view.until, ...page.view.measured, +page.view.gone, +page.view.utc,"
    " page.view.chosen.lane.index, page.view.chosen.piece].map(Math.round)"
)


def test_an_address_of_nonsense_shows_the_whole(tab: Tab, file: Path) -> None:
    tab.seen()
    for nonsense in ("#t=x~y&f=9999.-1.z&c=77.88&m=~&q=%00", "#t=1~1", "#%E0%A4%A", "#" + "t=1~2&" * 1_000):
        tab.open(file, nonsense)
        assert tab.ask("page.view.until > page.view.since && page.view.rows.length > 0")
        assert tab.complaints == []


# --- otherwise ------------------------------------------------------------------------------------------------------


def test_hostile_names_do_nothing(tab: Tab, tmp_path: Path) -> None:
    found = [lane(name, span(name[:200], 0, 50, note=name), key=name, actions=(action(name, 3),)) for name in HOSTILE]
    nasty = written(tmp_path / "nasty.html", lanes(*found, gaps=(gap(60, 70, HOSTILE[0]),)))
    tab.seen()
    tab.open(nasty)
    tab.press("e", "]", "g", "/", *"script", "Enter")
    tab.ask("for (const lane of page.picture.lanes) page.choose({ lane })")
    assert tab.ask("document.scripts.length") == 3
    assert tab.complaints == []
    assert tab.requests == [nasty.as_uri()]
    assert tab.ask("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_script_the_page_says_the_same(tab: Tab, file: Path) -> None:
    tab.seen()
    tab.open(file, script=False)
    shown = tab.call("Page.captureSnapshot")["data"]
    assert "nobody was watching for 1 gap, 10m" in shown
    layout = tab.call("Page.getLayoutMetrics")["cssContentSize"]
    assert layout["height"] > 400
    still = tab.shown(".still")
    assert still["width"] > 500
    tab.open(file)
    assert tab.shown(".still") is None


def test_a_script_that_cannot_do_its_work_hides_nothing(tab: Tab, file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(file.read_text().replace('"lanes":', '"bands":', 1))
    tab.open(broken)
    assert tab.complaints
    assert tab.shown(".still") is not None


def test_a_page_prints_all_rows_of_what_is_seen(opened: Tab) -> None:
    printed = opened.call("Page.printToPDF", printBackground=True)["data"]
    assert len(printed) > 10_000
    assert not opened.ask("document.documentElement.classList.contains('paper')")


def test_a_served_page_is_drawn_anew_as_things_happen_and_what_is_seen_stays(tab: Tab, sqlite_url: str) -> None:
    record(sqlite_url, arrived("one", 0), event("container/first", "Running", 1, ["stack/s"], "one"))
    with serving(sqlite_url) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/timeline?ref=stack/s"
        tab.seen()
        tab.go(address)
        tab.ask("page.choose({ lane: page.picture.lanes[1], piece: 0 })")
        tab.press("w", "w")
        tab.ask("page.searched('unning')")
        seen = view(tab)
        record(sqlite_url, event("container/another", "Starting", 2, ["stack/s"], "one")._replace(name="a"))
        tab.until("page.picture.lanes.length === 3")
        tab.until("page.view.rows.length === 3")
        assert view(tab)[1] - view(tab)[0] == pytest.approx(seen[1] - seen[0])
        assert tab.ask("[page.view.chosen.lane.index, page.view.chosen.lane.uri]") == [2, "/api/v1/container/first/"]
        assert tab.ask("[page.view.chosen.piece, page.hit, page.hits.length]") == [0, 0, 1]
        assert tab.complaints == []
        assert {url.partition("?")[0] for url in tab.requests} == {
            address.partition("?")[0],
            address.partition("?")[0] + "/live",
        }
        tab.go("about:blank")
