"""All commands, in the order of --help."""

from livingcircle.cli import _scanning, _inputs, _walks, _finished, _standards  # noqa: F401, I001
from livingcircle.cli._app import app, run

__all__ = ["app", "run"]
