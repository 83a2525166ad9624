"""Parts of a city and their results as files: what workers read and write, and what a later run finds again.

Results are named by the content they follow from: streets, homes, doors, walkers and limit. What has not changed has
its name already, so that nothing is computed twice and nothing stale is taken for new.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle.reach import City, Layer, Reach
from livingcircle.tiles import Part
from livingcircle.walkers import Walker
from livingcircle_layers.streets import Streets

# Whose results are taken: of this version, in this format. A change of what is measured, or how, between two versions
# makes a new format.
MADE_BY = (metadata.version("livingcircle"), "2")

Arrays = dict[str, npt.NDArray[Any]]
_OF_WALKER = {"walk_m": np.int32, "walk_s": np.int32, "nearest": np.uint64}  # of a result, with what numbers
_STREETS = ("node_id", "node_xy", "tail", "head", "length_m", "oneway", "way_id", "raised", "signals", "exits")


@dataclass(frozen=True)
class Task:
    """What is measured of one part: a layer for some walkers, and the name of its result."""

    layer: Layer
    walkers: tuple[Walker, ...]
    limit_m: float
    key: str


class TileStore:
    """A folder of parts and results; several processes may use it at once.

    Parameters
    ----------
    folder
        Created if missing. Every file in it is written whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in (folder, folder / "parts", folder / "results"):
            if path.is_file():
                path.unlink()
            path.mkdir(parents=True, exist_ok=True)

    def load(self, task: Task, homes: int) -> Arrays | None:
        """Return a result: hundredths (-1: not reached) and the key of the nearest door (0: none) per walker.

        Parameters
        ----------
        task
            What was measured.
        homes
            How many homes the part has.

        Returns
        -------
        None where there is no such result, or a damaged one: it is to be measured again.
        """
        arrays = read_arrays(self._result(task.key))
        kinds = {"straight_m": np.int32} | {
            f"{what} {walker.name}": kind for walker in task.walkers for what, kind in _OF_WALKER.items()
        }
        whole = arrays is not None and {name: (a.dtype, a.shape) for name, a in arrays.items()} == {
            name: (np.dtype(kind), (homes,)) for name, kind in kinds.items()
        }
        return arrays if whole else None

    def save(self, key: str, arrays: Arrays) -> None:
        """Write a result."""
        write_arrays(self._result(key), arrays)

    @property
    def side_m(self) -> float | None:
        """The side of the tiles that the results belong to; None: none yet, or it cannot be read."""
        noted = (read_arrays(self.folder / "side_m.npz") or {}).get("side_m")
        known = noted is not None and noted.shape == () and noted.dtype == np.float64 and 0 < noted < np.inf
        return float(noted) if noted is not None and known else None

    def note_side(self, side_m: float) -> None:
        """Write down the side of the tiles, so that a later run cuts the same ones."""
        write_arrays(self.folder / "side_m.npz", {"side_m": np.array(side_m)})

    def part_file(self, name: str) -> Path:
        """Return where a part is written."""
        return self.folder / "parts" / f"{name}.npz"

    def keep_only(self, keys: set[str]) -> None:
        """Delete the results that the last run did not use, and all parts."""
        for path in (self.folder / "results").iterdir():
            if path.stem not in keys:
                _delete(path)
        for path in (self.folder / "parts").iterdir():
            _delete(path)

    def _result(self, key: str) -> Path:
        return self.folder / "results" / f"{key}.npz"


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to a file, whole or not at all."""
    stage = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with stage.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        if path.is_dir():
            _delete(path)
        stage.replace(path)
    finally:
        stage.unlink(missing_ok=True)


def read_arrays(path: Path) -> Arrays | None:
    """Return the arrays of a file; None where there is none, or where it is not as it was written.

    Every byte is checked against the sums that the file carries, before anything is made of it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
                for name in archive.namelist()
            }
    except (OSError, EOFError, ValueError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile):
        return None  # what archives say that are cut off, overwritten, or of somebody else


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def arrays_of(part: Part, keys: npt.NDArray[np.uint64]) -> Arrays:
    """Return a part, with the keys of its doors, as plain arrays.

    Streets between their ends are straight in it, as no search looks there.
    """
    city = part.city
    streets = city.network.streets
    arrays: Arrays = {f"streets_{name}": getattr(streets, name) for name in _STREETS}
    arrays["streets_highway"] = streets.highway.astype(str)
    if streets.height_m is not None:
        arrays["streets_height_m"] = streets.height_m
    arrays["home_xy"] = city.homes[["x", "y"]].to_numpy(dtype=float)
    for role, joins in (("home", city.home_joins), ("door", city.door_joins)):
        arrays |= {f"{role}_edge": joins.edge, f"{role}_share": joins.share, f"{role}_leg_m": joins.leg_m}
    places = city.facilities
    arrays["place_id"], arrays["place_service"] = (places[c].to_numpy(dtype=str) for c in ("facility_id", "service"))
    arrays["place_area_m2"] = places["area_m2"].to_numpy(dtype=float)
    shapes = shapely.to_wkb(places.geometry.to_numpy())
    arrays["place_wkb"] = np.frombuffer(b"".join(shapes), dtype=np.uint8)
    arrays["place_wkb_size"] = np.array([len(shape) for shape in shapes], dtype=np.int64)
    arrays["door_facility"] = city.doors["facility_id"].to_numpy(dtype=str)
    arrays["door_key"] = keys
    return arrays


def city_of(arrays: Arrays) -> City:
    """Return the city that `arrays_of` took apart; it can be measured, its streets have no bends."""
    column = {name.removeprefix("streets_"): values for name, values in arrays.items() if name.startswith("streets_")}
    ends = np.column_stack([column["tail"], column["head"]]).ravel()
    streets = Streets(
        **{**column, "highway": column["highway"].astype(object)},
        crs=CRS.from_epsg(3857),  # any plane: nothing is projected here
        coords=column["node_xy"][ends],
        offsets=2 * np.arange(len(column["tail"]) + 1),
    )

    def joins(role: str) -> Joins:
        edge = arrays[f"{role}_edge"]
        return Joins(edge, arrays[f"{role}_share"], arrays[f"{role}_leg_m"], np.full(len(edge), "", dtype=object))

    stop = np.cumsum(arrays["place_wkb_size"])
    raw = arrays["place_wkb"].tobytes()
    shapes = [raw[end - size : end] for end, size in zip(stop, arrays["place_wkb_size"], strict=True)]
    places = pd.DataFrame(
        {"facility_id": arrays["place_id"], "service": arrays["place_service"], "area_m2": arrays["place_area_m2"]}
    )
    return City(
        network=WalkNetwork(streets),
        homes=pd.DataFrame(arrays["home_xy"], columns=["x", "y"]),
        home_joins=joins("home"),
        facilities=gpd.GeoDataFrame(places, geometry=shapely.from_wkb(np.array(shapes, dtype=object)), crs=streets.crs),
        doors=pd.DataFrame({"facility_id": arrays["door_facility"], "key": arrays["door_key"]}),
        door_joins=joins("door"),
    )


def tasks_of(part: Part, arrays: Arrays, needed: Mapping[Layer, Sequence[Walker]], *, limit_m: float) -> list[Task]:
    """Return what is to be measured of a part, each with the name of its result."""
    ground = _digest(*(arrays[name] for name in sorted(arrays) if name.startswith(("streets_", "home_"))))
    shapes = np.array(shapely.to_wkb(part.city.facilities.geometry.to_numpy()), dtype=object)
    tasks = []
    for layer, walkers in needed.items():
        doors, chosen = part.city.doors_of(layer), layer.chosen(part.city.facilities)
        asked = json.dumps([*MADE_BY, limit_m, [walker.model_dump() for walker in walkers]], sort_keys=True)
        key = _digest(
            np.frombuffer((ground + asked).encode(), dtype=np.uint8),
            *(arrays[f"door_{name}"][doors] for name in ("edge", "share", "leg_m", "key")),
            np.frombuffer(b"".join(sorted(shapes[chosen])), dtype=np.uint8),
        )
        tasks.append(Task(layer, tuple(walkers), limit_m, key))
    return tasks


def arrays_of_reach(reach: Reach, keys: npt.NDArray[np.uint64]) -> Arrays:
    """Return what was measured as whole numbers."""
    arrays: Arrays = {"straight_m": reach.straight_cm}
    for name in reach.walk_m:
        arrays[f"walk_m {name}"] = reach.walk_m.kept[name]
        arrays[f"walk_s {name}"] = reach.walk_s.kept[name]
        arrays[f"nearest {name}"] = np.append(keys, np.uint64(0))[reach.nearest[name]]  # position -1 is the last: none
    return arrays


def _digest(*arrays: npt.NDArray[Any]) -> str:
    """Return a name for the content of arrays."""
    total = hashlib.blake2b(digest_size=16)
    for array in arrays:
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
