"""Who walks: speed and what they can use (standards.md section 11)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Walker(BaseModel):
    """One kind of people on foot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    name_zh: str = ""
    speed_m_s: float = Field(gt=0, le=5, description="walking speed on the flat, metres per second")
    steps: bool = Field(default=True, description="whether steps can be used at all")
    steps_speed_m_s: float = Field(default=0.5, gt=0, le=5, description="horizontal speed on steps, metres per second")

    def label(self) -> str:
        """Return name and speed as maps and tables show them."""
        return f"{self.name} {self.speed_m_s:g} m/s" + ("" if self.steps else ", no steps")


# Speeds are the suggested profiles of standards.md 11.1; about 0.5 m/s on steps is its 11.2 (from memory, unsure).
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
