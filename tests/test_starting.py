"""Beginning a study: what is proposed, asked and refused, and that the file that is written is a study."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from typer.testing import CliRunner

from livingcircle.candidates import look_into
from livingcircle.check import check_study
from livingcircle.cli import _inputs, app
from livingcircle.demo import write_demo_town
from livingcircle.starting import Answers, proposed_standard, start_study
from livingcircle.study import Study
from livingcircle.study_parts import FacilitiesInput, MapInput, PopulationInput, SharesInput
from livingcircle.study_text import study_text
from livingcircle_layers.datum import from_wgs84
from livingcircle_layers.errors import InputError, UsageError
from towns import Town, lonlat, write_communities, write_rules, write_table

PEOPLE = [(100, 0, 40), (0, 50, 30), (200, 100, 50)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small town, 300 m wide, of which every file is one that may be proposed."""
    #   c ─────────────── d
    #   a ────────────── b    a list of one shop, and heights and notes that are no inputs
    drawn = Town("c------d\n--------\na------b", dx=300 / 7, dy=50)
    made = drawn.way("ab").way("cd").way("ac").way("bd").node(250, 10, shop="supermarket", name="超市")
    made.box(0, 0, 300, 100, landuse="residential").write(tmp_path / "town.osm")
    write_communities(tmp_path / "communities.geojson", {"w": (-50, -50, 200, 300), "e": (150, -50, 250, 300)})
    write_table(tmp_path / "people.csv", "population", PEOPLE)
    lon, lat = lonlat(100, 10)
    (tmp_path / "shops.csv").write_text(f"name,lon,lat\n好邻居,{lon},{lat}\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("to do\n", encoding="utf-8")
    (tmp_path / "dem.tif").write_bytes(b"heights")
    write_rules(tmp_path / "rules.toml", {"id": "s", "services": ["supermarket"], "threshold": 200})
    return tmp_path


class Planner:
    """Answers questions in their order, and keeps what she was asked and told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.datums: list[str] = []
        self.asked: list[tuple[str, ...]] = []
        self.told: list[str] = []

    def ask(self, question) -> str:
        if "gcj02" in question.proposals:  # the town is too small for the streets to tell, so Enter is no answer
            assert question.default is None
            self.datums.append(question.words)
            return "wgs84"
        self.asked.append(question.proposals)
        return self.answers.pop(0)

    def start(self, folder: Path, **given: object) -> Study:
        study = start_study(folder, Answers(**given), ask=self.ask, say=self.told.append)
        assert self.answers == []
        return Study.load(study)


def test_files_are_proposed_by_what_they_hold(folder: Path) -> None:
    square = shapely.box(*lonlat(0, 0), *lonlat(100, 100))
    layers = {"outlines": square, "people": shapely.Point(lonlat(1, 1)), "gates": shapely.Point(lonlat(2, 2))}
    for layer, shape in layers.items():
        frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shape], crs=4326)
        frame = frame.assign(population=[5]) if layer == "people" else frame
        frame.to_file(folder / "city.gpkg", layer=layer)
    (folder / "people_day.csv").write_bytes((folder / "people.csv").read_bytes())
    (folder / "grid.tif").write_bytes(b"II*")
    (folder / "totals.csv").write_text("社区编号,人口\nw,3\n", encoding="utf-8")
    (folder / "broken.geojson").write_text("{", encoding="utf-8")
    found = look_into(folder)
    assert found.osm == ("town.osm",)
    assert set(found.communities) == {"communities.geojson", "city.gpkg#outlines"}
    # Cells before totals of communities, totals before a raster; who is there by day comes after who lives there.
    assert found.population == ("city.gpkg#people", "people.csv", "people_day.csv", "totals.csv", "grid.tif")
    assert found.facilities == ("city.gpkg#gates", "shops.csv")


def test_enter_takes_what_is_proposed(folder: Path) -> None:
    planner = Planner("", "", "", "", "rules.toml", "")
    study = planner.start(folder)
    assert planner.asked[:4] == [
        ("town.osm",),
        ("communities.geojson", "grid:500"),
        ("people.csv", "none"),
        ("none", "shops.csv"),
    ]
    assert planner.asked[4][0] == "national"  # LON, LAT of the drawn towns lie in China, south of Chengdu
    assert study.streets.osm == folder / "town.osm"
    assert study.communities.file == folder / "communities.geojson"
    assert study.population is not None
    assert study.population.file == folder / "people.csv"
    assert (study.standard, study.name, study.facilities) == (str(folder / "rules.toml"), folder.name, ())
    assert any("2 communities" in line for line in planner.told)
    assert any("120 people" in line for line in planner.told)


def test_enter_where_nothing_is_proposed_is_told_and_asked_again(folder: Path) -> None:
    planner = Planner("", "", "", "none", "rules.toml", "")
    patient, left = planner.ask, ["", ""]

    def ask(question) -> str:
        return left.pop() if left and "gcj02" in question.proposals else patient(question)

    planner.ask = ask  # type: ignore[method-assign]
    planner.start(folder)
    assert planner.told.count("请选一项,输入编号或名称  please choose: type a number or a name") == 2


def test_proposals_are_chosen_by_number_and_lists_one_after_the_other(folder: Path) -> None:
    (folder / "more.csv").write_bytes((folder / "shops.csv").read_bytes())
    planner = Planner("2", "无", "+supermarket=3", "convenience=2", "", "rules.toml", "南城")
    study = planner.start(folder, osm="town.osm")
    assert study.communities.make == "grid:500"
    assert study.population is None
    assert [(part.file.name, part.service, part.mode) for part in study.facilities] == [
        ("shops.csv", "supermarket", "add"),
        ("more.csv", "convenience", "replace"),
    ]
    assert study.name == "南城"
    assert planner.asked[2:5] == [("none", "more.csv", "shops.csv"), ("none", "more.csv"), ("none",)]


def test_an_answer_that_cannot_be_used_is_told_and_asked_again(folder: Path) -> None:
    write_communities(folder / "far.geojson", {"f": (50_000, 0, 100, 100)})
    answers = ("nope.osm", "town.osm", "shops.csv", "grid:wide", "far.geojson", "communities.geojson", "shops.csv", "",
               "shopping=shops.csv", "", "shanghai", "rules.toml", "")  # fmt: skip
    planner = Planner(*answers)
    planner.start(folder)
    told = [line for line in planner.told if "; " in line]
    patterns = ["file not found", "shops.csv", "--communities is not clear", "does not overlap", "population",
                "shopping", "no standard or bundle 'shanghai'"]  # fmt: skip
    assert len(told) == len(patterns), told
    for line, pattern in zip(told, patterns, strict=True):
        assert pattern in line
        assert "\n" not in line


def test_a_density_and_a_layer_are_said_with_the_file(folder: Path) -> None:
    gpd.read_file(folder / "communities.geojson").to_file(folder / "c.gpkg", layer="社区")
    gpd.read_file(folder / "communities.geojson").to_file(folder / "c.gpkg", layer="old")
    lon, lat = lonlat(100, 0)
    (folder / "d.csv").write_text(f"lon,lat,population,area_m2\n{lon},{lat},20000,10000\n", encoding="utf-8")
    planner = Planner("c.gpkg", "c.gpkg#社区")  # without the layer it is not clear
    study = planner.start(
        folder, osm="town.osm", population="density=d.csv", facilities=(), standard="chengdu", name="x"
    )
    assert (study.communities.layer, study.population.values) == ("社区", "density")
    assert any("several layers" in line for line in planner.told)
    assert any("200 people" in line for line in planner.told)  # 20,000 people per km² on 0.01 km²


@pytest.mark.parametrize(
    ("box", "standard"),
    [
        ((104.04, 30.65, 104.13, 30.73), "chengdu"),
        ((113.2, 23.0, 113.4, 23.2), "national"),
        ((-51.3, -30.1, -51.1, -30.0), "international"),
    ],
)
def test_the_standard_follows_from_where_the_streets_lie(box, standard: str) -> None:
    assert proposed_standard(box) == standard


def test_the_box_of_chengdu_lies_in_chengdu(real_data: Path) -> None:
    from livingcircle.starting import _CHENGDU

    city = gpd.read_file(real_data / "chengdu/districts_wgs84.geojson").union_all()
    assert city.contains(shapely.box(*_CHENGDU))


# -- the datum ---------------------------------------------------------------------------------------------------------


def street_list(path: Path, datum: str) -> Path:
    """Write outlines along the streets of the demo town, as a map in that datum draws them."""
    frame = gpd.read_file(path.parent / "communities.geojson")
    moved = shapely.transform(frame.geometry.to_numpy(), lambda xy: from_wgs84(xy, datum))
    frame.set_geometry(gpd.GeoSeries(moved, crs=4326)).to_file(path)
    return path


def test_a_file_in_gcj02_is_found_out_asked_for_and_written_down(town: Path, tmp_path: Path) -> None:
    """Its outlines follow the streets once they are shifted: the likely datum is proposed, another one is refused."""
    for name in ("town.osm.pbf", "communities.geojson"):
        (tmp_path / name).write_bytes((town / name).read_bytes())
    street_list(tmp_path / "amap.geojson", "gcj02")
    asked: list[str] = []
    answers = iter(["wgs84", ""])

    def ask(question) -> str:
        assert question.default == question.proposals[0] == "gcj02"
        asked.append(question.words)
        return next(answers)

    given = {"osm": "town.osm.pbf", "population": "none", "facilities": (), "standard": "chengdu", "name": "x"}
    told: list[str] = []
    path = start_study(tmp_path, Answers(communities="amap.geojson", **given), ask=ask, say=told.append)
    assert len(asked) == 2
    assert "amap.geojson 的坐标系" in asked[0]
    assert "gcj02 吻合 fits" in asked[0]
    assert any("amap.geojson is not in wgs84; got a layer that fits gcj02" in line for line in told)
    assert re.search(r'^datum = "gcj02"  # "wgs84" \| "cgcs2000"', path.read_text(encoding="utf-8"), re.M)
    assert Study.load(path).communities.datum == "gcj02"
    with pytest.raises(UsageError, match=r"not in wgs84; got a layer that fits gcj02: .*--datum amap\.geojson=gcj02$"):
        start_study(tmp_path, Answers(communities="amap.geojson", **given), say=told.append, force=True)
    said = Answers(communities="amap.geojson", datums=("amap.geojson=gcj02",), **given)
    assert Study.load(start_study(tmp_path, said, say=told.append, force=True)).communities.datum == "gcj02"
    wrong = Answers(communities="amap.geojson", datums=("amap.geojson=bd09",), **given)
    with pytest.raises(InputError, match=r"amap\.geojson is not in bd09; .*; remedy: take gcj02"):
        start_study(tmp_path, wrong, say=told.append, force=True)


def test_a_datum_that_the_streets_cannot_tell_is_asked_for_and_shown_in_the_file(folder: Path) -> None:
    planner = Planner("supermarket=shops.csv", "", "rules.toml", "")
    study = planner.start(folder, osm="town.osm", communities="communities.geojson", population="people.csv")
    assert [words.split()[0] for words in planner.datums] == ["communities.geojson", "people.csv", "shops.csv"]
    assert all("cannot tell" in words for words in planner.datums)
    assert study.facilities[0].datum == "wgs84"
    assert (folder / "study.toml").read_text(encoding="utf-8").count('\n# datum = "wgs84"  # "wgs84" |') >= 3


def test_where_nobody_can_be_asked_a_datum_that_cannot_be_told_is_taken_and_said(folder: Path) -> None:
    told: list[str] = []
    given = Answers("town.osm", "grid:500", facilities=("supermarket=shops.csv",))
    start_study(folder, given, say=told.append)
    assert any(re.match(r"shops\.csv: datum taken as wgs84, .*--datum shops\.csv=gcj02", line) for line in told)


@pytest.mark.parametrize("datum", ["shops.csv", "shops.csv=gcj2"])
def test_a_datum_that_is_unclear_is_refused_before_anything_is_read(folder: Path, datum: str) -> None:
    with pytest.raises(UsageError, match=r"--datum is unclear|did you mean 'gcj02'"):
        start_study(folder, Answers("none.osm", "grid:500", datums=(datum,)))


def test_the_rows_of_a_list_add_up(folder: Path) -> None:
    """Of four rows one has no place and one no service; the school for two ages makes two places."""
    lon, lat = lonlat(100, 10)
    rows = [f"好邻居,超市,{lon},{lat}", f"某校,九年一贯制学校,{lon},{lat}", "无处,超市,,", f"某处,其他,{lon},{lat}"]
    (folder / "places.csv").write_text("name,类型,lon,lat\n" + "\n".join(rows) + "\n", encoding="utf-8")
    told: list[str] = []
    start_study(folder, Answers("town.osm", "grid:500", facilities=("places.csv",)), say=told.append)
    (line,) = (line for line in told if line.startswith("places.csv: 4 rows"))
    assert line.startswith("places.csv: 4 rows 行 = 2 used 采用 + 2 not used 未用; 3 places 设施, as one row can be")


# -- how files are named -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["'{}'", '"{}"', "{escaped}", "~/my town.osm", "file://{address}"])
def test_a_path_is_found_as_a_terminal_writes_it(folder: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Dragged onto a terminal, a name with a space comes in quotes or with a backslash, or as an address."""
    named = folder / "my town.osm"
    (folder / "town.osm").rename(named)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    text = way.format(named, escaped=str(named).replace(" ", "\\ "), address=str(named).replace(" ", "%20"))
    study = start_study(folder / "new", Answers(text, "grid:500"), say=lambda _: None)
    assert Study.load(study).streets.osm == folder / "new" / ".." / "my town.osm"


@pytest.mark.parametrize("word", ["无", "none"])
def test_without_communities_there_are_cells_and_it_is_said(folder: Path, word: str) -> None:
    told: list[str] = []
    study = start_study(folder, Answers("town.osm", word), say=told.append)
    assert Study.load(study).communities.make == "grid:500"
    assert any("没有社区边界" in line for line in told)


def test_cells_of_no_size_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"make = 'grid:0': cells of 50 m or more"):
        start_study(folder, Answers("town.osm", "grid:0"), say=lambda _: None)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("town.osm", r"livingcircle init NEW_FOLDER --osm \S*town\.osm"),
        ("study.toml", r"livingcircle check \S*study\.toml"),
        ("shops.csv", r"livingcircle init \S+, which finds the files in it"),
    ],
)
def test_a_file_in_the_place_of_the_folder_is_told(folder: Path, name: str, remedy: str) -> None:
    (folder / "study.toml").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"init takes the folder of a study; got the file .*; remedy: {remedy}"):
        start_study(folder / name)


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("demo")
    write_demo_town(made)
    (made / "study.toml").unlink()
    return made


def test_on_a_terminal_a_study_is_asked_for_that_can_be_checked(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_inputs, "on_terminal", lambda: True)
    # After each file with coordinates its datum: the streets agree with the communities and tell nothing of the others.
    typed = ["wrong.pbf", "", "", "", "", "1", "+kindergarten=kindergartens.csv", "bd-08", "wgs84", "", "", "示意镇"]
    ended = CliRunner().invoke(app, ["init", str(town)], input="\n".join([*typed, ""]))
    assert ended.exit_code == 0, ended.output
    assert "not found: wrong.pbf" in ended.output
    assert "  1  chengdu" in ended.output
    assert "communities.geojson 的坐标系" in ended.output
    assert "there is no such datum; got 'bd-08'" in ended.output
    assert ended.output.splitlines()[-1] == f"{town / 'study.toml'}: next, livingcircle check {town / 'study.toml'}"
    page = check_study(Study.load(town / "study.toml"))
    assert page.lines()[-1].startswith("nothing stops a scan")
    assert any("示意镇" in fact for fact in page.facts)


def test_without_a_terminal_the_options_are_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    options = ["--osm", "town.osm", "--communities", "communities.geojson", "--facilities", "supermarket=shops.csv"]
    ended = CliRunner().invoke(app, ["init", "new/study", *options])
    assert ended.exit_code == 0, ended.output
    written = tomllib.loads(Path("new/study/study.toml").read_text(encoding="utf-8"))
    assert written["streets"]["osm"] == "../../town.osm"  # seen from the study
    assert (written["standard"], written["name"], "population" in written) == ("national", "study", False)


def test_without_a_terminal_what_is_missing_is_named_with_what_was_found(folder: Path) -> None:
    expected = r"no --communities; .*--population.*; remedy: give --communities communities\.geojson$"
    with pytest.raises(UsageError, match=expected):
        start_study(folder, Answers(osm="town.osm"))
    assert not (folder / "study.toml").exists()


def test_a_given_answer_that_cannot_be_used_is_an_error(folder: Path) -> None:
    with pytest.raises(InputError, match=r"file not found: nobody\.csv"):
        start_study(folder, Answers("town.osm", "communities.geojson", "nobody.csv"), say=lambda _: None)
    assert not (folder / "study.toml").exists()


def test_a_study_that_is_there_is_written_over_only_when_asked_to(folder: Path) -> None:
    (folder / "study.toml").write_text("mine", encoding="utf-8")
    given = Answers("town.osm", "communities.geojson")
    with pytest.raises(InputError, match=r"study\.toml is there already; remedy: .*--force"):
        start_study(folder, given)
    assert (folder / "study.toml").read_text(encoding="utf-8") == "mine"
    start_study(folder, given, force=True, say=lambda _: None)
    assert Study.load(folder / "study.toml").communities.file == folder / "communities.geojson"
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


# -- the file ----------------------------------------------------------------------------------------------------------


def rich_study() -> Study:
    """A study that chooses something of every kind: texts with marks, numbers, lists, tables in tables."""
    study = Study.model_validate(
        {
            "name": '锦江 "一" \\ 二',
            "standard": "chengdu",
            "walkers": ("adult", "elder"),
            "join_limit_m": 123.456789,
            "streets": {"osm": "城市/a.osm.pbf"},
            "communities": {"file": "c.gpkg", "layer": "社区", "columns": {"name": "社区名称", "id": "编 号"}},
            "map": MapInput(approval_number="川S【2026】1号"),
        }
    )
    people = PopulationInput(file=Path("p.csv"), shares=SharesInput(age_60_up=0.19), datum="gcj02")
    lists = (FacilitiesInput.of("+kindergarten=k.xlsx"), FacilitiesInput.of("all.csv"))
    return study.model_copy(update={"population": people, "facilities": lists, "publish": True})


def test_a_written_study_is_the_same_study(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(study_text(rich_study()), encoding="utf-8")
    assert Study.load(tmp_path / "s.toml") == rich_study().relative_to(tmp_path)


def test_the_defaults_in_the_comments_are_the_defaults(tmp_path: Path) -> None:
    text = study_text(rich_study())
    lines, stands, shown = [], False, 0
    for line in text.splitlines():
        stands = not line.startswith("# [") if line.lstrip("# ").startswith("[") else stands
        stands = (stands and not line.startswith("# ——")) or line.startswith("name = ")
        key = re.match(r"# ([a-z_0-9]+ = .*)", line)
        default = stands and not re.search('= "…"|= …|role = ', line)
        shown += bool(key and default)
        lines.append(key[1] if key and default else line)
    assert shown > 15
    (tmp_path / "s.toml").write_text("\n".join(lines), encoding="utf-8")
    assert Study.load(tmp_path / "s.toml") == rich_study().relative_to(tmp_path)


def test_every_key_of_a_study_stands_in_the_file() -> None:
    text = study_text(rich_study())
    for name in Study.model_fields:
        assert re.search(rf"^(# )?(\[\[?{name}\]|{name} = )", text, re.MULTILINE), name
    assert '# gates = "respect"  # "respect" | "open" | "both": ' in text
