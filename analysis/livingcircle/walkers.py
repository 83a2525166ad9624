"""Who walks: speed and what they can use (standards.md section 11)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

Floats = npt.NDArray[np.float64]


class Walker(BaseModel):
    """One kind of people on foot: how fast, over what, and where they wait."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    name_zh: str = ""
    speed_m_s: float = Field(gt=0, le=5, description="walking speed on the flat, metres per second")
    steps: bool = Field(default=True, description="whether steps can be used at all")
    steps_speed_m_s: float = Field(default=0.5, gt=0, le=5, description="horizontal speed on steps, metres per second")
    signal_wait_s: float = Field(
        default=30.0, ge=0, le=600, description="mean wait at a crossing with signals, seconds"
    )
    footbridge_s: float = Field(
        default=0.0,
        ge=0,
        le=600,
        description="seconds that a footbridge or underpass costs beside its length and steps",
    )

    def label(self) -> str:
        """Return name, speed and waits as maps and tables show them."""
        parts = [f"{self.name} {self.speed_m_s:g} m/s", f"{self.signal_wait_s:g} s at signals"]
        parts += [f"{self.footbridge_s:g} s per footbridge"] if self.footbridge_s else []
        return ", ".join(parts if self.steps else [*parts, "no steps"])


# Speeds: the suggested profiles of standards.md 11.1. Signals: 30 s where no timing is known (11.2, a judgement). About
# 0.5 m/s on steps is 11.2 too (from memory, unsure). What 11.2 remembers of footbridges (60-120 s) is unsure: off.
WALKERS = {
    w.name: w
    for w in (
        Walker(name="adult", name_zh="成年人", speed_m_s=1.33),
        Walker(name="elder", name_zh="老年人", speed_m_s=0.9),
        Walker(name="child_primary", name_zh="小学生", speed_m_s=1.1),
        Walker(name="caregiver_small_child", name_zh="带幼儿者", speed_m_s=0.9),
        Walker(name="wheelchair", name_zh="轮椅使用者", speed_m_s=0.8, steps=False),
    )
}


def slope_factor(slope: Floats) -> Floats:
    """Return walking speed on a slope as a share of the speed on the flat, after Tobler's hiking function.

    Parameters
    ----------
    slope
        Rise over run in the direction of the walk: 0.05 climbs 5 %.

    Notes
    -----
    W(S) = 6 exp(-3.5 |S + 0.05|) km/h; the factor is W(S) / W(0) (standards.md 11.2).

    Examples
    --------
    >>> slope_factor(np.array([0.05, -0.05])).round(2).tolist()
    [0.84, 1.19]
    """
    return np.exp(-3.5 * (np.abs(slope + 0.05) - 0.05))
