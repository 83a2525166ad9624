"""The hearing map of a whole city in headless Chromium: file size, time to the first picture, frames of pan and zoom.

    python benchmarks/map.py [COMMUNITIES]

The city is made: communities with winding shared borders (as real outlines have), 20 rules, three circles each,
30,000 facilities, a street grid with 60,000 background lines. The browser runs without a graphics card and a network.
"""

from __future__ import annotations

import math
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from livingcircle.hearing_map import render_map
from whole_city import whole_city

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FRAMES = """() => {
    const gaps = window.gaps = [];
    let last = performance.now();
    window.watching = true;
    const tick = (now) => { gaps.push(now - last); last = now; if (window.watching) requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
}"""
REPAINTS = """() => Array.from({ length: 15 }, () => {
    const before = performance.now();
    painter.repaint();
    painter._container.getContext('2d').getImageData(0, 0, 1, 1); // waits until it is painted
    return performance.now() - before;
})"""


def percentiles(gaps: list[float]) -> str:
    """Return the median and the 95th percentile."""
    gaps = sorted(gaps)
    return f"p50 {statistics.median(gaps):.0f} ms, p95 {gaps[int(0.95 * len(gaps))]:.0f} ms"


def drag(page: Page) -> list[float]:
    """Return the frame times while the map is dragged with the mouse there and back."""
    page.evaluate(FRAMES)
    page.mouse.move(700, 400)
    page.mouse.down()
    for k in range(60):
        page.mouse.move(700 + 180 * math.sin(k / 9), 400 + 120 * math.sin(k / 7))
    page.mouse.up()
    return page.evaluate("() => { window.watching = false; return window.gaps; }")


def wheel(page: Page) -> list[float]:
    """Return the frame times while the map is zoomed in and out with the wheel."""
    page.evaluate(FRAMES)
    page.mouse.move(700, 400)
    for step in (-120, -120, 120, 120):
        page.mouse.wheel(0, step)
        page.wait_for_timeout(450)
    return page.evaluate("() => { window.watching = false; return window.gaps; }")


def main(number: int) -> None:
    """Make the city, draw its map, and measure it."""
    started = time.perf_counter()
    result = whole_city(number)
    print(f"made {len(result.communities):,} communities in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    text = render_map(result)
    print(f"rendered in {time.perf_counter() - started:.1f} s; file {len(text.encode()) / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "map.html"
        file.write_text(text, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        firsts = []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(file.as_uri())
            page.wait_for_selector("html[data-ready]")
            firsts.append(page.evaluate("new Promise((d) => requestAnimationFrame(() => d(performance.now())))"))
            if len(firsts) < 5:
                page.close()
        print(
            f"first picture after {statistics.median(firsts) / 1000:.2f} s (slowest of 5: {max(firsts) / 1000:.2f} s)"
        )
        rule = page.evaluate("colourable[0].key")
        for zoom in (None, 13, 15):
            if zoom:
                page.evaluate("(z) => map.setZoom(z, { animate: false })", zoom)
            for shown in ("score", rule):
                page.evaluate("(layer) => change({ layer, people: layer !== 'score' })", shown)
                at = page.evaluate("map.getZoom()")
                print(
                    f"zoom {at:.1f}, {shown}: frames while dragging {percentiles(drag(page))}; "
                    f"while zooming {percentiles(wheel(page))}; one repaint {percentiles(page.evaluate(REPAINTS))}"
                )
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_351)
