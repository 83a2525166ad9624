"""Whole scans of made cities of several sizes: seconds by stage, wall and processor time, memory, and how they grow.

LIVINGCIRCLE_DATA=../shared/data python benchmarks/city.py FOLDER --copies 1 2 3 6 [--memory 1GB]

Each city is made once into FOLDER (`made_city.py`) and scanned with all outputs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _porto import machine

HERE = Path(__file__).parent
COMMUNITIES, HOMES = 1450, 333_333  # of one copy; three copies are a city of a million homes
MARKS = ("<!-- city.py begins -->", "<!-- city.py ends -->")


@dataclass(frozen=True)
class Run:
    """One finished scan: copies of Porto, seconds of wall and processor, peak of resident memory, seconds by stage."""

    copies: int
    wall_s: float
    cpu_s: float
    peak_gb: float
    stages: dict[str, float]


def made(folder: Path, copies: int) -> Path:
    """Return the folder of a made city, which is made if it is not there."""
    city = folder / f"city_{copies}"
    if not (city / "study.toml").exists():
        sizes = ["--communities", str(COMMUNITIES * copies), "--homes", str(HOMES * copies)]
        subprocess.run([sys.executable, HERE / "made_city.py", city, "--copies", str(copies), *sizes], check=True)
    return city


def scanned(city: Path, copies: int, options: list[str]) -> Run:
    """Scan a city in a process of its own; with several processes the memory is that of the largest."""
    out = city / "out"
    command = [sys.executable, "-m", "livingcircle.cli", "scan", str(city / "study.toml"), "-o", str(out), *options]
    start = time.perf_counter()
    child = os.posix_spawn(sys.executable, command, dict(os.environ))
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"the scan of {city} failed with status {os.waitstatus_to_exitcode(status)}")
    stages = json.loads((out / "run.json").read_text(encoding="utf-8"))["timings_s"]
    stages["start and end"] = round(wall - sum(stages.values()), 3)
    return Run(copies, wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9, stages)


def exponent(sizes: list[int], values: list[float]) -> float:
    """Return b of values = a · size^b, fitted to the logarithms; 1 is linear.

    Examples
    --------
    >>> round(exponent([1, 2, 4], [3.0, 6.0, 12.0]), 6)
    1.0
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def table(runs: list[Run]) -> str:
    """Return the runs as a table of Markdown, with the exponents of growth where there are several sizes."""
    names = list(dict.fromkeys(name for run in runs for name in run.stages))
    head = ["copies", "homes", "wall s", "CPU s", "peak GB", *names]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for run in runs:
        cells = [str(run.copies), f"{run.copies * HOMES:,}", f"{run.wall_s:.0f}", f"{run.cpu_s:.0f}"]
        cells += [f"{run.peak_gb:.2f}", *(f"{run.stages.get(name, 0):.1f}" for name in names)]
        lines.append("| " + " | ".join(cells) + " |")
    if len(runs) > 1:
        sizes = [run.copies for run in runs]
        told = ("wall_s", "cpu_s", "peak_gb")
        grown = (f"{name} ∝ size^{exponent(sizes, [getattr(run, name) for run in runs]):.2f}" for name in told)
        lines += ["", "Growth: " + ", ".join(grown) + " (1 is linear)."]
    return "\n".join(lines)


def plot(runs: list[Run], path: Path) -> None:
    """Draw seconds and memory against the number of copies; linear growth is a straight line."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 4))
    copies = [run.copies for run in runs]
    axes[0].plot(copies, [run.wall_s for run in runs], "o-", label="wall")
    axes[0].plot(copies, [run.cpu_s for run in runs], "s--", label="processor")
    axes[0].set(ylabel="seconds")
    axes[0].legend()
    axes[1].plot(copies, [run.peak_gb for run in runs], "o-")
    axes[1].set(ylabel="peak memory, GB")
    for one in axes:
        one.set(xlabel="copies of Porto", xlim=0, ylim=0, xticks=copies)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})


def write_down(text: str, readme: Path) -> None:
    """Put a text between the marks of the README, at its end where there are none yet."""
    whole = readme.read_text(encoding="utf-8")
    before, _, rest = whole.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2] or "\n"
    gap = "" if rest else "\n"
    readme.write_text(f"{before}{gap}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Make, scan, print, and write table and plot beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 2, 3, 6])
    parser.add_argument("--memory", help="as for livingcircle scan")
    options = parser.parse_args()
    extra = ["--memory", options.memory] if options.memory else []
    runs = [scanned(made(options.folder, n), n, extra) for n in options.copies]
    text = f"Whole scans, bundle `chengdu`, all outputs. {machine('pandas')}\n\n{table(runs)}\n\n![growth](city.png)"
    print(text)
    plot(runs, HERE / "city.png")
    write_down(text, HERE / "README.md")


if __name__ == "__main__":
    main()
