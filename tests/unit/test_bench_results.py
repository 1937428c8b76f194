"""The page of results: a run replaces what an earlier one of as many events left, and nothing else."""

from __future__ import annotations

from pathlib import Path

from bench import results
from bench.figures import Figure


def run(events: int, ratio: float) -> str:
    figure = Figure("import", "1 µs", "the script: 1 µs", ratio, 1.5, at_most=True)
    return results.section([figure], events, "python -m bench", 2, shared=False)


def test_results_of_another_size_stay(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    for section in (run(10_000_000, 1.25), run(300_000, 9.75), run(300_000, 1.5)):
        results.write(page, section)

    written = page.read_text()
    assert written.count("# Results") == 1
    assert written.index("## 300,000 events") < written.index("## 10,000,000 events")
    assert "9.75" not in written
    assert "1.25" in written


def test_a_missed_bar_is_named_beside_what_it_wants() -> None:
    assert "- import: 1 µs, the script: 1 µs: 1.51, wanted ≤ 1.5" in run(300_000, 1.51)
    assert "No bar is missed." in run(300_000, 1.5)
