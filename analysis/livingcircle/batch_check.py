"""The page about the inputs of a batch: of each district what `livingcircle.check` tells of a study."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livingcircle.batch import Batch, in_one_plane
from livingcircle.check import StudyCheck, check_study
from livingcircle.district_faults import check_districts
from livingcircle.progress import DistrictBegun, DistrictEnded, Progress, Stages, nobody, of_district
from livingcircle_layers.errors import LivingCircleError


@dataclass(frozen=True)
class BatchCheck:
    """What is in the inputs of the districts of a batch.

    Attributes
    ----------
    districts
        By name, in the order of the file: the page of a district, or its faults, a sentence each.
    """

    districts: Mapping[str, StudyCheck | tuple[str, ...]]

    @property
    def failed(self) -> list[str]:
        """The districts whose inputs cannot be used."""
        return [name for name, found in self.districts.items() if isinstance(found, tuple)]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the pages one after the other, and a line about all of them."""
        lines: list[str] = []
        for name, found in self.districts.items():
            if isinstance(found, tuple):
                lines += [f"district {name}: cannot be scanned", *found]
            else:
                lines += [f"district {name}:", *found.lines()]
        bad, all_ = self.failed, len(self.districts)
        if bad:
            return [*lines, f"{len(bad)} of {all_} districts cannot be scanned: {', '.join(bad)}"]
        return [*lines, f"nothing stops a scan of the {all_} districts"]

    def as_dict(self) -> dict[str, Any]:
        """Return the pages as plain values for JSON, under `districts`; a district with faults has only those."""
        return {
            "districts": {
                name: {"faults": list(found)} if isinstance(found, tuple) else found.as_dict()
                for name, found in self.districts.items()
            }
        }


def check_batch(batch: Batch, *, progress: Progress | None = None) -> BatchCheck:
    """Read and check all inputs of every district of a batch, and describe what is in them; no walk is measured.

    Raises
    ------
    InputError
        Communities or settings of the districts are wrong, or do not fit together, so that none is scanned: all
        faults of all districts at once.
    """
    with Stages(progress).stage("check", f"checking the inputs of {len(batch.studies)} districts"):
        studies = in_one_plane(batch.studies, check_districts(batch.studies))
    found: dict[str, StudyCheck | tuple[str, ...]] = {}
    for number, (name, study) in enumerate(studies.items(), start=1):
        tell, begun = of_district(progress or nobody, name), time.monotonic()
        tell(DistrictBegun(number, len(studies)))
        try:
            found[name] = check_study(study, progress=tell)
            status, reason = "done", ""
        except (LivingCircleError, MemoryError) as fault:  # want of memory is of this district's size
            faults = tuple(str(fault).splitlines()) or (type(fault).__name__,)
            found[name], status, reason = faults, "failed", " | ".join(faults)
        tell(DistrictEnded(number, len(studies), status, reason, seconds=round(time.monotonic() - begun, 1)))
    return BatchCheck(found)
