"""A study: one TOML file, or the options of one command, that name all inputs and choices of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field

from livingcircle.joins import JOIN_LIMIT_M
from livingcircle.study_parts import (
    AreasInput,
    CandidatesInput,
    CapacityInput,
    CatchmentInput,
    CommunitiesInput,
    EstatesInput,
    FacilitiesInput,
    FacilityOverride,
    GroundsInput,
    LayerInput,
    MapInput,
    PopulationInput,
    SceneInput,
    SensitivityInput,
    StreetsInput,
    StudyPart,
    WalkerInput,
    unknown_keys,
)
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.sources import Database, is_elsewhere
from livingcircle_layers.typed_toml import checked, nearest, read_toml

SEARCH_LIMIT_M = 3000.0  # how far the nearest facility is looked for; three times GB 50180's widest circle


class Study(StudyPart):
    """All inputs and choices of one run."""

    name: str = Field(default="", description="title of maps and reports")
    standard: str = Field(description="bundle, standard, or TOML file of rules")
    walkers: tuple[str, ...] = Field(
        default=("adult",), description="whose minutes are computed: " + ", ".join(WALKERS)
    )
    join_limit_m: float = Field(default=JOIN_LIMIT_M, gt=0, le=2000, description="longest leg to the street, metres")
    search_limit_m: float = Field(
        default=SEARCH_LIMIT_M, gt=0, description="how far the nearest place is looked for, metres"
    )
    catalogue: Path | None = Field(default=None, description="TOML file that extends the service catalogue")
    gates: Literal["respect", "open", "both"] = Field(
        default="respect", description="whether people of gated estates leave through the gates; both compares"
    )
    plane: tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-85, le=85)]] | None = Field(
        default=None,
        description="lon, lat of the middle of the plane that everything is measured in; by default that of the"
        " communities, in a batch of those of all districts",
    )
    streets: StreetsInput
    estates: EstatesInput | None = None
    communities: CommunitiesInput
    areas: AreasInput | None = None
    population: PopulationInput | None = Field(
        default=None, description="without it demand is residential land in m², and there is no score"
    )
    population_compare: PopulationInput | None = Field(
        default=None, description="another population, which livingcircle check compares and a sensitivity run takes"
    )
    facilities: tuple[FacilitiesInput, ...] = ()
    layer: tuple[LayerInput, ...] = ()
    walker_settings: tuple[WalkerInput, ...] = ()
    candidates: CandidatesInput = CandidatesInput()
    capacity: CapacityInput = CapacityInput()
    catchments: tuple[CatchmentInput, ...] = ()
    sensitivity: SensitivityInput | None = Field(
        default=None, description="judge again with other choices; also by --sensitivity"
    )
    facility_override: tuple[FacilityOverride, ...] = ()
    grounds: GroundsInput = GroundsInput()
    publish: bool = Field(
        default=False, description="leave out restricted places and counts of 1 to 9 people; also by --publish"
    )
    map: MapInput = MapInput()
    scene: tuple[SceneInput, ...] = ()

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Read a study file; the paths in it are relative to the file.

        Raises
        ------
        InputError
            The file is missing or no TOML, or holds unknown keys or impossible values: all faults at once.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"study file not found: {path}", remedy="check the path, or pass the inputs as options")
        raw = read_toml(path)
        if "district" in raw:
            raise InputError(
                f"{path.name} holds several districts",
                expected="one study",
                remedy="use livingcircle scan or check, which take it",
            )
        faults = unknown_keys(raw, cls, path.name)
        study = None if faults else checked(cls, raw, where=path.name, faults=faults)
        if study is None:
            raise InputError.of(faults)
        study = study.relative_to(path.parent)
        return study if study.name else study.model_copy(update={"name": path.stem})

    def relative_to(self, folder: Path) -> Study:
        """Return the study with its paths seen from a folder."""

        def moved(part: Any) -> Any:
            if part is None:
                return None
            moving = {key: placed(getattr(part, key)) for key in ("file", "reference") if getattr(part, key)}
            return part.model_copy(update=moving)

        def placed(file: Path | Database) -> Path | Database:
            return folder / file if isinstance(file, Path) and not is_elsewhere(file) else file

        def people(part: Any) -> Any:
            return moved(part.model_copy(update={"shares": moved(part.shares)})) if part else None

        standard = folder / self.standard
        return self.model_copy(
            update={
                "streets": self.streets.model_copy(
                    update={
                        "osm": placed(self.streets.osm) if self.streets.osm else None,
                        "layer": placed(self.streets.layer) if self.streets.layer else None,
                        "dem": placed(self.streets.dem) if self.streets.dem else None,
                    }
                ),
                "estates": moved(self.estates),
                "candidates": self.candidates.model_copy(
                    update={"file": folder / self.candidates.file if self.candidates.file else None}
                ),
                "communities": moved(self.communities),
                "areas": moved(self.areas),
                "population": people(self.population),
                "population_compare": people(self.population_compare),
                "facilities": tuple(moved(f) for f in self.facilities),
                "catchments": tuple(moved(c) for c in self.catchments),
                "catalogue": folder / self.catalogue if self.catalogue else None,
                "standard": str(standard) if self.standard.endswith(".toml") else self.standard,
            }
        )

    @property
    def other_people(self) -> PopulationInput | None:
        """The population that a sensitivity run takes in the place of its own, if there is one."""
        asked = self.sensitivity is not None and self.sensitivity.population and self.population is not None
        return self.population_compare if asked else None

    def walker_profiles(self) -> tuple[Walker, ...]:
        """Return the chosen walkers, with the changes of the study."""
        return find_walkers(self.walkers, self.profiles())

    def references(self) -> list[Path]:
        """Return the layers that the study names as known to be in WGS-84."""
        parts = (self.communities, self.areas, self.population, self.population_compare, self.estates, *self.facilities)
        return [part.reference for part in parts if part is not None and part.reference is not None]

    def profiles(self) -> dict[str, Walker]:
        """Return all walkers by name: ours, changed or added to by the study."""
        return {**WALKERS, **{own.name: own.profile() for own in self.walker_settings}}


def find_walkers(names: Sequence[str], known: Mapping[str, Walker] = WALKERS) -> tuple[Walker, ...]:
    """Return walkers by name; unknown names are an error that lists the known ones."""
    unknown = [n for n in names if n not in known]
    if unknown or not names:
        close = nearest(unknown[0], known) if unknown else None
        raise UsageError(
            "unknown walker",
            got=", ".join(unknown) or "none",
            expected=", ".join(known),
            remedy=f"did you mean {close!r}?" if close else None,
        )
    return tuple(known[n] for n in dict.fromkeys(names))


class StudyOptions(StudyPart):
    """The options of the command line, which make a study or change one."""

    name: str | None = None
    osm: Path | None = None
    communities: str | None = None
    areas: Path | None = None
    population: Path | None = None
    standard: str | None = None
    facilities: tuple[FacilitiesInput, ...] = ()
    walker: tuple[str, ...] = ()
    estates: Path | None = None
    gates: Literal["respect", "open", "both"] | None = None
    dem: Path | None = None
    streets: Path | None = None
    streets_columns: dict[str, str] = Field(default_factory=dict)
    sensitivity: bool = False
    publish: bool = False

    def study(self) -> Study:
        """Return the study that the options describe; a missing one is a usage error."""
        if self.standard is None:
            raise _no_standard()
        missing = [f"--{k}" for k in ("osm", "communities") if getattr(self, k) is None]
        if self.streets is not None and "--osm" in missing:
            missing.remove("--osm")  # streets of one's own; facilities then come from files only
        if missing or self.communities is None:
            raise UsageError(
                "inputs are missing",
                got=f"no {', no '.join(missing)}",
                remedy="name a study file, or give --osm (or --streets), --communities, --standard and --population",
            )
        return self.on(
            Study(
                name=Path(self.communities).stem.replace(":", "-"),
                standard=self.standard,
                streets=StreetsInput(osm=self.osm, layer=self.streets),
                communities=CommunitiesInput.of(self.communities),
                population=PopulationInput(file=self.population) if self.population else None,
            )
        )

    def on(self, study: Study) -> Study:
        """Return the study with these options in the place of its own choices."""
        streets = {"osm": self.osm, "layer": self.streets, "columns": self.streets_columns, "dem": self.dem}
        # Another street layer has columns, rows and a datum of its own.
        own = study.streets
        base = own if self.streets is None else StreetsInput(osm=own.osm, layer=self.streets, dem=own.dem)
        given: dict[str, Any] = {
            "name": self.name,
            "standard": self.standard,
            "walkers": self.walker,
            "gates": self.gates,
            "streets": _with(base, streets) if any(streets.values()) else None,
            "communities": self._communities(study.communities),
            "areas": AreasInput(file=self.areas) if self.areas else None,
            "population": self._population(study.population),
            "estates": _with(study.estates or EstatesInput(), {"file": self.estates}) if self.estates else None,
            "facilities": (*study.facilities, *self.facilities),
            "publish": self.publish,
            "sensitivity": (study.sensitivity or SensitivityInput()) if self.sensitivity else None,
        }
        return _with(study, given)

    def _population(self, given: PopulationInput | None) -> PopulationInput | None:
        """Return the population of the option, with what the study says of its own."""
        if self.population is None:
            return None
        return _with(given, {"file": self.population}) if given else PopulationInput(file=self.population)

    def _communities(self, given: CommunitiesInput) -> CommunitiesInput | None:
        """Return the communities of the option, with what the study says of its own file."""
        if self.communities is None:
            return None
        own = CommunitiesInput.of(self.communities)
        return own if own.make or given.make else _with(given, {"file": own.file})


Part = TypeVar("Part", bound=BaseModel)


def _with(part: Part, changes: dict[str, Any]) -> Part:
    """Return a part of a study with what is given in the place of its own."""
    return part.model_copy(update={key: value for key, value in changes.items() if value})


def _no_standard() -> UsageError:
    from livingcircle.standards import list_standards

    bundles = ", ".join(entry.id for entry in list_standards() if entry.kind == "bundle")
    return UsageError(
        "a scan needs a standard: which rules are to be judged?",
        expected=f"--standard with a bundle ({bundles}), a standard (livingcircle standards) or a TOML file",
    )
