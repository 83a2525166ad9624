"""Memory of this process: what it uses, and giving back what it no longer needs."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return freed memory to the system; the C library of Linux keeps what millions of small geometries have left."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc, not of every C library
        if trim is not None:
            trim(0)
