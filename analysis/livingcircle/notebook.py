"""How results show themselves in a notebook: tables with bars, and a small picture of the communities."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from livingcircle.colours import SHARE
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.progress import DistrictEnded, PartDone, StageBegun, StageEnded
from livingcircle.withholding import count_text
from livingcircle_layers.errors import UsageError

if TYPE_CHECKING:
    from livingcircle.compare import Comparison
    from livingcircle.explain import Explanation
    from livingcircle.progress import Event
    from livingcircle.result import ScanResult
    from livingcircle.rules import RuleSet

INK, NO_VALUE = "#1d2b36", "#e3e1dc"
LOWEST = 8  # communities that are listed
PICTURE_PX = 420
DETAIL = 300  # outlines are simplified to this part of the picture's width
_BAR = "linear-gradient(90deg,#aacda3 {0:.1f}%,transparent {0:.1f}%)"


def result_html(result: ScanResult) -> str:
    """Return a finished scan as HTML: people, score, services and the communities where the score is lowest.

    The picture has the user's outlines of communities and nothing else. No scripts, no links, no addresses.
    """
    people = result.run["people"]
    unit = "人 people" if result.run["demand"] == "people" else "m²"
    head = (
        f"<p><b>{escape(str(result.run['name'] or ''))} · {escape(result.rules.title_zh)}</b><br>"
        f"{count_text(people['input'])} {unit} = {people['placed']:,} 已入网 placed"
        f" + {count_text(people['not_placed'])} 未入网 not placed + {count_text(people['outside'])} 在外 outside</p>"
    )
    scores = result.scores
    communities = scores[(scores["level"] == "community") & scores["score"].notna()]
    communities = communities.sort_values(["score", "unit_id"], kind="stable")
    shown = pd.concat([scores[scores["level"] == "city"], communities.head(LOWEST)])
    columns = {"unit_name": "单元 unit", "people": "人口 people", "k_mean": "k", "n_listed": "N", "score": "得分 score"}
    services = table_html(_services(result), bars=["步行 walk", "半径 radius"])
    tables = (
        f"<div><b>全市各项服务 services, whole city</b>{services}</div>"
        f"<div><b>全市与得分最低的社区 the city, and where the score is lowest</b>{_no_score(result)}"
        f"{table_html(shown[list(columns)].rename(columns=columns), bars=['得分 score'], full=100)}</div>"
    )
    notes = len(result.run["warnings"])
    foot = [approval_line(result.approval_number), *credits_of(result.run), NOT_A_SURVEY]
    if notes:
        foot.append(f"{notes} 条提示 notes: result.run['warnings']")
    return (
        f"<div>{head}<div style='display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start'>"
        f"<div>{_picture(result)}</div>{tables}</div><p><small>{'<br>'.join(map(escape, foot))}</small></p></div>"
    )


def _no_score(result: ScanResult) -> str:
    """Say why the city has no score, and what brings one; nothing where it has one."""
    [city] = result.scores[result.scores["level"] == "city"].to_dict("records")
    if not pd.isna(city["score"]):
        return ""
    from livingcircle._report_summary import score_words  # only here, as it loads all that writes workbooks

    rows = result.coverage.query("level == 'city' and status == 'no_data'")["rule"].unique()
    names = "、".join(rule.name_zh for rule in result.rules.scoring_rules if rule.id in rows)
    bring = f"。补充名录 bring lists (facilities): {names}" if names else ""
    return f"<p style='max-width:36em'>{escape(score_words(city))}{escape(bring)}</p>"


def rules_html(rules: RuleSet) -> str:
    """Return the rules of a standard as a table: figure, clause, confidence, and whether they score."""
    from livingcircle.standards import cells

    head = ("rule", "中文", "English", "指标 figure", "条文 clause", "可信度 confidence", "状态 state")
    return table_html(pd.DataFrame([cells(rule, rules) for rule in (*rules.rules, *rules.off)], columns=list(head)))


def comparison_html(comparison: Comparison) -> str:
    """Return two scans beside each other as HTML: people gained and lost per rule of the city, and the causes."""
    rows = comparison.rows
    city = rows[(rows["level"] == "city") & (rows["covered_change"].fillna(0) != 0)]
    columns = ["rule", "walker", "covered_old", "covered_new", "covered_change"]
    changes = "全市覆盖人数不变 no change in the whole city"
    if len(city):
        changes = table_html(city[columns].assign(rule=[comparison.labels.get(id_, id_) for id_ in city["rule"]]))
    causes = comparison.causes[["cause", "what"]]
    return f"<div>{changes}<p></p>{table_html(causes) if len(causes) else ''}</div>"


def explanation_html(explanation: Explanation) -> str:
    """Return how a share came about as HTML, a line for each step."""
    return (
        "<ol style='list-style:none;padding:0'>"
        + "".join(f"<li>{escape(x)}</li>" for x in explanation.lines())
        + "</ol>"
    )


def table_html(frame: pd.DataFrame, *, bars: Sequence[str] = (), full: float = 1.0) -> str:
    """Return a table as HTML; numbers of the columns `bars` stand on bars that are full at `full`."""
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    rows = (
        "".join(
            _cell(value, full if column in bars else None) for column, value in zip(frame.columns, row, strict=True)
        )
        for row in frame.itertuples(index=False)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


def _cell(value: Any, full: float | None) -> str:
    if not isinstance(value, str) and pd.isna(value):
        return "<td>–</td>"
    if isinstance(value, int | np.integer):
        return f"<td style='text-align:right'>{value:,}</td>"
    if isinstance(value, float | np.floating):
        if full is None:
            return f"<td style='text-align:right'>{value:,.2f}</td>"
        text = f"{value:.1%}" if full == 1 else f"{value:.1f}"
        bar = _BAR.format(100 * min(max(float(value) / full, 0), 1))
        return f"<td style='min-width:7em;text-align:right;background:{bar}'>{text}</td>"
    return f"<td style='text-align:left'>{escape(str(value))}</td>"


def _services(result: ScanResult) -> pd.DataFrame:
    """Return one row per scoring rule: its share on foot and by radius, in the whole city."""
    first = result.coverage.drop_duplicates(["level", "unit_id", "rule"])
    city = first[(first["level"] == "city") & first["rule"].isin(result.rules.scoring)]
    rules = [result.rules.rule(id_) for id_ in city["rule"]]
    return pd.DataFrame(
        {
            "条文 rule": [f"{rule.name_zh} {rule.name_en}" for rule in rules],
            "步行 walk": city["share"].to_numpy(),
            "半径 radius": city["radius_share"].to_numpy(),
            "状态 status": city["status"].replace("incomplete", "至少 at least").replace("ok", "").to_numpy(),
        }
    )


def _picture(result: ScanResult) -> str:
    """Draw the communities, coloured by score; grey where there is none."""
    outlines = result.communities.geometry.to_numpy()
    west, south, east, north = shapely.total_bounds(outlines)
    squeeze = np.cos(np.radians((south + north) / 2))  # a degree of longitude is shorter than one of latitude
    scale = PICTURE_PX / max((east - west) * squeeze, north - south)
    plain = shapely.transform(
        outlines, lambda at: np.column_stack([(at[:, 0] - west) * squeeze, north - at[:, 1]]) * scale
    )
    plain = shapely.simplify(plain, PICTURE_PX / DETAIL / 2)
    paths = [
        f"<path d='{_path(shape)}' fill='{_colour(score)}'><title>{escape(str(name))}</title></path>"
        for name, score, shape in zip(result.communities["unit_name"], result.communities["score"], plain, strict=True)
    ]
    width, height = (east - west) * squeeze * scale, (north - south) * scale
    legend = " ".join(
        f"<span style='background:{colour};color:{'#fff' if low > 40 else INK};padding:0 .4em'>{low}–{low + 20}</span>"
        for low, colour in zip(range(0, 100, 20), SHARE, strict=True)
    )
    return (
        f"<svg viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' role='img' stroke='#5d6a72' stroke-width='.6'"
        f" aria-label='得分 score'>{''.join(paths)}</svg><br><small>得分 score {legend}"
        f" <span style='background:{NO_VALUE};padding:0 .4em'>不评分 none</span></small>"
    )


def _path(shape: Any) -> str:
    rings = shapely.get_rings(shape) if not shape.is_empty else []
    parts = (" ".join(f"{x:.1f},{y:.1f}" for x, y in shapely.get_coordinates(ring)) for ring in rings)
    return " ".join(f"M{part}Z" for part in parts)


def _colour(score: float) -> str:
    if pd.isna(score):
        return NO_VALUE
    return SHARE[min(int(score // 20), len(SHARE) - 1)]


class NotebookBar:
    """Shows in a notebook what a scan is doing: ``lc.scan(study, progress=lc.NotebookBar())``.

    Stages that are done stand there with their seconds; the running one has a bar, which fills where parts of a city
    or districts of a batch are counted.

    Raises
    ------
    UsageError
        There is no notebook.
    """

    def __init__(self) -> None:
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            raise _no_notebook() from None
        if get_ipython() is None:
            raise _no_notebook()
        self._done: list[str] = []
        self._now = ""
        self._share: float | None = None
        self._handle: Any = display(self, display_id=True)  # type: ignore[no-untyped-call]  # IPython's

    def __call__(self, event: Event) -> None:
        """Take an event of `livingcircle.progress`."""
        match event:
            case StageBegun(text=text):
                self._now, self._share = f"{event.district} {text}".strip(), None
            case StageEnded(stage=stage, seconds=seconds):
                self._now = ""
                self._done.append(f"{stage} {seconds:.1f} s")
            case PartDone(done=done, total=total):
                self._share = done / total
            case DistrictEnded():
                self._done = [*(x for x in self._done if "✓" in x or "✗" in x), _district_line(event)]
            case _:
                return
        self._handle.update(self)

    def _repr_html_(self) -> str:
        value = "" if self._share is None else f" value='{self._share:.3f}'"
        running = f"<progress{value}></progress> {escape(self._now)}<br>" if self._now else ""
        return f"<div>{running}<small>{escape(' · '.join(self._done))}</small></div>"


def _district_line(event: DistrictEnded) -> str:
    sign = "✓" if event.status == "done" else "✗"
    return f"{sign} {event.district} ({event.number}/{event.total}) {event.seconds:.0f} s {event.reason}".strip()


def _no_notebook() -> UsageError:
    return UsageError("a notebook's bar needs a notebook", remedy="elsewhere give progress=print")
