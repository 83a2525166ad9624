"""What a Word report says of one district: words, tables and charts, all taken from the tables of the run."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from livingcircle import charts
from livingcircle._report_words import FIELDS, MARKS, STATUSES
from livingcircle._word_page import CAPTION, HEADING, NOTE, Block, Grid, Picture, Words
from livingcircle._workbook import Sheet
from livingcircle.charts import Chart, Language, communities_of
from livingcircle.columns import COVERAGE, SCORES, published
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.headings import Headings
from livingcircle.missed import people_without
from livingcircle.report import finding, report_sheets
from livingcircle.result import ScanResult
from livingcircle.rules import Rule
from livingcircle.said_zh import said
from livingcircle.scores import MIN_DATA_SHARE, MIN_PEOPLE
from livingcircle_layers.errors import InputError

MOST_ROWS = 30  # of one table; the rest is in report.xlsx, which this report names
ALL_ROWS = 10_000  # of tables that are as long as the list of rules or inputs
NONE = "—"
BILINGUAL = re.compile(r"(.*[^\x00-\x7f][^A-Za-z]*?)\s+([A-Za-z].*)")  # "无数据 no data": Chinese first
BOUNDS = {"must": "应", "recommended": "宜", "optional": "可"}
TYPES = {"^urban": "城镇", "^rural": "乡村", "^industrial": "产业"}
BOTH = ("topic", "why")  # columns of the Excel report whose fixed words are in two languages
DECIMALS: Mapping[str, str] = {
    "int": "{:,.0f}", "metres": "{:,.0f}", "score": "{:.1f}", "degrees": "{:.5f}",
    "share": "{:.1%}",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """What a demand is counted in, and how a sentence says that a share is one of it."""

    zh: str
    en: str
    by_zh: str = ""
    by_en: str = ""


UNITS: Mapping[str, Unit] = {
    "people": Unit("人", "people"),
    "residential_land": Unit("m²", "m²", "按居住用地面积计,", " by residential land"),
    "land": Unit("m²", "m²", "按用地面积计,", " by land"),
    "households": Unit("户", "households", "按户数计,", " by households"),
    "units": Unit("个社区", "communities", "按社区数计,", " by communities"),
}

WORDS: Mapping[str, str] = {
    "study": "name of the study 研究名称",
    "unit": "the district, or the city 区县或全市",
    "communities": "number of its communities 社区数",
    "people": "people who are counted 计入居民",
    "score": "score 得分",
    "score_low": "lowest possible score 得分下限",
    "score_high": "highest possible score 得分上限",
    "k_mean": "services in reach, on average 人均可达项数",
    "n_listed": "services of the list 清单项数",
    "n_scored": "services of the list with data 有数据的项数",
    "complete_share": "share who reach every required service 应配建齐全人口占比",
    "missing_one_share": "share who miss just one 仅缺一项人口占比",
    "weakest_rule": "scoring rule with the lowest share 最弱条文",
    "no_score": "why there is no score; nothing where there is one 不评分的原因",
    "standard": "standard or bundle 标准",
    "data_date": "date of the data 数据日期",
    "walkers": "who walks 步行人群",
    "headings": "what the headings are 分节依据",
    "approval": "map approval number, or the line of internal work 审图号或内部工作图声明",
    "credits": "credits of the data 数据署名",
    "not_a_survey": "the results are no survey 非测绘成果声明",
}

SCORE_WORDS = frozenset({"score", "score_low", "score_high", "k_mean", "complete_share", "missing_one_share"})


@dataclass(frozen=True)
class District:
    """One report: a unit of a result, in one language, under a list of headings."""

    result: ScanResult
    level: str
    unit: str
    language: Language
    headings: Headings
    sheets: Mapping[str, Sheet]

    @cached_property
    def communities(self) -> set[str]:
        """Ids of the communities of the unit."""
        return set(communities_of(self.result, self.unit))

    @cached_property
    def score(self) -> Mapping[str, Any]:
        """The row of scores of the unit."""
        scores = published(self.result.scores, SCORES)
        return dict(scores[(scores["level"] == self.level) & (scores["unit_id"] == self.unit)].iloc[0])

    @cached_property
    def name(self) -> str:
        """Name of the unit."""
        return str(self.score["unit_name"] or self.unit)

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """All rules of the run by id."""
        return {rule.id: rule for rule in self.result.rules.rules}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The numbers of the rules in the table of standards."""
        return {name: at for at, name in enumerate(self.rules, start=1)}

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """The rows of coverage of the unit, one per rule, in words."""
        table = published(self.result.coverage, COVERAGE)
        table = table[(table["level"] == self.level) & (table["unit_id"] == self.unit)].drop_duplicates("rule")
        binding = table["rule"].map({name: rule.may_fail_publicly for name, rule in self.rules.items()})
        return table.assign(
            without=people_without(table),
            finding=finding(table["met_clause"], binding=binding.eq(True), status=table["status"]),
        )

    def pick(self, zh: str, en: str) -> str:
        """Return the words of the report's language."""
        return zh if self.language == "zh" else en

    def rule_name(self, rule: object) -> str:
        """Return the label of a rule."""
        known = self.rules.get(str(rule))
        return NONE if known is None else self.pick(known.name_zh, known.name_en) or known.id

    def spoken(self, text: object) -> str:
        """Return the half of words in two languages that the report speaks."""
        halves = BILINGUAL.fullmatch(str(text))
        return str(text) if halves is None else halves[1 if self.language == "zh" else 2]

    def own(self, sheet: str, column: str = "unit_id") -> pd.DataFrame:
        """Return the rows of the unit's communities in a sheet of the Excel report."""
        frame = self.sheets[sheet].frame
        return frame if self.level == "city" else frame[frame[column].isin(self.communities)]


def sheets_of(result: ScanResult) -> dict[str, Sheet]:
    """Return the sheets of the Excel report by the Chinese half of their titles."""
    return {sheet.title.split(" ")[0]: sheet for sheet in report_sheets(result) if isinstance(sheet, Sheet)}


def is_left_out(it: District, placeholders: Sequence[str]) -> bool:
    """Tell whether a paragraph would say dashes only: it tells the score, there is none, and it does not say so."""
    return pd.isna(it.score["score"]) and not SCORE_WORDS.isdisjoint(placeholders) and "no_score" not in placeholders


def words_of(it: District) -> dict[str, str]:
    """Return what stands for each placeholder of a word."""
    run, row = it.result.run, it.score
    source = it.headings
    said = it.pick(f"按{source.title_zh}分节", f"under {source.title_en}")
    if source.source:
        mark = it.spoken(MARKS[source.mark])
        said += it.pick(
            f"(名称出自{source.source},可信度 {mark};政策文本未规定服务与场景的对应,归类由本工具作出,须由规划师核定)",
            f" (names from {source.source}, {mark}; the text does not say which service belongs to which scene: "
            "the grouping is this tool's and is to be confirmed by the planner)",
        )
    return {
        "study": str(run.get("name") or "livingcircle"),
        "unit": it.name,
        "communities": f"{len(it.communities):,}",
        **{name: number(row[name], FIELDS[name].kind) for name in (
            "people", "score", "score_low", "score_high", "k_mean", "n_listed", "n_scored", "complete_share",
            "missing_one_share",
        )},
        "weakest_rule": it.rule_name(row["weakest_rule"]),
        "no_score": _no_score(it) if pd.isna(row["score"]) else "",
        "standard": it.pick(it.result.rules.title_zh, it.result.rules.title_en) or it.result.rules.id,
        "data_date": str(run.get("data_date") or it.pick("不详", "unknown")),
        "walkers": _walkers(it),
        "headings": said,
        "approval": approval_line(it.result.approval_number),
        "credits": " · ".join(credits_of(run)) or NONE,
        "not_a_survey": NOT_A_SURVEY,
    }  # fmt: skip


def _walkers(it: District) -> str:
    walkers = str(it.result.settings.get("walkers") or it.result.settings.get("walker") or NONE)
    return said(f"walkers = {walkers}", it.language).partition(" = ")[2]


def _no_score(it: District) -> str:
    share = f"{MIN_DATA_SHARE:.0%}"
    if pd.isna(it.score["people"]):
        return it.pick(
            "不评分:没有人口数据,需求按居住用地面积计。",
            " No score: no population is given, and demand is residential land.",
        )
    return it.pick(
        f"不评分:有数据的计分服务不足 {share},或人口少于 {MIN_PEOPLE}。",
        f" No score: data for less than {share} of the list, or fewer than {MIN_PEOPLE} people.",
    )


def number(value: Any, kind: str) -> str:
    """Write a number as the report shows its kind; what is not known is a dash, never 0."""
    if value is None or pd.isna(value):
        return NONE
    if kind == "number":  # of any size: as many decimals as tell something
        return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.3g}"
    return DECIMALS[kind].format(float(value))


# -- blocks ----------------------------------------------------------------------------------------------------------


def ranking_table(it: District) -> list[Block]:
    """List the communities by rank; those without a score follow with the reason."""
    frame = it.own("排名")
    frame = frame.assign(weakest_rule=[_label(it, label) for label in frame["weakest_rule"]])
    if it.language == "zh":
        frame["class"] = frame["class"].replace(TYPES, regex=True)
    alike = len(frame["class"].unique()) == 1  # then whom each is compared with need not be told
    return _grid(it, frame.drop(columns="class") if alike else frame, {
        "class": 2.6, "rank": 1.1, "unit_name": 3.2, "people": 1.6, "score": 1.3, "score_low": 1.3, "score_high": 1.3,
        "k_mean": 1.4, "weakest_rule": 3.6, "why": 3.0,
    })  # fmt: skip


def sections(it: District) -> list[Block]:
    """Tell of every heading its rules: whom they reach on foot and by radius, whom not, and by which clause."""
    rows = it.coverage
    placed = [it.headings.of(rule.services, theme) if rule else None for rule, theme in zip(
        (it.rules.get(name) for name in rows["rule"]), rows["theme"].fillna(""), strict=True
    )]  # fmt: skip
    blocks: list[Block] = []
    for heading in (*it.headings.heading, None):
        own = rows[[h is heading for h in placed]]
        if heading is None and own.empty:
            continue
        blocks.append(Words(it.pick("其他", "Other") if heading is None else it.pick(heading.zh, heading.en), HEADING))
        if own.empty:
            blocks.append(Words(it.pick("本次运行没有可归入此节的条文,未测量。", "No rule of this run: not measured.")))
            continue
        blocks += [Words(_summary(it, own)), *_grid(it, _told(it, own), {
            "label": 3.4, "demand": 2.2, "share": 1.7, "radius_share": 1.7, "without": 1.7, "value": 1.5,
            "finding": 2.6, "no": 1.1, "mark": 1.3,
        }, most=ALL_ROWS)]  # fmt: skip
    return blocks


def gaps_table(it: District) -> list[Block]:
    """List who goes without what, most people first, and where the nearest place is."""
    return _grid(it, _of_first_walker(it, it.own("缺口")), {
        "unit_name": 3.2, "label": 3.4, "without": 1.6, "demand": 2.0, "share": 1.5, "nearest_name": 3.2,
        "nearest_m": 1.9, "no": 1.1,
    })  # fmt: skip


def false_coverage_table(it: District) -> list[Block]:
    """List where a radius counts people who cannot walk there."""
    return _grid(it, _of_first_walker(it, it.own("假覆盖")), {
        "unit_name": 2.8, "label": 3.8, "only_radius": 1.8, "false_share": 1.8, "demand": 1.8, "covered": 1.8,
        "radius_covered": 1.8, "no": 1.1,
    })  # fmt: skip


def additions_table(it: District) -> list[Block]:
    """List where one more place would help most; people gained may live outside the district."""
    table = it.result.additions
    if table is None or table.empty:
        return [Words(it.pick("本次运行未试算补点。", "This run has tried no additions."), NOTE)]
    named = table if it.level == "city" else table[table["unit_id"].isin(it.communities)]
    named = named.sort_values(["city_rank", "rank"], na_position="last", kind="stable")
    return _grid(it, _with_rule(it, named), {
        "label": 3.8, "unit_name": 2.8, "lon": 2.2, "lat": 2.0, "gained": 1.7, "gained_share": 1.6, "completed": 1.9,
        "no": 1.1,
    })  # fmt: skip


def standards_table(it: District) -> list[Block]:
    """List every rule with its clause and how sure its figure is, and what the marks mean."""
    rows = [
        {"no": it.numbers[rule.id], "label": it.rule_name(rule.id), "threshold": rule.threshold,
         "threshold_unit": rule.threshold_unit, "clause": rule.citation,
         "bound": it.pick(BOUNDS.get(rule.bound, ""), rule.bound), "mark": rule.mark or "✓"}
        for rule in it.result.rules.rules
    ]  # fmt: skip
    used = [mark for mark in MARKS if any(rule.mark == mark for rule in it.result.rules.rules)]
    meaning = ";".join(f"{mark or '✓'} {it.spoken(MARKS[mark]).removeprefix(mark).strip()}" for mark in used)
    frame = pd.DataFrame(rows, columns=list(_STANDARDS))
    return [*_grid(it, frame, _STANDARDS, most=ALL_ROWS), Words(it.pick("可信度:", "Marks: ") + meaning, NOTE)]


_STANDARDS = {
    "no": 1.1, "label": 4.0, "threshold": 1.5, "threshold_unit": 1.9, "clause": 5.8, "bound": 2.2, "mark": 1.3,
}  # fmt: skip


def data_quality_table(it: District) -> list[Block]:
    """Tell what the numbers of the whole run rest on."""
    widths = {"topic": 2.2, "what": 4.8, "number": 1.3, "persons": 1.5, "detail": 7.4}
    frame = it.sheets["数据质量"].frame
    notes = frame["topic"].str.startswith(("提醒", "坐标基准"))  # one line in Chinese, and one in English beneath it
    spoken = frame["detail"].astype(str).str.split("\n").str[0 if it.language == "zh" else -1]
    return _grid(it, frame.assign(detail=spoken.where(notes, frame["detail"])), widths, most=ALL_ROWS)


def not_measured_table(it: District) -> list[Block]:
    """List what the run says nothing about."""
    widths = {"topic": 2.6, "what": 4.8, "detail": 5.6, "clause": 4.4}
    frame = it.sheets["未测量"].frame
    return _grid(it, frame.assign(what=[it.spoken(what) for what in frame["what"]]), widths, most=ALL_ROWS)


def _unscored(it: District) -> list[Block]:
    return [Words(it.pick("未绘图:没有社区有得分。", "No chart: no community has a score."), NOTE)]


def _ranking_chart(it: District) -> list[Block]:
    if not charts.has_scores(it.result, it.unit):
        return _unscored(it)
    return _chart(it, lambda: charts.ranking(it.result, unit=it.unit, language=it.language))


def _lorenz_chart(it: District) -> list[Block]:
    if not charts.has_scores(it.result, it.unit):
        return _unscored(it)
    return _chart(it, lambda: charts.lorenz(it.result, unit=it.unit, language=it.language))


def _distances_chart(it: District) -> list[Block]:
    return _chart(it, lambda: charts.distances(it.result, unit=it.unit, language=it.language))


BLOCKS: Mapping[str, Callable[[District], list[Block]]] = {
    "ranking_chart": _ranking_chart,
    "ranking_table": ranking_table,
    "sections": sections,
    "gaps_table": gaps_table,
    "distances_chart": _distances_chart,
    "false_coverage_table": false_coverage_table,
    "lorenz_chart": _lorenz_chart,
    "additions_table": additions_table,
    "standards_table": standards_table,
    "data_quality_table": data_quality_table,
    "not_measured_table": not_measured_table,
}


def _chart(it: District, draw: Callable[[], Chart]) -> list[Block]:
    """Return a chart as a picture; where the data carry none, the reason stands in its place."""
    try:
        chart = draw()
        drawn = io.BytesIO()
        chart.savefig(drawn, format="png")
    except InputError as reason:
        return [Words(it.pick(f"未绘图:{reason}", f"No chart: {reason}"), NOTE)]
    return [Picture(drawn.getvalue(), float(chart.get_figwidth()))]


def _label(it: District, label: Any) -> str:
    """Return the label of a rule in one language, from the one in both that the Excel report shows."""
    both = {f"{rule.name_zh} {rule.name_en}": name for name, rule in it.rules.items()}
    return it.rule_name(both[str(label)]) if str(label) in both else (NONE if pd.isna(label) else str(label))


def _summary(it: District, rows: pd.DataFrame) -> str:
    """Say of the rules of a heading how many have data, which has the lowest share, and who most people miss."""
    known = rows[rows["share"].notna()]
    said = it.pick(
        f"本节 {len(rows)} 条,其中 {len(known)} 条有覆盖率。",
        f"{len(rows)} {'rule' if len(rows) == 1 else 'rules'}, {len(known)} with a share. ",
    )
    if known.empty:
        return said
    said += it.pick(";", ". ").join(
        _lowest(it, known[known["denominator"] == what], what) for what in UNITS if (known["denominator"] == what).any()
    )
    missed = known[known["without"].notna()]
    if len(missed):
        most = missed.assign(_less=-missed["without"].astype("int64")).sort_values(["_less", "rule"]).iloc[0]
        people = number(most["without"], "int")
        said += it.pick(
            f";未覆盖人数最多的是“{it.rule_name(most['rule'])}”,{people} 人",
            f"; most people, {people}, go without “{it.rule_name(most['rule'])}”",
        )
    return said + it.pick("。", ".")


def _lowest(it: District, rows: pd.DataFrame, counted: str) -> str:
    """Say which rule has the lowest share of those that count the same: people are not compared with ground."""
    low = rows.sort_values(["share", "rule"]).iloc[0]
    share, name = _share(low["share"], low["status"]), it.rule_name(low["rule"])
    kind = UNITS[counted]
    return it.pick(
        f"{kind.by_zh}步行覆盖率最低的是“{name}”,为 {share}",
        f"The lowest share on foot{kind.by_en} is {share}, of “{name}”",
    )


def _told(it: District, rows: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of coverage into the words of the table of a heading."""
    finding_or_status = rows["finding"].where(rows["status"].isin(("ok", "incomplete")), rows["status"])
    states = {
        "no_data": it.pick("无数据", "no data"), "no_demand": it.pick("无需求", "no demand"),
        "not_applicable": it.pick("不适用", "not applicable"),
    }  # fmt: skip
    marks = {name: rule.mark or "✓" for name, rule in it.rules.items()}
    words = [states.get(str(text), it.spoken(text)) for text in finding_or_status]
    return _with_rule(it, rows).assign(finding=words, mark=rows["rule"].map(marks))


def _with_rule(it: District, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the label of the rule, and its number in the table of standards, where its clause stands."""
    return rows.assign(label=[it.rule_name(rule) for rule in rows["rule"]], no=rows["rule"].map(it.numbers))


def _of_first_walker(it: District, rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the walker and the gates that score; the others are in the Excel report."""
    walked = it.result.coverage[it.result.coverage["walker"].fillna("") != ""]
    if len(walked):
        walker, gates = walked[["walker", "gates"]].iloc[0]
        rows = rows[(rows["walker"] == walker) & (rows["gates"] == gates)]
    return _with_rule(it, rows)


def _share(value: Any, status: object) -> str:
    """Write a share; of a layer that may miss places it is a lower bound."""
    return ("≥" if status == "incomplete" and not pd.isna(value) else "") + number(value, "share")


def _grid(it: District, frame: pd.DataFrame, widths: Mapping[str, float], *, most: int = MOST_ROWS) -> list[Block]:
    """Return a table of some columns of a frame, in words, and a line where rows are left out."""
    if frame.empty:
        return [Words(it.pick("无。", "None."), NOTE)]
    shown, kept = frame.head(most), [name for name in widths if not _is_empty(frame, name)]
    least = _least(shown)
    columns = [
        [_share(value, state) for value, state in zip(shown[name], least, strict=True)]
        if name == "share"
        else [_demand(it, value, kind) for value, kind in zip(shown[name], _counted(shown), strict=True)]
        if name == "demand"
        else [_words(it, name, value) for value in shown[name]]
        for name in kept
    ]
    grid = Grid(
        headings=tuple(_heading(it, name) for name in kept),
        rows=tuple(zip(*columns, strict=True)),
        widths=tuple(widths[name] for name in kept),
        numbers=frozenset(at for at, name in enumerate(kept) if _kind(name) not in ("text", "long")),
    )
    left = len(frame) - len(shown)
    more = it.pick(f"另有 {left:,} 行,见 report.xlsx。", f"{left:,} more rows: see report.xlsx.")
    return [grid, *([Words(more, NOTE)] if left else [])]


def _counted(frame: pd.DataFrame) -> pd.Series:
    """Tell what each row counts; tables that do not say it count people alone."""
    people = pd.Series("people", index=frame.index)
    return frame["denominator"].fillna("people") if "denominator" in frame else people


def _demand(it: District, value: Any, counted: object) -> str:
    """Write a demand with its unit: of one table some rules may count people and others ground."""
    written, kind = number(value, "int"), UNITS.get(str(counted))
    return written if written == NONE or kind is None else f"{written} {it.pick(kind.zh, kind.en)}"


def _least(frame: pd.DataFrame) -> pd.Series:
    """Tell which shares are lower bounds, from the status or from its words."""
    if "status" in frame:
        return frame["status"]
    if "status_text" in frame:
        return frame["status_text"].eq(STATUSES["incomplete"]).map({True: "incomplete", False: "ok"})
    return pd.Series("", index=frame.index)


def _is_empty(frame: pd.DataFrame, name: str) -> bool:
    return name not in frame or bool((frame[name].isna() | frame[name].astype("str").isin(("", "nan"))).all())


def _words(it: District, name: str, value: Any) -> str:
    if _kind(name) in ("text", "long"):
        words = it.spoken(value) if name in BOTH else str(value)
        return NONE if pd.isna(value) or words == "" else words
    return number(value, _kind(name))


_OWN = {"mark": ("可信度", "Mark", "text"), "label": ("条文", "Rule", "text"), "no": ("序号", "No.", "int")}


def _kind(name: str) -> str:
    return _OWN[name][2] if name in _OWN else FIELDS[name].kind


def _heading(it: District, name: str) -> str:
    return it.pick(*_OWN[name][:2]) if name in _OWN else it.pick(FIELDS[name].zh, FIELDS[name].en)


def caption(words: str) -> Words:
    """Return the line below a picture."""
    return Words(words, CAPTION)


def all_blocks(it: District, names: Sequence[str]) -> dict[str, list[Block]]:
    """Return the blocks that a template asks for."""
    return {name: BLOCKS[name](it) for name in names if name in BLOCKS}
