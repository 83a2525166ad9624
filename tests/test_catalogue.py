"""The service catalogue: what counts as which service, in OSM tags and in a user's table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from livingcircle_layers.catalogue import Catalogue, load_catalogue
from livingcircle_layers.errors import InputError
from livingcircle_layers.services_page import reference_page

SCHOOL = {"amenity": "school"}
DAY_CARE = {"amenity": "social_facility", "social_facility": "day_care"}
LEVELS = ("primary_school", "junior_secondary")
GROUNDS = ("sports_field", "large_sports_ground", "medium_sports_ground", "small_sports_ground")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("成都市双林小学", ("primary_school",)),
        ("川大附小", ("primary_school",)),
        ("成都玉林中学", ("junior_secondary",)),
        ("石室初中学校", ("junior_secondary",)),
        ("某某中小学", LEVELS),
        ("某某小学、初中部", LEVELS),
        ("金沙九年制学校", LEVELS),
        ("金沙九年一贯制学校", LEVELS),
        ("十二年一贯制学校", (*LEVELS, "senior_secondary")),
        ("嘉祥外国语高级中学", ("senior_secondary",)),
        ("武侯高级中学(含初中部)", ("junior_secondary", "senior_secondary")),
        ("列五中学(高中部)", ("senior_secondary",)),
        ("玉林中学附属小学", ("primary_school",)),
        ("七中初中附属小学", ("primary_school",)),
        ("棕北中学(小学部)", ("primary_school",)),
        ("小学生托管班", ()),
        ("财贸职业中学", ()),
        ("北门驾校中学部", ()),
        ("Outram Primary School", ("primary_school",)),
        ("Riverside Junior High School", ("junior_secondary",)),
        ("Riverside Senior High School", ("senior_secondary",)),
        ("Sunny Pre-Primary School", ()),
    ],
)
def test_school_level_from_name(catalogue: Catalogue, name: str, expected: tuple[str, ...]) -> None:
    assert catalogue.match_osm({**SCHOOL, "name": name}) == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("1", LEVELS[:1]),
        ("1;2", LEVELS),
        ("1-2", LEVELS),
        ("0-1", LEVELS[:1]),
        ("2–3", ("junior_secondary", "senior_secondary")),
    ],
)
def test_school_level_from_isced(catalogue: Catalogue, level: str, expected: tuple[str, ...]) -> None:
    assert catalogue.match_osm({**SCHOOL, "isced:level": level}) == expected


@pytest.mark.parametrize("key", ["name", "name:zh", "name:en", "alt_name", "official_name"])
def test_every_name_key_is_searched(catalogue: Catalogue, key: str) -> None:
    assert catalogue.match_osm({**SCHOOL, key: "双林小学"}) == ("primary_school",)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"name": "成都市同辉学校"}, True),
        ({}, True),
        ({"name": "成都七中"}, False),
        ({"name": "双林小学"}, False),
        ({"isced:level": "0"}, False),
        ({"name": "小学生托管班"}, False),
        ({"name": "某某培训学校"}, False),
        ({"disused": "yes"}, False),
    ],
)
def test_unlevelled_school(catalogue: Catalogue, tags: dict[str, str], expected: bool) -> None:
    assert catalogue.unlevelled_school({**SCHOOL, **tags}) is expected


def test_only_schools_are_unlevelled(catalogue: Catalogue) -> None:
    assert not catalogue.unlevelled_school({"amenity": "university"})


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"amenity": "clinic", "name": "莲新社区卫生服务中心"}, ("community_health_centre",)),
        ({"amenity": "clinic", "name": "点将台社区卫生服务站"}, ("community_health_station",)),
        (
            {"amenity": "clinic", "name": "莲新街道社区卫生服务中心点将台社区卫生服务站"},
            ("community_health_station",),
        ),
        ({"amenity": "clinic", "name": "Community Health Center"}, ("community_health_centre",)),
        ({"amenity": "clinic", "name": "李氏诊所"}, ("clinic",)),
        ({"amenity": "clinic", "name": "爱宠宠物诊所"}, ()),
        ({"amenity": "hospital", "name": "华西医院"}, ("hospital",)),
        ({"amenity": "hospital", "name": "玉林社区医院"}, ("community_health_centre",)),
        ({**DAY_CARE, "social_facility:for": "senior"}, ("elder_daycare",)),
        ({**DAY_CARE, "social_facility:for": "senior;disabled"}, ("elder_daycare",)),
        ({**DAY_CARE, "social_facility:for": "child"}, ()),
        ({"building": "yes", "name": "双林社区日间照料中心"}, ("elder_daycare",)),
        ({"shop": "medical_supply", "name": "居家养老用品店"}, ()),
        ({"highway": "residential", "name": "幸福院路"}, ()),
        ({"highway": "bus_stop", "name": "幸福院"}, ("bus_stop",)),
        ({"landuse": "residential", "name": "天府之家"}, ()),
        ({"amenity": "restaurant", "name": "幸福院火锅"}, ("restaurant",)),
        ({"disused:amenity": "social_facility", "name": "双林日间照料中心"}, ()),
        ({"amenity": "kindergarten", "max_age": "3"}, ("kindergarten", "nursery_0_3")),
        ({"amenity": "kindergarten", "max_age": "6"}, ("kindergarten",)),
        ({"amenity": "kindergarten", "max_age": "toddler"}, ("kindergarten",)),
        ({"leisure": "nature_reserve", "access": "private"}, ()),
        ({"leisure": "nature_reserve"}, ("park",)),
        ({"leisure": "park", "name": "公园城小区"}, ()),
        ({"leisure": "garden", "garden:type": "residential"}, ()),
        ({"railway": "station", "station": "subway", "name": "天府广场"}, ("metro",)),
        ({"railway": "subway_entrance"}, ("metro",)),
        ({"railway": "station", "station": "subway", "name": "在建车站"}, ()),
        ({"railway": "station", "name": "成都站"}, ("train_station",)),
        ({"highway": "footway", "name": "锦江绿道"}, ("greenway",)),
        ({"highway": "footway"}, ()),
        ({"leisure": "pitch"}, ()),
        ({"amenity": "parking", "access": "private"}, ()),
        ({"amenity": "fast_food", "name": "老李包子"}, ("restaurant", "fast_food", "breakfast")),
        ({}, ()),
    ],
)  # fmt: skip
def test_match_osm(catalogue: Catalogue, tags: dict[str, str], expected: tuple[str, ...]) -> None:
    assert catalogue.match_osm(tags) == expected


@pytest.mark.parametrize("key", ["disused", "abandoned", "demolished", "construction", "proposed"])
def test_closed_or_planned_places_do_not_count(catalogue: Catalogue, key: str) -> None:
    assert catalogue.match_osm({"amenity": "kindergarten", key: "yes"}) == ()
    assert catalogue.match_osm({"amenity": "kindergarten", key: "no"}) == ("kindergarten",)
    assert catalogue.match_osm({f"{key}:amenity": "kindergarten"}) == ()


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        (None, "sports_field"),
        (float("nan"), "sports_field"),
        (769.9, "sports_field"),
        (770, "small_sports_ground"),
        (1309.9, "small_sports_ground"),
        (1310, "medium_sports_ground"),
        (3149.9, "medium_sports_ground"),
        (3150, "large_sports_ground"),
        (9000, "large_sports_ground"),
    ],
)
def test_sports_grounds_by_size(catalogue: Catalogue, area: float | None, expected: str) -> None:
    tags = {"leisure": "pitch", "sport": "basketball"}
    wanted = tuple(dict.fromkeys(("sports_field", expected)))
    assert catalogue.match_osm(tags) == GROUNDS
    assert catalogue.sized(GROUNDS, area, tags=tags) == wanted
    assert catalogue.sized(GROUNDS, area) == wanted


@pytest.mark.parametrize(
    ("area", "expected"), [(None, ()), (399, ()), (400, ("park",)), (10_000, ("park",)), (10_001, ())]
)
def test_a_garden_is_a_park_within_its_size(
    catalogue: Catalogue, area: float | None, expected: tuple[str, ...]
) -> None:
    tags = {"leisure": "garden"}
    assert catalogue.sized(catalogue.match_osm(tags), area, tags=tags) == expected


def test_a_park_needs_no_size(catalogue: Catalogue) -> None:
    tags = {"leisure": "park"}
    assert catalogue.sized(catalogue.match_osm(tags), None, tags=tags) == ("park",)


def test_every_matching_object_carries_one_of_the_osm_keys(catalogue: Catalogue) -> None:
    assert {"amenity", "leisure", "shop", "highway", "railway", "name"} <= catalogue.osm_keys
    assert not {"access", "sport", "isced:level"} & catalogue.osm_keys
    assert catalogue.osm_keys | {"access", "sport", "isced:level", "disused"} <= catalogue.tag_keys
    for service in catalogue.services.values():
        for alternative in service.osm:
            keys = {term.key for term in alternative.terms if term.op in "=*"} or {"name"}
            assert keys & catalogue.osm_keys, service.id


@pytest.mark.parametrize(
    ("name", "categories", "expected"),
    [
        # Amap codes
        ("成都市双林小学", ["141203"], ("primary_school",)),
        ("成都玉林中学", ["141202"], ("junior_secondary",)),
        ("成都武侯高级中学", ["141202"], ("senior_secondary",)),
        ("成都某九年制学校", ["141202"], LEVELS),
        ("双林小学教学楼", ["141207"], ()),
        ("四川大学", ["141201"], ()),
        ("锦江文化馆", ["140700"], ("culture_centre",)),
        ("双林小学(东门)", ["141203"], ()),
        ("人民公园停车场", ["110101"], ()),
        ("红旗超市", ["060400"], ("supermarket",)),
        ("家乐福", ["060402"], ("supermarket",)),
        ("家乐福", ["60402"], ("supermarket",)),
        ("卡通游泳馆", ["072001"], ()),
        ("贝贝托育中心", ["070000"], ("nursery_0_3",)),
        ("贝贝摄影", ["070000"], ()),
        ("双林日间照料中心", ["120304"], ("elder_daycare",)),
        ("水碾河篮球场", ["080103"], GROUNDS),
        ("华西医院", ["090101"], ("hospital",)),
        ("某某医院", ["090100"], ("hospital",)),
        ("莲新社区卫生服务中心", ["090102"], ("community_health_centre",)),
        ("某某物流", ["070501"], ()),
        ("天府广场 A口", ["150501"], ("metro",)),
        ("酒吧养老院", ["080304"], ()),
        ("红旗超市", ["060400|060200"], ("supermarket", "convenience")),
        ("红旗超市", ["060400", "住宅小区"], ("supermarket",)),
        # Amap type texts
        ("双林小学", ["科教文化服务;学校;小学"], ("primary_school",)),
        ("人民公园", ["风景名胜;公园广场;公园"], ("park",)),
        ("欢乐健身", ["体育休闲服务;运动场馆;健身中心"], ("gym",)),
        ("贝贝托育", ["生活服务;生活服务场所;生活服务场所"], ("nursery_0_3",)),
        ("水碾河社区居委会", ["政府机关;乡镇以下级政府及事业单位"], ("community_service_station",)),
        # words
        ("南湖", ["公园"], ("park",)),
        ("南湖", ["公园绿地"], ("park",)),
        ("某某馆", ["体育馆"], ("sports_hall",)),
        ("某某馆", ["体育场馆"], ("sports_hall",)),
        ("某某", ["幼儿园"], ("kindergarten",)),
        ("某某", ["小学"], ("primary_school",)),
        ("某某学校", ["中学"], ("junior_secondary",)),
        ("武侯高级中学", ["中学"], ("senior_secondary",)),
        ("玉林中学-附属小学", ["学校", "中学"], ("primary_school",)),
        ("成都同辉学校", ["学校", "其他学校"], ()),
        ("川师附中", ["其他学校"], ("junior_secondary",)),
        ("四川大学(望江校区)", ["大学/高等院校"], ()),
        ("四川大学附属实验小学", ["大学/高等院校"], ("primary_school",)),
        ("双林小学附属幼儿园", ["学校"], ("kindergarten",)),
        ("小学生托管班", ["学校"], ()),
        ("小学生托管班", ["小学"], ()),
        ("莲新社区卫生服务站", ["社区卫生服务中心"], ("community_health_station",)),
        ("莲新社区卫生服务中心", ["社区卫生服务站"], ("community_health_centre",)),
        ("某某", ["医院", "社区卫生服务中心"], ("community_health_centre",)),
        ("人民公园地下", ["公园停车场"], ("parking",)),
        ("麓湖公园", ["住宅小区"], ()),
        ("万达", ["购物广场"], ()),
        ("A", ["car park"], ("parking",)),
        ("A", ["Primary School"], ("primary_school",)),
        ("A", ["primary_school"], ("primary_school",)),
        ("A", ["fast_food"], ("fast_food",)),
        ("A", ["公园", "", "  "], ("park",)),
        # no category: the name must end in a keyword
        ("成都市人民公园", [], ("park",)),
        ("人民公园(东区)", [], ("park",)),
        ("麓湖公园小区", [], ()),
        ("公园壹号", [], ()),
        ("人民公园售楼部", [], ()),
        ("成都市双林小学(南区)", [], ("primary_school",)),
        ("锦城小学学区房", [""], ()),
        ("Outram Park MRT Kindergarten", [], ("kindergarten",)),
        ("", [], ()),
    ],
)  # fmt: skip
def test_match_row(catalogue: Catalogue, name: str, categories: list[str], expected: tuple[str, ...]) -> None:
    assert catalogue.match_row(name, categories) == expected


@pytest.mark.parametrize(
    "code", ["070000", "090000", "090300", "080402", "120304", "130106", "130400", "130408", "072000"]
)
@pytest.mark.parametrize(("name", "service"), [("锦江区敬老院", "nursing_home"), ("示意日间照料中心", "elder_daycare")])
def test_care_for_elders_is_found_by_name_in_every_code_that_may_hold_it(
    catalogue: Catalogue, code: str, name: str, service: str
) -> None:
    found = catalogue.match_row(name, [code])
    assert service in found
    assert not {"community_service_station", "kindergarten"} & set(found)


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("示意托育园", "141204", ("nursery_0_3",)),
        ("示意幼儿园托育部", "141204", ("kindergarten", "nursery_0_3")),
        ("长者食堂", "130106", ("community_canteen",)),
        ("玉林社区党群服务中心", "130106", ("community_service_station", "party_service_centre")),
        ("玉林社区党群服务中心", "130400", ("party_service_centre",)),
        ("玉林社区居委会长者食堂", "130106", ("community_canteen", "community_service_station")),
    ],
)
def test_names_tell_what_a_code_does_not(catalogue: Catalogue, name: str, code: str, expected: tuple[str, ...]) -> None:
    assert catalogue.match_row(name, [code]) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"leisure": "park", "name": "Harbour Business Park"}, ()),
        ({"leisure": "park", "name": "Harbour Park"}, ("park",)),
        ({"amenity": "clinic", "name": "Paws Veterinary Clinic"}, ()),
        ({"amenity": "hospital", "name": "Peterhouse Hospital"}, ("hospital",)),  # no pet stands alone in it
    ],
)
def test_english_blacklists(catalogue: Catalogue, tags: dict[str, str], expected: tuple[str, ...]) -> None:
    assert catalogue.match_osm(tags) == expected


def test_a_blacklist_word_for_the_end_of_a_name(catalogue: Catalogue) -> None:
    assert catalogue.match_row("南山公馆", ["公园"]) == ()
    assert catalogue.match_row("公馆街公园", ["公园"]) == ("park",)


def test_colours_and_icons_tell_services_apart(catalogue: Catalogue) -> None:
    services = catalogue.services.values()
    assert len({s.colour for s in services}) == len({s.icon for s in services}) == len(services)
    assert all(re.fullmatch(r"[一-鿿]", s.icon) for s in services)


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_file_adds_and_overrides(tmp_path: Path) -> None:
    own = load_catalogue(
        _file(
            tmp_path,
            """
            [[service]]
            id = "kindergarten"
            osm = ["amenity=kindergarten + operator:type=public"]

            [[service]]
            id = "tea_house"
            name_zh = "茶馆"
            name_en = "tea house"
            theme = "convenience"
            kind = "point"
            osm = ["shop=tea", "amenity=cafe + name~茶"]

            [[service]]
            id = "any_club"
            name_zh = "社团"
            name_en = "club"
            theme = "convenience"
            kind = "point"
            osm = ["club=*"]
            """,
        )
    )
    assert own.match_osm({"amenity": "kindergarten"}) == ()
    assert own.match_osm({"amenity": "kindergarten", "operator:type": "public"}) == ("kindergarten",)
    assert own.services["kindergarten"].keywords_zh == ("幼儿园", "幼稚园")
    assert own.match_osm({"amenity": "cafe", "name": "大慈寺茶社"}) == ("tea_house",)
    assert own.match_osm({"club": "chess"}) == ("any_club",)
    assert list(own.services)[-2:] == ["tea_house", "any_club"]
    assert "tea_house" not in load_catalogue().services


def test_all_faults_of_an_own_file_at_once(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        """
        servcie = 1

        [[service]]
        id = "kindergarten"
        keyword_zh = ["幼儿园"]
        osm = ["amenity~kindergarten"]
        amap = ["1412"]
        theme = "school"

        [[service]]
        id = "tea_house"

        [[service]]
        name_zh = "无名"

        [[service]]
        id = "tea_house"
        """,
    )
    with pytest.raises(InputError) as caught:
        load_catalogue(path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "mine.toml: unknown key; got 'servcie'; remedy: did you mean 'service'?",
        "service 'kindergarten': unknown key; got 'keyword_zh'; remedy: did you mean 'keywords_zh'?",
        "'amenity~kindergarten' in 'amenity~kindergarten' is no term",
        "'1412' is no Amap code",
        "theme; got 'school'; expected 'public_service', 'convenience'",
        "service 'tea_house': the key name_zh is missing",
        "entry 3 has no id",
        "entry 4 writes 'tea_house' a second time; remedy: put both into one entry",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("term", "complaint"),
    [
        ("amenity!=school", "needs at least one key=value"),
        ("max_age<=three + amenity=x", "needs a number"),
        ("site_m2>=400", "needs at least one key=value"),
        ("", "is no term"),
    ],
)
def test_terms_that_cannot_be_read(tmp_path: Path, term: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        load_catalogue(_file(tmp_path, f'[[service]]\nid = "park"\nosm = ["{term}"]'))


def test_family_of_an_unknown_service(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown service; got 'clinics'; remedy: did you mean 'clinic'"):
        load_catalogue(_file(tmp_path, '[[family]]\nid = "x"\nwords = ["x"]\nservices = ["clinics"]'))


@pytest.mark.parametrize("key", ["blacklist_zh", "blacklist_en", "amap", "osm"])
def test_a_term_that_is_no_text(tmp_path: Path, key: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'[[service]]\nid = "park"\n{key} = [[1]]\n', encoding="utf-8")
    with pytest.raises(InputError, match=rf"own\.toml.*{key}.*\[1\] is no text"):
        load_catalogue(file)


def test_own_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine\.toml is not valid TOML; got .*line 1"):
        load_catalogue(_file(tmp_path, "service = [1,,2]"))
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read"):
        load_catalogue(tmp_path / "nowhere.toml")


def test_unknown_service_names_the_nearest(catalogue: Catalogue) -> None:
    assert "did you mean 'kindergarten'?" in str(catalogue.unknown_service("kindergarden"))


def test_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[1] / "docs" / "services.md"
    assert page.read_text(encoding="utf-8") == reference_page(), (
        "run: python -m livingcircle_layers.services_page > docs/services.md"
    )


# What is stricter here than in the table, and why.
# What the table lacks: kindergartens tagged as schools, and secondary schools by their short names (七中, 铁中).
OSM_ADDED = {
    "park": ["leisure=golf_course"],  # out unless the study lets golf grounds in
    "kindergarten": ["amenity=school + name~幼儿园/幼稚园"],
    "junior_secondary": [
        "amenity=school + name~" + "/".join(f"{n}中" for n in "一二三四五六七八九十0123456789") + "/铁中"
    ],
}
AMAP_DIFFERS = {
    "senior_secondary": {"141202+name"},  # 141202 does not tell the level: by itself it is read as junior
    # The table excludes 072001 in words. The others are the codes of 12.3 in which names without a code are looked for.
    "nursery_0_3": {"!072001", "120304+name", "130106+name", "130400+name"},
    "elder_daycare": {"080402+name", "130400+name"},
    "nursing_home": {"120304+name", "130106+name", "130400+name"},
    "community_canteen": {"120304+name", "130106+name", "130400+name"},
    "party_service_centre": {"130400+name"},
    "parcel": {"!070501"},
    "bus_stop": {"!150701", "!150703"},
}


@pytest.mark.realdata
def test_catalogue_holds_the_whole_table(real_data: Path) -> None:
    from livingcircle_layers.catalogue import SERVICES_FILE
    from livingcircle_layers.typed_toml import read_toml

    with (real_data.parent / "services.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    written = {entry["id"]: entry for entry in read_toml(SERVICES_FILE)["service"]}
    services = load_catalogue().services
    assert list(services) == [row["id"] for row in table]
    for row in table:
        id_, raw, service = row["id"], written[row["id"]], services[row["id"]]
        assert (
            service.name_zh,
            service.name_en,
            service.theme,
            service.kind,
            str(service.spatial).lower(),
        ) == (
            row["name_zh"],
            row["name_en"],
            row["theme"],
            row["kind"],
            row["spatial"],
        ), id_
        keywords = _listed(row["keywords_zh"])
        assert keywords <= set(service.keywords_zh), id_
        assert _listed(row["keywords_en"]) <= set(service.keywords_en), id_
        blacklist = {word.partition(" unless ")[0] for word in raw.get("blacklist_zh", [])}
        assert _listed(row["blacklist_zh"]) <= blacklist, id_
        amap = _listed(row["amap"]) | AMAP_DIFFERS.get(id_, set())
        assert set(raw.get("amap", [])) == amap - ({"141202"} if id_ == "senior_secondary" else set()), id_
        assert [_plain(text) for text in raw.get("osm", [])] == [
            *(_plain(text, keywords) for text in row["osm"].split(" | ") if text),
            *(_plain(text) for text in OSM_ADDED.get(id_, [])),
        ], id_


def _listed(cell: str) -> set[str]:
    return {word for word in cell.split("|") if word}


def _plain(text: str, keywords: set[str] | None = None) -> str:
    """Write a name term whose words are the keywords as the bare term; leave out sizes."""
    terms = [term for term in text.split(" + ") if not term.startswith("site_m2")]
    return " + ".join(
        "name" if keywords and t.startswith("name~") and set(t[5:].split("/")) == keywords else t for t in terms
    )


@pytest.mark.realdata
def test_facilities_of_chengdu(real_data: Path) -> None:
    found: dict[str, Counter[tuple[str, ...]]] = {}
    with (real_data / "chengdu" / "facilities.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            cells = [row["facility_type"], row["facility_category"], row["facility_subtype"]]
            services = load_catalogue().match_row(row["name"], cells)
            found.setdefault(row["facility_subtype"], Counter())[services] += 1
    # Museums, churches, an estate (南山两河峯景), camp sites and a giraffe house are listed as parks there; golf and
    # karting as sports halls.
    assert found["公园绿地"] == {("park",): 247, (): 18}
    assert found["体育场馆"] == {("sports_hall",): 101, (): 8}
    assert sum(n for services, n in found["小学"].items() if "primary_school" in services) == 237
    secondary = found["中学"]
    assert secondary[("junior_secondary",)] >= 70
    assert secondary[("senior_secondary",)] >= 10
    assert secondary[("junior_secondary", "senior_secondary")] == 0
    assert found["大学/高等院校"][()] > 120
    assert found["其他学校"][()] > 160


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("千里马大地幼儿园", {"kindergarten"}),
        ("成都49中", {"junior_secondary"}),
        ("成都十八中", {"junior_secondary"}),
        ("成都铁中", {"junior_secondary"}),
        ("电子科技大学附实小", {"primary_school"}),
    ],
)
def test_short_names_of_schools_in_chengdu(catalogue: Catalogue, name: str, services: set[str]) -> None:
    assert set(catalogue.match_osm({"amenity": "school", "name": name})) == services


@pytest.mark.parametrize("word", ["社区卫生服务中心", "社区卫生服务中心(社区医院)", "community_health_centre"])
def test_a_service_is_found_by_its_id_and_its_chinese_name(catalogue: Catalogue, word: str) -> None:
    assert catalogue.named(word) == "community_health_centre"


def test_every_chinese_name_finds_its_own_service_and_others_none(catalogue: Catalogue) -> None:
    assert {s.id: catalogue.named(s.name_zh) for s in catalogue.services.values()} == {s: s for s in catalogue.services}
    assert [catalogue.named(word) for word in ("", "幼稚园", "社区", "kindergartn")] == [None] * 4
