"""Charts of a finished scan: ranking, Lorenz curve, before and after, and how far people walk.

Every chart is a matplotlib figure that shows itself in a notebook and is written as PNG, SVG or PDF. It is made from
the tables of the result alone, carries the credits of its data, and draws Chinese with a font that has it.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from livingcircle._text_width import text_width
from livingcircle.colours import FAINT, INK, SHARE, WARNING
from livingcircle.compare import compare
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.fairness import lorenz as lorenz_curve
from livingcircle.fonts import chinese_text, spell
from livingcircle.missed import counts_people, people_without
from livingcircle.output_folder import replaced_file
from livingcircle.ranks import ranked_apart
from livingcircle.result import ScanResult
from livingcircle.rules import Rule
from livingcircle.saved import load_result
from livingcircle.scores import MIN_DATA_SHARE, MIN_PEOPLE
from livingcircle.walkers import WALKERS
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.typed_toml import nearest, unknown_word
from livingcircle_layers.units import upper_levels

Language = Literal["zh", "en"]
Scanned = ScanResult | str | Path

CLASSES = (0.2, 0.4, 0.6, 0.8)  # where one class of the map ends and the next begins
# Lines of one chart: told apart by colour-blind people and in grey, and by their dashes too.
LINES: tuple[tuple[str, Any], ...] = (
    ("#1b4869", "solid"), ("#a86c38", (0, (5, 2))), ("#6faea1", (0, (1.5, 1.5))), ("#6d3f1c", (0, (6, 2, 1.5, 2))),
    ("#7d7f9a", (0, (3, 1, 1, 1, 1, 1))),
)  # fmt: skip
GRID = "#dfe4e8"
NAME_WIDTH = 32  # of a community beside its bar, in digits: sixteen Chinese characters
MOST_BARS = 40  # more cannot be read on a page; then the first and the last are shown
WIDTH_IN, DPI = 7.2, 200
GROUPS = {"all": ("全体居民", "Everybody"), "age_60_up": ("60 岁及以上", "60 and older")}


class Chart(Figure):
    """A figure whose text has Chinese, and whose files are equal for equal results."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the chart; a sign that no font has is a ``?`` and a warning, never a box."""
        form = str(options.get("format") or Path(str(fname)).suffix.lstrip(".")).lower()
        unsaid: Mapping[str, dict[str, None]] = {
            "png": {"Software": None},
            "svg": {"Date": None, "Creator": None},
            "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
        }
        with chinese_text(), rc_context({"svg.hashsalt": "livingcircle"}):
            spell(self)
            super().savefig(fname, **{"dpi": DPI, "metadata": unsaid.get(form), **options})

    def save(self, path: str | Path) -> Path:
        """Write the chart as PNG, SVG or PDF, by the ending of the name, whole or not at all."""
        path = Path(path)
        form = path.suffix.lower().lstrip(".")
        if form not in ("png", "svg", "pdf"):
            raise UsageError("a chart is a picture", got=path.name, expected="a name that ends in .png, .svg or .pdf")
        with replaced_file(path) as stage:
            self.savefig(stage, format=form)
        return path

    def _repr_png_(self) -> bytes:
        drawn = io.BytesIO()
        self.savefig(drawn, format="png", dpi=110)
        return drawn.getvalue()


def ranking(result: Scanned, *, unit: str = "city", language: Language = "zh") -> Chart:
    """Draw the scores of the communities of a unit as bars, each with its rank among all and its range.

    Communities are ranked apart by type and list; those of the type and list of most people are drawn. Of more than 40
    the first and the last are.

    Parameters
    ----------
    result
        A finished scan, or its folder.
    unit
        Id of a district or subdistrict; all communities by default.
    language
        zh or en.

    Raises
    ------
    InputError
        No community has a score, the unit is unknown, or no font with Chinese is installed.
    """
    result = _loaded(result)
    ranked = _ranked(result, unit)
    shown = ranked
    if len(ranked) > MOST_BARS:
        shown = pd.concat([ranked.head(MOST_BARS // 2), ranked.tail(MOST_BARS // 2)])
    size = 0.19 * len(shown) + 1.7
    title = ("社区得分排名", "Communities by score")
    note = _pick(language, "色阶同地图;细线为缺失图层按无和按全有计的上下限", "colours as on the map; line: range")
    if len(ranked) > len(shown):
        half = MOST_BARS // 2
        note += _pick(
            language, f";{len(ranked)} 个社区中的前、后各 {half} 个", f"; first and last {half} of {len(ranked)}"
        )
    with _chart(result, title, unit, language, height=size) as (chart, axes):
        y = np.arange(len(shown))
        axes.barh(y, shown["score"], color=[_class(s / 100) for s in shown["score"]], height=0.72)
        axes.hlines(y, shown["score_low"], shown["score_high"], color=INK, linewidth=0.9)
        axes.set_yticks(y, [_named(row) for row in shown.itertuples()], fontsize=7.5)
        for at, score in zip(y.tolist(), shown["score"], strict=True):
            axes.text(min(shown["score_high"].iloc[at], 100) + 1, at, f"{score:.1f}", va="center", fontsize=7)
        axes.set(xlim=(0, 108), ylim=(len(shown) - 0.4, -0.6))
        axes.set_xlabel(_pick(language, f"得分(0–100);{note}", f"score (0–100); {note}"), fontsize=7.5)
        axes.grid(axis="x", color=GRID)
    return chart


def lorenz(result: Scanned, *, unit: str = "city", language: Language = "zh") -> Chart:
    """Draw the Lorenz curve: the share of all services in reach that the people with fewest have together.

    Parameters
    ----------
    result
        A finished scan, or its folder.
    unit
        Id of a unit of any level; the whole city by default.
    language
        zh or en.
    """
    result = _loaded(result)
    level = level_of(result, unit)
    rows = result.histogram[(result.histogram["level"] == level) & (result.histogram["unit_id"] == unit)]
    groups = [g for g in rows["group"].drop_duplicates() if g in GROUPS and rows[rows["group"] == g]["people"].sum()]
    if not groups:
        raise InputError(f"{unit} has no score, so that there is no Lorenz curve of it", remedy="name another unit")
    title = ("可达服务在居民之间的分布(洛伦兹曲线)", "Services in reach over people (Lorenz curve)")
    with _chart(result, title, unit, language, height=4.6) as (chart, axes):
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, label=_pick(language, "完全均等", "all reach as many"))
        for group, (colour, dashes) in zip(groups, LINES, strict=False):
            own = rows[rows["group"] == group]
            people, services = lorenz_curve(own["k"], own["people"])
            label = _pick(language, *GROUPS[group])
            gini = _gini(result, level, unit, group)
            label += f"  {_pick(language, '基尼系数', 'Gini')} {gini:.2f}" if gini is not None else ""
            axes.plot(people, services, color=colour, linestyle=dashes, linewidth=1.8, label=label)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        _percents(axes, "both")
        axes.set_xlabel(
            _pick(language, "居民累计比例(可达项数少者在前)", "share of people, fewest services first"), fontsize=8
        )
        axes.set_ylabel(_pick(language, "可达服务累计比例", "share of all services in reach"), fontsize=8)
        axes.grid(color=GRID)
        axes.legend(fontsize=8, frameon=False, loc="upper left")
    return chart


def distances(result: Scanned, *, rule: str = "", unit: str = "city", language: Language = "zh") -> Chart:
    """Draw how many of the people find the nearest place of a rule within how many metres, a line per walker.

    Parameters
    ----------
    result
        A finished scan, or its folder.
    rule
        Id of a rule; by default the scoring rule that most people of the unit go without.
    unit
        Id of a district; the whole city by default.
    language
        zh or en.

    Raises
    ------
    InputError
        The scan holds no distances of this rule and unit.
    """
    result = _loaded(result)
    asked = _rule(result, rule or largest_gap(result, unit))
    rows = _distance_rows(result, asked, unit)
    if rows["to_m"].isna().all():
        raise InputError(f"nobody in {unit} reaches a place of rule {asked.id}: there are no walks to draw")
    end = float(rows["to_m"].max())
    if asked.threshold_unit == "m":
        end = max(end, 1.25 * (asked.threshold or 0.0))  # its line and words stand inside
    title = (f"到最近设施的步行距离:{asked.name_zh}", f"Walk to the nearest place: {asked.name_en or asked.id}")
    with _chart(result, title, unit, language, height=3.9) as (chart, axes):
        for (key, own), (colour, dashes) in zip(rows.groupby(["walker", "gates"], sort=False), LINES, strict=False):
            reached = own[own["to_m"].notna()]
            share = reached["people"].cumsum() / own["people"].sum()
            label = _walker(str(key[0]), language) + _gates(str(key[1]), rows, language)
            axes.plot([0, *reached["to_m"]], [0, *share], color=colour, linestyle=dashes, linewidth=1.8, label=label)
        if asked.threshold is not None and asked.threshold_unit == "m":
            axes.axvline(asked.threshold, color=WARNING, linewidth=1)
            words = _pick(language, f"条文 {asked.threshold:g} 米", f"clause {asked.threshold:g} m")
            axes.text(asked.threshold + end * 0.01, 0.94, words, fontsize=7.5, color=WARNING)
        axes.set(xlim=(0, end), ylim=(0, 1))
        _percents(axes, "y")
        axes.set_xlabel(_pick(language, "沿街步行距离(米)", "walk along streets (m)"), fontsize=8)
        axes.set_ylabel(_pick(language, "居民累计比例", "share of people"), fontsize=8)
        axes.grid(color=GRID)
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    return chart


def before_after(old: Scanned, new: Scanned, *, unit: str = "city", language: Language = "zh") -> Chart:
    """Draw the share on foot of every scoring rule before and after, from two scans (see `livingcircle.compare`).

    Parameters
    ----------
    old, new
        Two finished scans, or their folders.
    unit
        Id of a unit of any level; the whole city by default.
    language
        zh or en.

    Raises
    ------
    InputError
        The scans have no rule with a share in common.
    """
    before, after = _loaded(old), _loaded(new)
    level = level_of(after, unit)
    rows = compare(before, after).rows
    rows = rows[(rows["level"] == level) & (rows["unit_id"] == unit) & (rows["side"] == "both")]
    rows = rows[rows["share_change"].notna()].drop_duplicates("rule")
    scoring = rows[rows["rule"].isin(after.rules.scoring)]
    rows = scoring if len(scoring) else rows
    if rows.empty:
        raise InputError("the two scans have no share in common", remedy="compare scans of the same rules and units")
    names = {rule.id: _pick(language, rule.name_zh, rule.name_en or rule.id) for rule in after.rules.rules}
    with _chart(
        after, ("前后对比:步行覆盖率", "Before and after: share on foot"), unit, language, height=0.3 * len(rows) + 1.8
    ) as (chart, axes):
        y = np.arange(len(rows))
        axes.hlines(y, rows["share_old"], rows["share_new"], color=FAINT, linewidth=1.6)
        for column, colour, marker, words in (
            ("share_old", LINES[1][0], "o", ("前", "before")),
            ("share_new", LINES[0][0], "D", ("后", "after")),
        ):
            axes.scatter(rows[column], y, color=colour, marker=marker, s=30, zorder=3, label=_pick(language, *words))
        for at, change in zip(y.tolist(), rows["share_change"].astype(float), strict=True):
            axes.text(1.02, at, f"{100 * change:+.1f}", va="center", fontsize=7.5)
        axes.text(1.02, -0.9, _pick(language, "百分点", "points"), fontsize=7, color=FAINT)
        axes.set_yticks(y, [names.get(rule, rule) for rule in rows["rule"]], fontsize=8)
        axes.set(xlim=(-0.02, 1.1), ylim=(len(rows) - 0.4, -1.2))
        axes.set_xticks(np.linspace(0, 1, 6))
        _percents(axes, "x")
        axes.grid(axis="x", color=GRID)
        axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    return chart


KINDS: Mapping[str, Callable[..., Chart]] = {"ranking": ranking, "lorenz": lorenz, "distances": distances}


def chart_of(result: Scanned, kind: str, **options: Any) -> Chart:
    """Return a chart by its name: ranking, lorenz or distances.

    Raises
    ------
    UsageError
        There is no such chart, or it has no such option.
    """
    if kind not in KINDS:
        raise UsageError(unknown_word("there is no such chart", kind, KINDS), expected=", ".join(KINDS))
    known = [name for name in inspect.signature(KINDS[kind]).parameters if name != "result"]
    for name in options:
        if name not in known:
            raise UsageError(f"{kind} has no such option", got=name, expected=", ".join(known))
    return KINDS[kind](result, **options)


def save_charts(
    directory: str | Path,
    output: str | Path,
    *,
    form: str = "png",
    unit: str = "city",
    rule: str = "",
    before: str | Path | None = None,
    language: Language = "zh",
) -> tuple[list[Path], list[str]]:
    """Write the charts of a finished scan into a folder, as ``chart-ranking.png`` and so on.

    Returns the files, and why a chart could not be drawn from these results (no scores, for example).

    Parameters
    ----------
    directory
        Folder of the scan.
    output
        Folder for the charts.
    form
        png, svg or pdf.
    unit, rule, language
        As for `ranking`, `lorenz` and `distances`.
    before
        Folder of an earlier scan, for the chart of before and after.

    Raises
    ------
    InputError
        No chart can be drawn, or the folders are no finished scans.
    UsageError
        There is no such unit or rule.
    """
    result = load_result(directory)
    charts: dict[str, Callable[[], Chart]] = {
        "ranking": lambda: ranking(result, unit=unit, language=language),
        "lorenz": lambda: lorenz(result, unit=unit, language=language),
        "distances": lambda: distances(result, rule=rule, unit=unit, language=language),
    }
    if before is not None:
        charts["before-after"] = lambda: before_after(before, result, unit=unit, language=language)
    files, missing = [], []
    for name, draw in charts.items():
        try:
            files.append(draw().save(Path(output) / f"chart-{name}.{form}"))
        except InputError as fault:  # the results carry no such chart; the others can be drawn
            missing.append(str(fault))
    if not files:
        raise InputError.of(missing)
    return files, missing


def level_of(result: ScanResult, unit: str) -> str:
    """Return the level of a unit of a result, the highest where two levels use its id.

    Raises
    ------
    UsageError
        There is no such unit.
    """
    found = result.scores.loc[result.scores["unit_id"] == unit, "level"]
    if found.empty:
        raise UsageError(unknown_word("there is no such unit", unit, [*result.scores["unit_id"]]))
    return str(found.iloc[-1])


def has_scores(result: ScanResult, unit: str) -> bool:
    """Tell whether any community of a unit has a score."""
    scores = result.scores[result.scores["level"] == "community"].set_index("unit_id")["score"]
    return bool(scores.reindex(communities_of(result, unit)).notna().any())


def communities_of(result: ScanResult, unit: str) -> pd.Index:
    """Return the ids of the communities of a unit."""
    level, places = level_of(result, unit), result.communities
    above = places.index.to_series() if level == "community" else upper_levels(places)[level]
    return places.index[above == unit]


def largest_gap(result: ScanResult, unit: str = "city") -> str:
    """Return the scoring rule that most people of a unit do not reach on foot, of those that anybody reaches."""
    table = result.coverage
    own = (table["level"] == level_of(result, unit)) & (table["unit_id"] == unit)
    rows = table[own & table["rule"].isin(result.rules.scoring)]
    rows = rows[counts_people(rows)].drop_duplicates("rule")
    if rows.empty:
        raise InputError("the scan counts no people for any scoring rule, so that there is no chart of their walks")
    rows = rows[rows["covered"] > 0] if (rows["covered"] > 0).any() else rows
    left = people_without(rows).astype("int64")
    return str(rows.assign(left=-left).sort_values(["left", "rule"])["rule"].iloc[0])


def _loaded(result: Scanned) -> ScanResult:
    return result if isinstance(result, ScanResult) else load_result(result)


def _pick(language: Language, zh: str, en: str) -> str:
    return zh if language == "zh" else en


@contextmanager
def _chart(
    result: ScanResult, title: tuple[str, str], unit: str, language: Language, *, height: float
) -> Iterator[tuple[Chart, Axes]]:
    """Begin a chart with its title, and end it with what must stand beside every result."""
    with chinese_text():
        chart = Chart(figsize=(WIDTH_IN, height), facecolor="white", layout="constrained")
        FigureCanvasAgg(chart)
        axes = chart.add_subplot()
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8, color=FAINT)
        axes.spines[["top", "right"]].set_visible(False)
        chart.suptitle(_pick(language, *title), fontsize=11, fontweight="bold", color=INK)
        axes.set_title(_subtitle(result, unit, language), fontsize=8, color=FAINT, loc="left", pad=14)
        yield chart, axes
        credit = "  ·  ".join((*credits_of(result.run), NOT_A_SURVEY))
        approval = approval_line(result.approval_number)
        chart.supxlabel(f"{approval}\n{credit}", fontsize=6, color=FAINT)


def _subtitle(result: ScanResult, unit: str, language: Language) -> str:
    scores = result.scores
    level = level_of(result, unit)
    name = scores.loc[(scores["level"] == level) & (scores["unit_id"] == unit), "unit_name"].iloc[0]
    date = str(result.run.get("data_date") or _pick(language, "不详", "unknown"))
    standard = _pick(language, result.rules.title_zh, result.rules.title_en)
    return f"{name} · {standard} · " + _pick(language, f"数据日期 {date}", f"date of data: {date}")


def _class(share: float) -> str:
    return SHARE[int(np.searchsorted(CLASSES, share, side="right"))]


def _ranked(result: ScanResult, unit: str) -> pd.DataFrame:
    """Return a unit's communities with a score, of the type and list of most of its people, by their rank among all."""
    places = pd.DataFrame(result.communities.drop(columns="geometry"))
    own = places.loc[communities_of(result, unit)]
    scored = own.join(ranked_apart(places)[["rank"]]).join(ranked_apart(own)[["class", "class_order"]])
    scored = scored[scored["score"].notna()]
    if scored.empty:
        raise InputError(
            f"no community of {unit} has a score, so that there is no ranking",
            expected=f"{MIN_PEOPLE} people, and data for {MIN_DATA_SHARE:.0%} of the services",
            remedy="bring lists of services whose status in coverage.csv is no_data",
        )
    alike = scored[scored["class_order"] == scored["class_order"].min()]
    return alike.rename_axis("unit_id").reset_index().sort_values(["rank", "unit_id"], ignore_index=True)


def _named(row: Any) -> str:
    name = str(row.unit_name or row.unit_id)
    while text_width(name) > NAME_WIDTH:  # one long name would leave no room for the bars and cut off all others
        name = f"{name.removesuffix('…')[:-1]}…"
    return f"{name}  {int(row.rank)}"


def _gini(result: ScanResult, level: str, unit: str, group: str) -> float | None:
    table = result.fairness
    if table is None:
        return None
    own = table[(table["level"] == level) & (table["unit_id"] == unit) & (table["group"] == group)]["gini"].dropna()
    return float(own.iloc[0]) if len(own) else None


def _rule(result: ScanResult, rule: str) -> Rule:
    known = {r.id: r for r in result.rules.rules}
    if rule not in known:
        close = None if nearest(rule, known) else f"take one of coverage.csv, such as {next(iter(known))}"
        raise UsageError(unknown_word("there is no such rule", rule, known), remedy=close)
    return known[rule]


def _distance_rows(result: ScanResult, rule: Rule, unit: str) -> pd.DataFrame:
    table = result.distances
    if table is None and "publication" in result.run:
        raise InputError(
            "a result for the public (--publish) tells no walks by steps of 100 m, which could point to single homes",
            remedy="draw the chart of distances from a scan without --publish",
        )
    if table is None:
        raise InputError("the scan holds no distances, as one of an earlier version", remedy="scan again")
    level = level_of(result, unit)
    rows = table[(table["level"] == level) & (table["unit_id"] == unit) & (table["rule"] == rule.id)]
    if rows.empty:
        raise InputError(
            f"there are no distances of rule {rule.id} in {unit}",
            expected="a district or the city, and a rule that counts people and has data",
        )
    return rows


def _walker(name: str, language: Language) -> str:
    known = WALKERS.get(name)
    return _pick(language, known.name_zh if known and known.name_zh else name, name)


def _gates(gates: str, rows: pd.DataFrame, language: Language) -> str:
    if rows["gates"].nunique() < 2:
        return ""
    words = {"respect": ("(经院门)", " (through gates)"), "open": ("(打开围墙)", " (open borders)")}
    return _pick(language, *words[gates])


def _percents(axes: Axes, which: str) -> None:
    for axis in (axes.xaxis,) if which == "x" else (axes.yaxis,) if which == "y" else (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
