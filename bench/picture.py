"""Figures of the page: its first paint and a pan in a real Chromium, against a bare canvas of as many rectangles."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from archiver.api.archive import Archive
from archiver.report.html import page
from bench.figures import Figure
from bench.subjects import Subjects
from tests.chromium import Tab, find_chromium, running_chromium

BAR = 3
# What a browser has to do at the least: as many rectangles, of as many colours as states have, and nothing looked up.
BARE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bare</title></head>
<body><canvas id="lanes" width="1200" height="700"></canvas><script>
const context = document.getElementById("lanes").getContext("2d"), COUNT = {count};
const COLOURS = ["#2b9d78", "#c03b3b", "#d9a441", "#888888"];
function draw(moved) {{
  context.clearRect(0, 0, 1200, 700);
  for (let n = 0; n < COUNT; n++) {{
    context.fillStyle = COLOURS[n % 4];
    context.fillRect((n * 37 + moved) % 1200, (n * 24) % 700, 3, 13);
  }}
}}
draw(0);
</script></body></html>
"""
# The first frame with lanes in it: when the one after the first rectangle on their canvas has been painted.
NOTED = """{
  const drawing = CanvasRenderingContext2D.prototype, { fillRect } = drawing;
  drawing.fillRect = function (...given) {
    if (this.canvas.id === "lanes") {
      drawing.fillRect = fillRect;
      requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
    }
    fillRect.apply(this, given);
  };
}"""
# Reading a pixel waits until what was drawn is there.
PANNED = """(() => {{
  const context = document.getElementById("lanes").getContext("2d"), began = performance.now();
  for (let n = 1; n <= 20; n++) {{ {pan}; context.getImageData(0, 0, 1, 1); }}
  return (performance.now() - began) / 20;
}})()"""
PANS = ("page.view.pan(n % 2 ? 0.05 : -0.05); page.draw()", "draw(n)")


def figures(archive: Path, about: Subjects, folder: Path, rounds: int) -> list[Figure]:
    """Of the last day of everything; nothing where there is no Chromium."""
    binary = find_chromium()
    if binary is None:
        return []
    folder.mkdir(exist_ok=True)
    with Archive.open(f"sqlite:///{archive}") as asked:
        lanes = asked.lanes(about.cluster, about.day)
    count = sum(len(lane.spans) for lane in lanes.lanes)
    files = (folder / "page.html", folder / "bare.html")
    files[0].write_text("".join(page(lanes, now=about.day.until)), encoding="utf-8")
    files[1].write_text(BARE.format(count=count), encoding="utf-8")
    painted, panned = [], []
    with running_chromium(binary, folder / "profile") as tab:
        tab.seen()
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=NOTED)
        for _ in range(2 * rounds + 1):
            first, second = zip(
                *(_measured(tab, file, pan) for file, pan in zip(files, PANS, strict=True)), strict=True
            )
            painted.append(first)
            panned.append(second)
    what = f"the page of {count:,} states in {len(lanes.lanes):,} lanes"
    return [_figure(f"{what}, first paint", painted), _figure(f"{what}, a pan", panned)]


def _measured(tab: Tab, file: Path, pan: str) -> tuple[float, float]:
    """Milliseconds until the lanes are seen, and of a pan."""
    tab.open(file)
    return float(tab.until("window.painted")), float(tab.ask(PANNED.format(pan=pan)))


def _figure(what: str, taken: list[tuple[float, ...]]) -> Figure:
    own, bare = (median(each) for each in zip(*taken, strict=True))
    against = f"a canvas of as many rectangles: {bare:.1f} ms"
    return Figure(what, f"{own:.1f} ms", against, own / bare, BAR, at_most=True)
