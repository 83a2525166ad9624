"""Scan a small town again and again and kill every scan at a random moment; started by test_survival.

A process of its own, which loads everything once and forks: twenty starts of the program would take minutes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from livingcircle.runs import Work, scan_into
from small_city import CSV_FILES, small_study


def main(folder: Path, kills: int, seed: int) -> None:
    """Scan undisturbed, then with as many kills, then to the end; print how it went as JSON."""
    study = small_study(folder)
    calm, out = folder / "calm", folder / "out"
    scan_into(study, calm)
    start = time.perf_counter()
    scan_into(study, folder / "timed", work=Work(resume=True))
    usual_s = time.perf_counter() - start
    chance = random.Random(seed)
    killed, longest = 0, 0
    while killed < kills:
        child = os.fork()
        if child == 0:
            scan_into(study, out, work=Work(resume=True))
            os._exit(0)
        time.sleep(usual_s * chance.random())
        os.kill(child, signal.SIGKILL)
        if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            killed += 1
        else:  # it was faster: begin anew
            longest += 1
            shutil.rmtree(out)
    told: list[str] = []
    scan_into(study, out, work=Work(resume=True), progress=lambda event: told.append(str(event)))
    equal = {name: (calm / name).read_bytes() == (out / name).read_bytes() for name in CSV_FILES}
    left = sorted(path.name for path in out.iterdir() if path.name.startswith(".livingcircle"))
    print(json.dumps({"killed": killed, "finished": longest, "equal": equal, "hidden": left, "told": told[-1]}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
