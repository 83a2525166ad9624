"""Pictures of the hearing map: its scenes as PNG or PDF, drawn by an installed Chromium that sees no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlencode

from livingcircle.output_folder import replaced_file
from livingcircle.progress import Event, Note
from livingcircle.result import ScanResult
from livingcircle.saved import load_result, save_map
from livingcircle.scenes import CITY, Scene, scenes_of
from livingcircle_layers.errors import InputError, UsageError

Kind = Literal["png", "pdf"]

BROWSER_VARIABLE = "LIVINGCIRCLE_BROWSER"
BROWSERS = (  # by name on the path, then where installers put them
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)  # fmt: skip
SHEET = "1588,1123"  # A3 landscape, 420 x 297 mm, at 96 pixels an inch
DENSITY = 2  # pixels of a PNG for each of these: 192 an inch
WAIT_MS = 20_000  # of the page's own time, which does not pass while it computes
TIMEOUT_S = 180
_OFFLINE = (
    "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--no-default-browser-check",
    "--disable-extensions", "--disable-sync", "--disable-background-networking", "--disable-component-update",
    "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def map_pictures(
    directory: str | Path, *, kinds: Sequence[Kind] = ("png",), scene: str = "", language: str = ""
) -> list[Path]:
    """Draw the map of a finished scan as sheets of A3 in landscape, beside its `map.html`, which is drawn again too.

    Parameters
    ----------
    directory
        Folder of a finished scan.
    kinds
        png, pdf or both. A PDF has the sheet of the chosen unit on further pages.
    scene
        Number of a scene, counted from 1; all; empty: the map as it opens.
    language
        zh or en; empty: Chinese.

    Returns
    -------
    list of pathlib.Path
        `map.png`, or `map-scene-1.png` and so on.

    Raises
    ------
    InputError
        The folder holds no finished scan, no Chromium is installed, or the browser draws nothing.
    UsageError
        There is no such scene.
    """
    folder = Path(directory)
    result = load_result(folder)
    chosen = chosen_scenes(result, scene)
    browser = find_browser()
    page = save_map(result, folder)
    made = []
    for number in chosen:
        for kind in kinds:
            # x: the first sheet alone; what is printed to a PDF lays itself out as sheets
            parts = {"k": str(number) if number else "", "l": language, "x": "1" if kind == "png" else ""}
            address = f"{page.resolve().as_uri()}#{urlencode({k: v for k, v in parts.items() if v})}"
            path = folder / (f"map-scene-{number}.{kind}" if number else f"map.{kind}")
            with replaced_file(path) as stage:
                _draw(browser, address, stage, kind)
            made.append(path)
    return made


def scene_pictures(
    result: ScanResult,
    folder: Path,
    *,
    language: str = "",
    inside: tuple[str, Collection[str]] | None = None,
    progress: Callable[[Event], None] | None = None,
) -> list[tuple[str, Path]]:
    """Draw every scene of a result as a PNG into a folder, for a report; return titles and files.

    Parameters
    ----------
    inside
        A unit as the map names it (``district:510104``) and its communities: scenes of the whole city are seen from
        the unit, and those of a community that lies elsewhere are left out.
    progress
        Called with an event before each.
    """
    browser, page = find_browser(), save_map(result, folder)
    made = []
    for number, scene in enumerate(scenes_of(result), start=1):
        unit = parse_qs(scene["hash"]).get("u", [CITY])[0]
        level, _, name = unit.partition(":")
        if inside is not None and level == "community" and name not in inside[1]:
            continue
        if inside is not None and unit == CITY:
            unit = inside[0]
        title = scene["en" if language == "en" else "zh"]
        if progress is not None:
            progress(Note(f"drawing the map: {title}"))
        address = urlencode({"k": str(number), "u": unit, "l": language or "zh", "x": "1"})
        path = folder / f"scene-{number}.png"
        _draw(browser, f"{page.resolve().as_uri()}#{address}", path, "png", density=1.5)
        made.append((title, path))
    return made


def chosen_scenes(result: ScanResult, scene: str) -> list[int]:
    """Return the numbers of the scenes that are asked for, counted from 1; 0 is the map as it opens."""
    scenes = scenes_of(result)
    if not scene:
        return [0]
    if scene == "all" and scenes:
        return list(range(1, len(scenes) + 1))
    if scene.isdecimal() and 1 <= int(scene) <= len(scenes):
        return [int(scene)]
    raise UsageError("there is no such scene", got=scene, expected=_listed(scenes))


def _listed(scenes: Sequence[Scene]) -> str:
    if not scenes:
        return "no --scene: the data of this scan suggest none, and its study has no [[scene]]"
    return "all, or " + ", ".join(f"{number} {scene['zh']}" for number, scene in enumerate(scenes, start=1))


def find_browser() -> str:
    """Return the path of an installed Chromium, Chrome or Edge.

    Raises
    ------
    InputError
        None is found.
    """
    named = os.environ.get(BROWSER_VARIABLE, "")
    for name in [named] if named else BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    raise InputError(
        "pictures of the map are drawn by a Chromium browser",
        got=f"{BROWSER_VARIABLE}={named}, which is no program" if named else "none installed",
        remedy=f"install Chromium, Chrome or Edge, or name one in {BROWSER_VARIABLE}; "
        "or open map.html in any browser and print it",
    )


def _draw(browser: str, address: str, path: Path, kind: Kind, *, density: float = DENSITY) -> None:
    """Let the browser draw one page into a file."""
    with tempfile.TemporaryDirectory(prefix="livingcircle-browser-", ignore_cleanup_errors=True) as profile:
        drawn = Path(profile) / f"drawn.{kind}"
        wanted = [f"--screenshot={drawn}"] if kind == "png" else [f"--print-to-pdf={drawn}", "--no-pdf-header-footer"]
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # its sandbox refuses root
        command = [
            browser, *_OFFLINE, *root, f"--user-data-dir={profile}", f"--window-size={SHEET}",
            f"--force-device-scale-factor={density if kind == 'png' else 1}", f"--virtual-time-budget={WAIT_MS}",
            *wanted, address,
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise _not_drawn(browser, str(fault)) from fault
        if not drawn.is_file() or drawn.stat().st_size == 0:
            raise _not_drawn(browser, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no file")
        shutil.copyfile(drawn, path)


def _not_drawn(browser: str, why: str) -> InputError:
    return InputError(
        f"{browser} did not draw the map", got=why, remedy="open map.html in a browser and print it, or update Chromium"
    )
