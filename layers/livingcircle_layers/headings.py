"""The headings under which planners' tables keep what the tool needs, in Chinese and in English."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from livingcircle_layers.errors import InputError, sentence

_CHILDREN = "人口 人口数 人数 常住人口 儿童 儿童数"
_ELDERS = "人口 人口数 人数 常住人口 老人 老人数 老年人 老年人数 老年人口 老年人口数"


def _ages(ages: str, people: str) -> str:
    """Return the headings that name people of some age: 60岁以上, 60岁以上老年人口, 老年人口(60岁以上)."""
    counted = people.split()
    after = [f"{age}{who}" for age in ages.split() for who in ("", *counted)]
    return " ".join([*after, *(f"{who}_{age}" for age in ages.split() for who in counted)])


_USUAL = {
    "lon": "lon lng long longitude 经度 lon_wgs84 wgs84_lon wgs84_lng x",
    "lat": "lat latitude 纬度 lat_wgs84 wgs84_lat y",
    "lonlat": "location lonlat lon_lat 经纬度 坐标",
    "entrance": "entr_location entrance_location 入口坐标 出入口坐标 入口经纬度 出入口经纬度",
    "parent": "parent parent_id 父级 父级编号 所属编号",
    "id": (
        "id unit_id code 编码 代码 编号 社区代码 社区编码 社区编号 行政区划代码 unit_code "
        "community_id community_code facility_id grid_id cell_id 网格编号 格网编号 设施编号 uid"
    ),
    "name": (
        "name 名称 unit_name 社区 社区名称 村社区 村_社区 community community_name 设施名称 单位名称 "
        "学校名称 机构名称 园名 校名 院名 店名 站名 园所名称 幼儿园名称 公园名称 医院名称 "
        "facility_name 标准名称 name_zh 名字"
    ),
    "category": "category facility_category 类别 分类 大类 设施类别 service 服务 theme 主题",
    "type": ("type 类型 设施类型 社区类型 unit_type facility_type typecode 小类 中类 facility_subtype subtype"),
    "area_m2": (
        "area_m2 total_area_m2 site_area_m2 面积 用地面积 占地面积 总用地面积 场地面积 公园面积 总面积 占地 用地规模 "
        "占地规模 area area_sqm"
    ),
    "floor_m2": "floor_m2 floor_area_m2 floor_area 建筑面积 总建筑面积",
    "population": (
        "population people pop population_total total_population 人口 人口数 人数 总人口 "
        "总人口数 常住人口 常住人口数 居住人口"
    ),
    "households": ("households household 户数 总户数 居民户数 家庭户数 常住户数 dwelling_units total_dwelling_units"),
    "age_0_3": "age_0_3 " + _ages("0_3岁 0至3岁 0到3岁 3岁以下", _CHILDREN + " 婴幼儿 婴幼儿数"),
    "age_3_6": "age_3_6 " + _ages("3_6岁 3至6岁 3到6岁", _CHILDREN + " 幼儿 幼儿数"),
    "age_6_12": "age_6_12 " + _ages("6_12岁 6至12岁 6到12岁", _CHILDREN),
    "age_12_15": "age_12_15 " + _ages("12_15岁 12至15岁 12到15岁", _CHILDREN),
    "age_60_up": "age_60_up age_60_plus " + _ages("60岁以上 60岁及以上 60周岁以上 60周岁及以上", _ELDERS),
    "age_65_up": (
        "age_65_up age_65_plus population_elderly_65plus elderly_65plus "
        + _ages("65岁以上 65岁及以上 65周岁以上 65周岁及以上", _ELDERS)
    ),
    "beds": "beds 床位 床位数 养老床位 养老床位数 核定床位 核定床位数 设计床位 设计床位数 床位总数 总床位数",
    "seats": "seats 学位 学位数 核定学位 核定学位数 设计学位 设计学位数 学位总数 places school_places",
    "capacity": "capacity 容量 规模 设计规模 服务规模 设计容量 托位 托位数 核定托位 核定托位数 餐位 餐位数",
    "subdistrict": (
        "subdistrict subdistric 街道 乡镇 街道名称 街道乡镇 街道_乡镇 街镇 镇街 乡镇街道 乡镇_街道 "
        "subdistrict_name town township"  # subdistric: a Shapefile keeps ten letters
    ),
    "district": "district 区县 区 县 区_县 区县名称 所属区县 所属区 行政区 district_name county",
}

# What stands behind a Chinese heading, in brackets as a rule: 面积(㎡), 人口(人).
_UNITS = {
    **dict.fromkeys(("area_m2", "floor_m2"), "m2 平方米 平米"),
    **dict.fromkeys(("population", "age_0_3", "age_3_6", "age_6_12", "age_12_15", "age_60_up", "age_65_up"), "人"),
    "households": "户", "beds": "张 个", "seats": "个 座 人", "capacity": "个 座 人",
}  # fmt: skip

_LARGE_UNITS_M2 = {
    **dict.fromkeys(("公顷", "hm2", "ha", "hectare", "hectares", "万平方米", "万平米", "万m2", "万_m2"), 1e4),
    **dict.fromkeys(("亩", "mu"), 1e4 / 15),
    **dict.fromkeys(("千平方米", "千m2", "千_m2"), 1e3),
    **dict.fromkeys(("平方公里", "平方千米", "km2", "sq_km", "sqkm"), 1e6),
}
_MANY = {"万": 1e4, "千": 1e3, "百": 1e2}


def _with_units(role: str) -> tuple[str, ...]:
    """Return the usual headings of a role, those that name its unit beside them; counts also in 万, 千 and 百."""
    usual, units = _USUAL[role].split(), _UNITS.get(role, "").split()
    chinese = [heading for heading in usual if not heading.isascii()]
    large = [] if role.endswith("_m2") else [many + unit for unit in units for many in _MANY]
    return (
        *(heading + unit for heading in usual for unit in ("", *(_behind(units) if heading in chinese else ()))),
        *(heading + unit for heading in chinese for unit in _behind(large)),
    )


def _behind(units: Iterable[str]) -> list[str]:
    return [gap + unit for unit in units for gap in ("_", "")]


HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType({role: _with_units(role) for role in _USUAL})
"""For every role of a column its usual headings, the first found wins (compared by `plain_heading`)."""

LARGE_AREAS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        role: tuple(
            heading.removesuffix("_m2") + unit
            for heading in _USUAL[role].split()
            for unit in _behind(_LARGE_UNITS_M2)
            if not heading.isascii() or (heading.endswith("area_m2") and unit.startswith("_"))
        )
        for role in ("area_m2", "floor_m2")
    }
)
"""Headings of areas of places in larger units than m².

Those of people's cells are not looked for: a list of communities has the area of each beside a point, and its people do
not live in a square around that."""

_AREA_UNIT = re.compile(
    r"(?:^|_|(?<=[^\W\da-z_]))"  # behind a gap or a Chinese word
    rf"({'|'.join(sorted(_LARGE_UNITS_M2, key=len, reverse=True))})$"
)
_OTHER_AREA = re.compile(
    r"公顷|[亩坪顷]|平方(?!米)|[万千百十亿](?:_?(?:平|m2|方)|_|$)|公_?$|\dm2"
    r"|(?:^|_)(?:ha|hect|mu|acres?|ac|km2?|ft2?|mi2?|sq|sq_?(?:km|ft|mi)|square|10_?000|1_?000)(?:_(?!m\b|met)|$)"
)
_COUNT_UNIT = re.compile(r"([万千百])[人户张个座床]$|_([万千百])$")
_OTHER_COUNT = re.compile(
    r"[万千百十亿](?:[人户张个座床]|_|$)|公顷|亩|平方|m2$|(?:^|_)(?:ha|thousands?|millions?|hundreds?|10k|10_?000|1_?000)(?:_|$)"
)
_RATE = re.compile(
    r"[%‰]|每|人均|生均|户均|占比|比例|比重|率|密度|(?<![a-z])(?:per|percent|ratio|share|rate|density)(?![a-z])"
    r"|(?:[张座个床]|m2|平方米|\([人户])\s*/"
)
_PER_KM2 = re.compile(
    r"(?<![万千百十亿])人\s*/\s*(?:km2|平方公里|平方千米)|密度\)?$|density$|per[_ ]?km2$|density[_ ]km2$"
)
_KNOWN = frozenset(heading for headings in HEADINGS.values() for heading in headings)
_OF_ANOTHER = re.compile(r"^(所属|所在|主管|上级|举办|道路|小区|网格|省|市)|(街道|乡镇|(?<![校园院])区|县|市)名称$")

GROUPS = ("age_0_3", "age_3_6", "age_6_12", "age_12_15", "age_60_up", "age_65_up")
"""The groups of people a table can carry beside all people."""


def plain_heading(heading: str) -> str:
    """Reduce a heading to what matters: ``面积(㎡)`` and ``面积_m2`` are the same column.

    Examples
    --------
    >>> plain_heading("0－3岁"), plain_heading(" Area (m²) "), plain_heading("面积(单位:亩)")
    ('0_3岁', 'area_m2', '面积_亩')

    A share is no count: its sign stays, so that its column is never taken for one.

    >>> plain_heading("60岁以上（％）")
    '60岁以上_percent'
    """
    text = re.sub(r"[%‰]", " percent ", unicodedata.normalize("NFKC", heading).casefold())
    return re.sub(r"[\W_]+", "_", text).strip("_").replace("_单位_", "_")


def find_column(
    headings: Iterable[object], candidates: str | Sequence[str], *, required_for: str | None = None
) -> str | None:
    """Find the column that holds something, by its usual headings.

    Parameters
    ----------
    headings
        The headings of the table (a DataFrame will do), as they are written.
    candidates
        A role of `HEADINGS`, or headings to try in this order.
    required_for
        What the column is needed for; when given, a missing column is an error that says so.

    Returns
    -------
    The heading as it is written in the table, None when there is no such column. Without a usual heading of a name the
    one that says whose name it is will do (幼儿园名称), where there is one alone.
    """
    present = [str(heading) for heading in headings]
    names = HEADINGS[candidates] if isinstance(candidates, str) else tuple(candidates)
    by_plain: dict[str, str] = {}
    for heading in present:
        by_plain.setdefault(plain_heading(heading), heading)
    for name in names:
        found = by_plain.get(plain_heading(name))
        if found is not None:
            return found
    if candidates == "name" and (own := _own_name(present)) is not None:
        return own
    if required_for is not None:
        raise InputError(_missing(required_for, names, present))
    return None


def _own_name(present: Sequence[str]) -> str | None:
    """Return the one heading such as 幼儿园名称; not 所属街道名称, which is the name of something else."""
    plain = {heading: plain_heading(heading) for heading in present}
    found = [h for h, p in plain.items() if p.endswith("名称") and p not in _KNOWN and not _OF_ANOTHER.search(p)]
    return found[0] if len(found) == 1 else None


def unit_of(role: str, heading: str) -> float | None:
    """Return how many m², or how many people, beds or the like, a number under the heading of a role means.

    It is 1 where no unit is named, and None where the number is none of them, or its unit is not known: an area in
    acres, beds per 1,000 people, a share. People per km² stay what they are (``values = "density"``).

    Examples
    --------
    >>> unit_of("area_m2", "占地面积(公顷)"), unit_of("area_m2", "面积（万 m²）"), unit_of("area_m2", "面积(㎡)")
    (10000.0, 10000.0, 1.0)
    >>> unit_of("population", "常住人口(万人)"), unit_of("beds", "床位(张/千人)"), unit_of("area_m2", "Area (acres)")
    (10000.0, None, None)
    """
    text, plain = unicodedata.normalize("NFKC", heading).casefold(), plain_heading(heading)
    if role == "population" and _PER_KM2.search(text):
        return 1.0
    named = (_AREA_UNIT if role.endswith("_m2") else _COUNT_UNIT).search(plain)
    rest = plain[: named.start()] if named else plain
    if _RATE.search(text.replace("_", " ")) or (_OTHER_AREA if role.endswith("_m2") else _OTHER_COUNT).search(rest):
        return None
    if named is None:
        return 1.0
    return _LARGE_UNITS_M2[named[1]] if role.endswith("_m2") else _MANY[named[1] or named[2]]


def find_columns(
    headings: Iterable[object],
    roles: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    what: str,
    usual: Mapping[str, Sequence[str]] = HEADINGS,
) -> dict[str, str]:
    """Find the columns of a table for several roles; what the user maps wins over the usual headings.

    Parameters
    ----------
    headings
        The headings of the table (a DataFrame will do).
    roles
        The roles that the reader can use.
    columns
        The user's own mapping, role to heading; ``""`` says that no column has the role.
    required
        Roles without which the table cannot be used.
    what
        The table, as errors name it.
    usual
        The headings that each role usually has.

    Returns
    -------
    The columns used, role to heading, for printing and for reading; absent roles are left out.

    Raises
    ------
    InputError
        For mapped columns or roles that do not exist (with the nearest one) and missing columns, all at once.
    """
    present = [str(heading) for heading in headings]
    mapped = columns or {}
    faults = [fault for role in mapped if (fault := _wrong_mapping(mapped, role, roles, required, present, what))]
    used = {role: heading for role, heading in mapped.items() if heading}
    for role in roles:
        if role in mapped:
            continue
        free = [heading for heading in present if heading not in used.values()]
        found = find_column(free, role if usual is HEADINGS else usual[role])
        if found is not None:
            used[role] = found
        elif role in required:
            faults.append(_missing(f"the {role} of {what}", usual[role], present))
    if faults:
        raise InputError.of(faults)
    return {role: used[role] for role in roles if role in used}


def _wrong_mapping(
    columns: Mapping[str, str], role: str, roles: Sequence[str], required: Sequence[str], present: list[str], what: str
) -> str | None:
    """Say what is wrong with what the planner maps a role to."""
    heading = columns[role]
    if role not in roles:
        return f"{what}: `columns` cannot map {role!r}{nearest(role, roles)}"
    if heading and heading not in present:
        return f"{what} has no column {heading!r} for {role}{nearest(heading, present)}"
    if not heading and role in required:
        return f"{what} cannot do without {role}; remedy: name its column in `columns`"
    return None


def refuse_twice(what: str, headings: Iterable[object]) -> None:
    """Raise for headings that are the same as text, of which nobody could say which one is meant."""
    present = [str(heading) for heading in headings]
    if twice := sorted({heading for heading in present if present.count(heading) > 1}):
        raise InputError(f"{what}: headings appear twice: {', '.join(twice)}", remedy="rename or remove one of each")


def nearest(word: str, known: Sequence[str]) -> str:
    """Say which known word was probably meant, as the end of an error."""
    close = difflib.get_close_matches(plain_heading(word), [plain_heading(k) for k in known], n=1, cutoff=0.5)
    if close:
        meant = next(k for k in known if plain_heading(k) == close[0])
        return f"; the nearest is {meant!r}"
    return f"; there are: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}"


def _missing(purpose: str, candidates: Sequence[str], present: Sequence[str]) -> str:
    return sentence(
        f"no column for {purpose}",
        got=f"the headings {', '.join(present[:12])}{' …' if len(present) > 12 else ''}",
        expected=f"one of {', '.join(candidates[:6])}",
        remedy="rename the heading or map it in `columns`",
    )
