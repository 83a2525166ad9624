"""How the layers of a GeoPackage look in QGIS: colours, labels and Chinese names of their columns, kept in the file.

QGIS reads its default style from the table ``layer_styles``; every program that knows the schema extension of
GeoPackage reads titles and meanings of columns from ``gpkg_data_columns``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from xml.etree import ElementTree as ET

from livingcircle._report_words import FIELDS
from livingcircle._table import Table, column_of
from livingcircle.colours import SHARE
from livingcircle.rules import Rule, RuleSet
from livingcircle_layers.services import THEMES_ZH

CIRCLE_COLOURS = tuple(reversed(SHARE))  # the shortest walk is the darkest
BAND_COLOURS = ("#4d8b31", "#8cb369", "#2f6690", "#81a4cd", "#7a5195")
GREEN, WATER, ROAD, RAIL = "#d3e6c3", "#a9cfe4", "#b9b4a8", "#8a8a8a"
NO_SCORE, OUTLINE, WHITE, INK = "#d9d9d9", "#5a5a5a", "#ffffff", "#222222"
FONT = "Microsoft YaHei"
UNIT_NAME = 'coalesce("unit_name", "unit_id")'
HEADER = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
TITLES = {
    "access_id": "出入口编号", "basis": "人口落位依据", "complete": "图层是否完整", "component": "连通分量",
    "doors": "绿地出入口数", "edge_id": "街道边", "facility_id": "设施编号", "gap_m": "缺口距离 (m)",
    "how": "出入口的确定方式", "kind": "问题类型", "leg_m": "接入街道距离 (m)", "leg_m_p50": "接入距离中位数 (m)",
    "length_m": "长度 (m)", "metres": "步行距离 (m)", "minutes": "步行分钟", "name": "名称",
    "not_placed": "未接入路网人口", "pedestrian_shed": "步行可达面积比", "source": "来源", "theme": "主题圈",
    "unit_complete": "社区是否全部输入", "unit_type": "社区类型", "area_m2": "面积 (m²)",
}  # fmt: skip
_STYLES_TABLE = """CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""
_COLUMN_TABLES = (
    """CREATE TABLE gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
    constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name))""",
    """CREATE TABLE gpkg_data_column_constraints (
    constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
    max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
    CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value))""",
)
_EXTENSIONS_TABLE = """CREATE TABLE IF NOT EXISTS gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))"""
_SCHEMA_EXTENSION = "http://www.geopackage.org/spec121/#extension_schema"


@dataclass(frozen=True)
class Colour:
    """One class of a layer: what it holds, its colour, and what the legend says; ground, or lines of some width."""

    label: str
    colour: str
    least: float = 0.0
    most: float = 0.0
    value: str = ""
    opacity: float = 1.0
    line_mm: float = 0.0


@dataclass(frozen=True)
class Look:
    """How one layer looks: its classes by the value of an expression, and what is written on it.

    Attributes
    ----------
    layer, table
        Name of the layer, and the table whose columns it has.
    by
        Column or expression that the classes are told apart by; "" leaves the colours to QGIS.
    classes
        With a value each, or with a range each.
    label
        Expression of what is written on the ground; "" for nothing.
    top_first
        Column whose small values are drawn above its large ones; "" for any order.
    titles
        Chinese titles of columns that mean something else in other tables.
    """

    layer: str
    table: Table
    by: str = ""
    classes: tuple[Colour, ...] = ()
    label: str = ""
    top_first: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)


def background_look(layer: str, table: Table) -> Look:
    """Return water, green, roads and rails in the colours of the map; the layer has both lines and outlines."""
    by = "\"kind\" || ' ' || geometry_type($geometry)"  # QGIS draws outlines with fills only, and lines with lines
    classes = (
        Colour("绿地 green", GREEN, value="green Polygon"),
        Colour("水面 water", WATER, value="water Polygon"),
        Colour("河流、溪流 streams", WATER, value="water Line", line_mm=0.5),
        Colour("道路 roads", ROAD, value="road Line", line_mm=0.4),
        Colour("铁路 rails", RAIL, value="rail Line", line_mm=0.3),
    )
    return Look(layer, table, by, classes, titles={"kind": "类别", "rank": "重要程度", "name": "名称"})


def score_look(layer: str, table: Table) -> Look:
    """Return communities coloured by score, in five classes, with those without a score in grey, and their names."""
    steps = [0, 20, 40, 60, 80, 100]
    classes = [Colour("不评分 no score", NO_SCORE, -1, -1)]
    classes += [
        Colour(f"{low}–{high}", colour, low, high) for low, high, colour in zip(steps, steps[1:], SHARE, strict=False)
    ]
    return Look(layer, table, 'coalesce("score", -1)', tuple(classes), label=UNIT_NAME)


def share_look(layer: str, table: Table, rule: Rule) -> Look:
    """Return communities coloured by their share on foot of a rule; for a result without any score."""
    classes = [Colour(f"{rule.name_zh or rule.id}: 无数据 no data", NO_SCORE, -1, -1)]
    steps = [0, 0.2, 0.4, 0.6, 0.8, 1]
    classes += [
        Colour(f"{low:.0%}–{high:.0%}", colour, low, high)
        for low, high, colour in zip(steps, steps[1:], SHARE, strict=False)
    ]
    return Look(layer, table, f'coalesce("share_{rule.id}", -1)', tuple(classes), label=UNIT_NAME)


def circles_look(layer: str, table: Table, minutes: Sequence[float]) -> Look:
    """Return circles coloured by their minutes, the short walks above the long ones."""
    classes = tuple(
        Colour(
            f"{number:g} 分钟 minutes", CIRCLE_COLOURS[place % len(CIRCLE_COLOURS)], value=f"{number:g}", opacity=0.35
        )
        for place, number in enumerate(sorted(set(minutes)))
    )
    return Look(layer, table, "minutes", classes, top_first="minutes")


def rules_look(layer: str, table: Table, present: Sequence[str], rules: RuleSet) -> Look:
    """Return ground coloured by the rule that it belongs to."""
    names = {rule.id: rule.name_zh or rule.name_en for rule in rules.rules}
    colours = zip(sorted(set(present)), cycle(BAND_COLOURS), strict=False)
    classes = tuple(Colour(names.get(rule, rule), colour, value=rule, opacity=0.4) for rule, colour in colours)
    return Look(layer, table, "rule", classes)


def column_title(name: str, rules: RuleSet) -> str:
    """Return the short Chinese title of a column; its own name where there is none."""
    if name.startswith("share_"):
        names = {f"share_{rule.id}": rule.name_zh for rule in rules.rules}
        return f"{names[name]} 步行覆盖率" if names.get(name) else name
    if name.startswith("theme_"):
        return f"{THEMES_ZH.get(name.removeprefix('theme_'), name)}可达比例"
    return TITLES.get(name) or (FIELDS[name].zh if name in FIELDS else name)


def write_looks(path: Path, looks: Sequence[Look], rules: RuleSet, *, time: str) -> None:
    """Write looks and column titles into a GeoPackage that has their layers.

    Parameters
    ----------
    path
        A GeoPackage without looks.
    looks
        One per layer.
    rules
        For the titles of shares.
    time
        Stands as time of the last change.

    Raises
    ------
    sqlite3.Error
        The file cannot be written.
    """
    with closing(sqlite3.connect(path)) as database, database:
        columns = {look.layer: _columns(database, look.layer) for look in looks}
        titles = {
            look.layer: {name: look.titles.get(name) or column_title(name, rules) for name in columns[look.layer]}
            for look in looks
        }
        _write_titles(database, looks, titles)
        _write_styles(database, looks, titles, time)


def _columns(database: sqlite3.Connection, layer: str) -> list[str]:
    """Return the columns of a layer but its key and its geometry."""
    quoted = layer.replace('"', '""')
    names = [str(row[1]) for row in database.execute(f'PRAGMA table_info("{quoted}")')]
    return [name for name in names if name not in ("fid", "geom")]


def _write_titles(database: sqlite3.Connection, looks: Sequence[Look], titles: Mapping[str, Mapping[str, str]]) -> None:
    for table in (*_COLUMN_TABLES, _EXTENSIONS_TABLE):
        database.execute(table)
    extension = [
        (name, None, "gpkg_schema", _SCHEMA_EXTENSION, "read-write")
        for name in ("gpkg_data_columns", "gpkg_data_column_constraints")
    ]
    database.executemany("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", extension)
    for look in looks:
        rows = [
            (look.layer, name, name, title, _meaning(look.table, name), None, None)
            for name, title in titles[look.layer].items()
        ]
        database.executemany("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _meaning(table: Table, name: str) -> str:
    column = column_of(table, name)
    return f"{column.meaning_zh} {column.meaning_en}"


def _write_styles(
    database: sqlite3.Connection, looks: Sequence[Look], titles: Mapping[str, Mapping[str, str]], time: str
) -> None:
    database.execute(_STYLES_TABLE)
    rows = [
        ("", "", look.layer, "geom", look.layer[:30], style_text(look, titles[look.layer]), "", 1, "", "", None, time)
        for look in looks
    ]
    database.executemany("INSERT INTO layer_styles VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
        " VALUES ('layer_styles', 'attributes', 'layer_styles', 'QGIS', ?, 0)",
        (time,),
    )


def style_text(look: Look, titles: Mapping[str, str]) -> str:
    """Return the look of a layer as a QGIS style (QML).

    Parameters
    ----------
    look
        Without classes the style has titles of columns only.
    titles
        Title by column, in the order of the layer's columns.
    """
    style = ET.Element(
        "qgis", version="3.22.0", styleCategories="Symbology|Labeling|Fields" if look.classes else "Fields"
    )
    if look.classes:
        style.append(_renderer(look))
    if look.label:
        style.set("labelsEnabled", "1")
        style.append(_labelling(look.label))
    aliases = ET.SubElement(style, "aliases")
    for index, (name, title) in enumerate(titles.items(), start=1):  # 0 is the key
        ET.SubElement(aliases, "alias", index=str(index), field=name, name=title)
    ET.indent(style)
    return HEADER + ET.tostring(style, encoding="unicode") + "\n"


def _renderer(look: Look) -> ET.Element:
    ranged = not look.classes[0].value
    kind = "graduatedSymbol" if ranged else "categorizedSymbol"
    renderer = ET.Element("renderer-v2", type=kind, attr=look.by, enableorderby=str(int(bool(look.top_first))))
    if ranged:
        renderer.set("graduatedMethod", "GraduatedColor")
    classes = ET.SubElement(renderer, "ranges" if ranged else "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for number, one in enumerate(look.classes):
        if ranged:
            drawn = ET.SubElement(classes, "range", lower=f"{one.least:g}", upper=f"{one.most:g}")
        else:
            number_type = "double" if one.value.replace(".", "", 1).isdigit() else "string"
            drawn = ET.SubElement(classes, "category", value=one.value, type=number_type)
        for key, value in (("symbol", str(number)), ("label", one.label), ("render", "true")):
            drawn.set(key, value)
        symbols.append(_line(str(number), one) if one.line_mm else _ground(str(number), one))
    if look.top_first:
        order = ET.SubElement(renderer, "orderby")
        ET.SubElement(order, "orderByClause", asc="0", nullsFirst="0").text = f'"{look.top_first}"'
    return renderer


def _ground(name: str, one: Colour) -> ET.Element:
    """Return the symbol of one class: its colour within a thin line."""
    drawn = {
        "color": _rgba(one.colour),
        "style": "solid",
        "outline_color": _rgba(OUTLINE),
        "outline_style": "solid",
        "outline_width": "0.2",
        "outline_width_unit": "MM",
    }
    return _symbol("fill", "SimpleFill", name, one, drawn)


def _line(name: str, one: Colour) -> ET.Element:
    """Return the symbol of a class of lines."""
    drawn = {
        "line_color": _rgba(one.colour),
        "line_style": "solid",
        "line_width": f"{one.line_mm:g}",
        "line_width_unit": "MM",
    }
    return _symbol("line", "SimpleLine", name, one, drawn)


def _symbol(kind: str, layer_class: str, name: str, one: Colour, drawn: Mapping[str, str]) -> ET.Element:
    """Return a symbol of one layer with the given options."""
    symbol = ET.Element("symbol", type=kind, name=name, alpha=f"{one.opacity:g}", clip_to_extent="1")
    layer = ET.SubElement(symbol, "layer", {"class": layer_class, "enabled": "1", "pass": "0", "locked": "0"})
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in drawn.items():
        ET.SubElement(options, "Option", type="QString", name=key, value=value)
    return symbol


def _labelling(expression: str) -> ET.Element:
    """Return labels in a readable size on a white edge."""
    labelling = ET.Element("labeling", type="simple")
    settings = ET.SubElement(labelling, "settings", calloutType="simple")
    text = ET.SubElement(
        settings, "text-style", fieldName=expression, isExpression="1", fontFamily=FONT, fontSize="8",
        fontSizeUnit="Point", textColor=_rgba(INK),
    )  # fmt: skip
    ET.SubElement(text, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferColor=_rgba(WHITE))
    ET.SubElement(settings, "placement", placement="1", fitInPolygonOnly="0")
    ET.SubElement(settings, "rendering", drawLabels="1", obstacle="1")
    return labelling


def _rgba(colour: str) -> str:
    """Return a colour as QGIS writes it.

    Examples
    --------
    >>> _rgba("#1b4869")
    '27,72,105,255'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},255"
