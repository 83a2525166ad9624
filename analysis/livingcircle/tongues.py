"""In which language a system speaks, where nobody has named one."""

from __future__ import annotations

import locale
import os
from typing import Literal

Tongue = Literal["zh", "en"]


def system_tongue() -> Tongue:
    """Return Chinese where it is the system's language, else English."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    named = next((name for name in names if name), "") or locale.getlocale()[0] or ""
    return "zh" if named.casefold().startswith(("zh", "chinese")) else "en"


def said_here(text: str) -> str:
    """Return the lines of an error in the language of the system."""
    from livingcircle.said_zh import said

    return "\n".join(said(line, system_tongue()) for line in text.splitlines())
