"""Execute every notebook from a clean kernel; fail if one raises or carries outputs in the repository."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main() -> int:
    """Return the number of notebooks at fault."""
    faults = 0
    for path in sorted(Path("notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if any(cell.get("outputs") for cell in notebook.cells):
            sys.stdout.write(f"{path}: outputs are committed\n")
            faults += 1
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
        sys.stdout.write(f"{path}: {len(notebook.cells)} cells executed\n")
    return faults


if __name__ == "__main__":
    sys.exit(main())
