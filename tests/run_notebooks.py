"""Execute every notebook from a clean kernel; fail if one raises or carries outputs in the repository."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

AT_ONCE = 2


def main() -> int:
    """Return the number of notebooks at fault."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(faults, sorted(Path("notebooks").glob("*.ipynb"))))


def faults(path: Path) -> int:
    """Execute one notebook, in its own folder and kernel; cells that shall raise carry the tag raises-exception."""
    notebook = nbformat.read(path, as_version=4)
    found = 0
    if any(cell.get("outputs") for cell in notebook.cells):
        sys.stdout.write(f"{path}: outputs are committed\n")
        found += 1
    shall_raise = [cell for cell in notebook.cells if "raises-exception" in cell.metadata.get("tags", ())]
    try:
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    except CellExecutionError as fault:
        sys.stdout.write(f"{path}: {fault}\n")
        return found + 1
    for cell in shall_raise:
        if not any(output["output_type"] == "error" for output in cell.outputs):
            sys.stdout.write(f"{path}: a cell that shall raise did not\n")
            found += 1
    sys.stdout.write(f"{path}: {len(notebook.cells)} cells executed\n")
    return found


if __name__ == "__main__":
    sys.exit(main())
