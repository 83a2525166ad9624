"""Who can walk to which service within the standard: the 15-minute living circle on real streets.

Examples
--------
>>> import livingcircle as lc
>>> result = lc.scan(lc.demo_study())
>>> result.scores.loc[result.scores["level"] == "city", "unit_id"].item()
'city'
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from livingcircle.tongues import said_here
from livingcircle_layers.errors import LivingCircleError as _AnyError

if TYPE_CHECKING:
    from livingcircle import charts
    from livingcircle.batch import Batch, scan_batch
    from livingcircle.batch_check import check_batch
    from livingcircle.check import check_study
    from livingcircle.choice import count_within, nearest_k
    from livingcircle.circles import isochrones
    from livingcircle.community_circles import community_circles
    from livingcircle.compare import compare
    from livingcircle.demo import demo_study
    from livingcircle.explain import explain
    from livingcircle.extract import extract
    from livingcircle.fetch import fetch
    from livingcircle.matrix import matrix
    from livingcircle.measured import measure
    from livingcircle.network import WalkNetwork
    from livingcircle.notebook import NotebookBar
    from livingcircle.recorded import measured_again
    from livingcircle.result import ScanResult
    from livingcircle.saved import load_result
    from livingcircle.scan import scan
    from livingcircle.service_circles import service_circles
    from livingcircle.sheet import circle_sheet, save_sheet
    from livingcircle.standards import load_standard
    from livingcircle.study import Study
    from livingcircle.walkers import WALKERS, Walker
    from livingcircle_layers.errors import InputError, LivingCircleError, UsageError

# Loaded when they are first used, so that the command line starts at once.
_HOME = {
    "Batch": "livingcircle.batch",
    "InputError": "livingcircle_layers.errors",
    "LivingCircleError": "livingcircle_layers.errors",
    "UsageError": "livingcircle_layers.errors",
    "NotebookBar": "livingcircle.notebook",
    "ScanResult": "livingcircle.result",
    "Study": "livingcircle.study",
    "WALKERS": "livingcircle.walkers",
    "Walker": "livingcircle.walkers",
    "WalkNetwork": "livingcircle.network",
    "check_batch": "livingcircle.batch_check",
    "check_study": "livingcircle.check",
    "circle_sheet": "livingcircle.sheet",
    "community_circles": "livingcircle.community_circles",
    "compare": "livingcircle.compare",
    "count_within": "livingcircle.choice",
    "demo_study": "livingcircle.demo",
    "explain": "livingcircle.explain",
    "extract": "livingcircle.extract",
    "fetch": "livingcircle.fetch",
    "isochrones": "livingcircle.circles",
    "load_result": "livingcircle.saved",
    "load_standard": "livingcircle.standards",
    "matrix": "livingcircle.matrix",
    "measure": "livingcircle.measured",
    "measured_again": "livingcircle.recorded",
    "nearest_k": "livingcircle.choice",
    "save_sheet": "livingcircle.sheet",
    "scan": "livingcircle.scan",
    "scan_batch": "livingcircle.batch",
    "service_circles": "livingcircle.service_circles",
}

__all__ = [
    "WALKERS",
    "Batch",
    "InputError",
    "LivingCircleError",
    "NotebookBar",
    "ScanResult",
    "Study",
    "UsageError",
    "WalkNetwork",
    "Walker",
    "charts",
    "check_batch",
    "check_study",
    "circle_sheet",
    "community_circles",
    "compare",
    "count_within",
    "demo_study",
    "explain",
    "extract",
    "fetch",
    "isochrones",
    "load_result",
    "load_standard",
    "matrix",
    "measure",
    "measured_again",
    "nearest_k",
    "save_sheet",
    "scan",
    "scan_batch",
    "service_circles",
]


_AnyError.in_words = staticmethod(said_here)


def __getattr__(name: str) -> Any:
    if name == "charts":
        return import_module("livingcircle.charts")
    if name not in _HOME:
        raise AttributeError(f"module 'livingcircle' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Name what is for users, for completion in a notebook: it is loaded on first use."""
    return sorted(name for name in globals() if name.startswith("__")) + __all__


class _Package(ModuleType):
    """Keeps `livingcircle.scan` the function, also after the module of that name has been imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
