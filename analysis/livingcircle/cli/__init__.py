"""The command line: parses, calls one library function, prints."""

from livingcircle.cli import _scanning, _inputs, _walks, _finished, _standards  # noqa: F401, I001  the order of --help
from livingcircle.cli._app import app, main

__all__ = ["app", "main"]
