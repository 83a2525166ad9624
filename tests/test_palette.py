"""The map's colours as colour-blind people and grey printers see them."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livingcircle import _map_data

PAGE = Path(_map_data.__file__).parent / "page"
# Machado, Oliveira and Fernandes 2009: what is left of linear RGB when one kind of cone is missing.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = TO_XYZ.sum(axis=1)
LEAST = 10.0  # CIE76; about 2.3 is just noticeable, 10 is seen at a glance
LEAST_GREY = 9.0  # steps of lightness, of 100: what a grey printer keeps apart


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, D65."""
    part = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(part > (6 / 29) ** 3, np.cbrt(part), part / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def seen(colour: str, sight: str) -> np.ndarray:
    return lab(np.asarray(SIGHT[sight]) @ linear(colour))


def palettes() -> dict[str, list[str]]:
    """The classes of the page, as its code has them."""
    code = (PAGE / "data.js").read_text(encoding="utf-8")
    block = re.search(r"const COLOURS = \{(.*?)\n\};", code, re.S)[1]
    return {name: re.findall(r"#[0-9a-f]{6}", row) for name, row in re.findall(r"(\w+): \[([^\]]*)\]", block)}


def test_the_formula_knows_white_black_and_a_published_grey():
    assert lab(linear("#ffffff")) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab(linear("#000000")) == pytest.approx([0, 0, 0], abs=0.02)
    assert lab(linear("#777777"))[0] == pytest.approx(50.03, abs=0.05)


@pytest.mark.parametrize("name", ["share", "gap"])
@pytest.mark.parametrize("sight", SIGHT)
def test_neighbouring_classes_are_told_apart(name, sight):
    colours = palettes()[name]
    assert len(colours) == 5
    steps = [float(np.linalg.norm(seen(a, sight) - seen(b, sight))) for a, b in pairwise(colours)]
    assert min(steps) >= LEAST, [round(step, 1) for step in steps]


@pytest.mark.parametrize("name", ["share", "gap"])
def test_classes_darken_evenly_enough_for_grey_paper(name):
    lightness = [float(seen(colour, "full")[0]) for colour in palettes()[name]]
    steps = [a - b for a, b in pairwise(lightness)]
    assert min(steps) >= LEAST_GREY, [round(step, 1) for step in steps]


@pytest.mark.parametrize("sight", SIGHT)
def test_parts_of_a_pie_are_told_apart(sight):
    code = (PAGE / "communities.js").read_text(encoding="utf-8")
    parts = re.search(r"const PIE = \{(.*?)\}", code)[1]
    covered, falsely, left = (lab(np.asarray(SIGHT[sight]) @ linear(c)) for c in _colours(parts))
    for a, b in ((covered, falsely), (falsely, left), (covered, left)):
        assert np.linalg.norm(a - b) >= 2 * LEAST


def _colours(text: str) -> list[str]:
    return [c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:]) for c in re.findall(r"#[0-9a-f]{3,6}", text)]


def test_missing_data_is_grey():
    code = (PAGE / "communities.js").read_text(encoding="utf-8")
    for name in ("GREY", "STRIPE"):
        lightness, a, b = seen(re.search(rf'const {name} = "(#[0-9a-f]{{6}})"', code)[1], "full")
        assert np.hypot(a, b) < 5  # no hue: never red
        assert lightness > 60
