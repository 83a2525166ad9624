"""Colours that maps, charts, tables and layers share, so that a share looks the same wherever it is shown."""

from __future__ import annotations

SHARE = ("#f6dd9e", "#aacda3", "#6faea1", "#3a808e", "#1b4869")
"""The classes of a share or score, lowest to highest, as on the hearing map."""

INK, FAINT = "#1d2733", "#5c6875"
"""Words on paper, and words that step back."""

WARNING = "#a61c1c"
"""A limit that is passed, a service that is missing, a warning."""
