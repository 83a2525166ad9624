"""Parts of a city and their results as files: what workers read and write, and what a later run finds again.

Results are named by the content they follow from: streets, homes, doors, walkers and limit. What has not changed has
its name already, so that nothing is computed twice and nothing stale is taken for new.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from livingcircle.tiles import Part, door_keys
from livingcircle.walkers import Walker
from livingcircle_layers.streets import Streets

FORMAT = "2"  # a change of what is measured, or how, makes a new one: results of another format are never taken

Arrays = dict[str, npt.NDArray[Any]]
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
        for name in ("parts", "results"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def has(self, key: str) -> bool:
        """Tell whether a whole result is there; what a power cut has left of one is none."""
        return zipfile.is_zipfile(self._result(key))

    def load(self, key: str) -> Arrays:
        """Return a result: hundredths (-1: not reached) and the key of the nearest door (0: none) per walker."""
        with np.load(self._result(key)) as file:
            return dict(file)

    def save(self, key: str, arrays: Arrays) -> None:
        """Write a result."""
        write_arrays(self._result(key), arrays)

    @property
    def side_m(self) -> float | None:
        """The side of the tiles that the results belong to; None: none yet."""
        file = self.folder / "side_m.npz"
        if not zipfile.is_zipfile(file):
            return None
        with np.load(file) as noted:
            return float(noted["side_m"])

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
                path.unlink()
        for path in (self.folder / "parts").iterdir():
            path.unlink()

    def _result(self, key: str) -> Path:
        return self.folder / "results" / f"{key}.npz"


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to a file, whole or not at all."""
    stage = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with stage.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        stage.replace(path)
    finally:
        stage.unlink(missing_ok=True)


def arrays_of(part: Part) -> Arrays:
    """Return a part as plain arrays; streets between their ends are straight in it, as no search looks there."""
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
    arrays["door_key"] = door_keys(city.doors)
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
        asked = json.dumps([FORMAT, limit_m, [walker.model_dump() for walker in walkers]], sort_keys=True)
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
