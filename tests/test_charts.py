"""Charts: bars and curves that agree with the tables, credits, Chinese without boxes, equal bytes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import livingcircle as lc
from livingcircle import charts
from livingcircle.cli import main
from livingcircle.colours import SHARE
from livingcircle.credits import INTERNAL_DRAWING, NOT_A_SURVEY, OSM_CREDIT
from livingcircle.fonts import FONT_VARIABLE
from livingcircle.ranks import ranked_apart
from livingcircle.report import report_sheets
from livingcircle_layers.errors import InputError, ResultWarning, UsageError
from made_result import made_result
from test_palette import palettes

RULE = "gb50180_2018_kindergarten"


def made(**changes):
    result = made_result(communities=5, names=["春熙路", "盐市口"])
    key = {"level": "city", "unit_id": "city", "rule": RULE, "group": "all", "gates": "respect"}
    rows = [{**key, "walker": w, "to_m": m, "people": p} for w, m, p in (
        ("adult", 100.0, 10), ("adult", 300.0, 20), ("adult", None, 70), ("elder", 300.0, 25), ("elder", 400.0, 75),
    )]  # fmt: skip
    return replace(result, distances=pd.DataFrame(rows), **changes)


@pytest.fixture(scope="module")
def result():
    return made()


def texts(chart):
    return [t.get_text() for t in chart.findobj(lambda a: hasattr(a, "get_text"))]


def test_colours_are_those_of_the_map():
    assert list(SHARE) == palettes()["share"]


def test_bars_are_the_scores_of_the_communities_highest_first(result):
    axes = charts.ranking(result).axes[0]
    wanted = result.scores[(result.scores["level"] == "community") & result.scores["score"].notna()]
    drawn = [bar.get_width() for bar in axes.patches]
    assert drawn == sorted(wanted["score"], reverse=True)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["社区4  1", "社区3  2", "盐市口  3", "春熙路  4"]


def test_communities_of_people_come_before_those_of_factories(result):
    """The industrial ones are more by number here; by people they are the last, in the chart and in the report."""
    kinds = ["urban", "industrial", "industrial", "industrial", "urban"]
    places = result.communities.assign(
        unit_type=kinds, score=[40.0, 90.0, 80.0, 70.0, 50.0], people=[900, 1, 2, 3, 800]
    )
    mixed = replace(result, communities=places)
    names = [label.get_text() for label in charts.ranking(mixed).axes[0].get_yticklabels()]
    assert [name.split()[1] for name in names] == ["1", "2"]
    assert [bar.get_width() for bar in charts.ranking(mixed).axes[0].patches] == [50.0, 40.0]
    ranks = ranked_apart(places)
    assert list(ranks["class_order"]) == [0, 1, 1, 1, 0]
    assert list(ranks["rank"]) == [2, 1, 2, 3, 1]
    sheet = next(s for s in report_sheets(mixed) if s.title.startswith("排名"))
    assert [kind.split(" ")[0] for kind in sheet.frame["class"]] == ["urban"] * 2 + ["industrial"] * 3


def test_a_long_name_is_cut_so_that_the_bars_and_the_other_names_have_room(result, tmp_path):
    places = result.communities.copy()
    named = places["score"].notna().idxmax()
    places.loc[named, "unit_name"] = "很长" * 60
    drawn = charts.ranking(replace(result, communities=places))
    drawn.save(tmp_path / "long.png")  # a warning of matplotlib, that nothing fits, is an error here
    names = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert [name.split("  ")[0] for name in names if "很长" in name] == ["很长" * 7 + "很…"]


def test_of_many_communities_the_first_and_the_last_are_drawn_and_it_is_said():
    many = charts.ranking(made_result(communities=60))
    assert len(many.axes[0].patches) == charts.MOST_BARS
    assert "59 个社区中的前、后各 20 个" in " ".join(texts(many))


def test_the_lorenz_curve_is_that_of_the_histogram(result):
    """Half of the people reach 3 services, half 4: the first half has 3/7 of all that is reached."""
    _, curve = charts.lorenz(result).axes[0].lines
    people, services = curve.get_data()
    assert list(people) == pytest.approx([0, 0.5, 1])
    assert list(services) == pytest.approx([0, 3 / 7, 1])


def test_distances_add_up_by_walker_and_who_reaches_nothing_is_never_reached(result):
    axes = charts.distances(result, rule=RULE).axes[0]
    adult, elder = axes.lines[:2]
    assert list(adult.get_ydata()) == pytest.approx([0, 0.1, 0.3])
    assert list(elder.get_ydata()) == pytest.approx([0, 0.25, 1])
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["成年人", "老年人"]
    assert any("条文 300 米" in t for t in texts(charts.distances(result, rule=RULE)))


def test_before_and_after_is_the_comparison(result):
    run = {**result.run, "crs": "EPSG:4526"}
    old, new = replace(result, run=run), replace(
        result, run=run, coverage=result.coverage.assign(share=result.coverage["share"] / 2)
    )  # fmt: skip
    axes = charts.before_after(old, new).axes[0]
    before, after = (points.get_offsets()[:, 0] for points in axes.collections[1:])
    assert list(after) == pytest.approx(list(before / 2))
    assert len(before) > 3


@pytest.mark.parametrize("kind", ["ranking", "lorenz", "distances"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_chart_carries_credits_and_the_line_of_internal_work(result, kind, language):
    options = {"rule": RULE} if kind == "distances" else {}
    said = " ".join(texts(result.chart(kind, language=language, **options)))
    for words in (OSM_CREDIT, INTERNAL_DRAWING, NOT_A_SURVEY, "2024-06-01"):
        assert words in said


def test_equal_results_give_equal_bytes_without_dates(result, tmp_path):
    for form in ("png", "svg", "pdf"):
        first, second = (
            charts.ranking(result).save(tmp_path / f"{name}.{form}").read_bytes() for name in ("first", "second")
        )
        assert first == second
    assert not re.search(r"<dc:date>|Matplotlib v", (tmp_path / "first.svg").read_text(encoding="utf-8"))
    ET.parse(tmp_path / "first.svg")


def test_a_chart_shows_itself_in_a_notebook(result):
    assert lc.charts.lorenz(result)._repr_png_().startswith(b"\x89PNG")


STRANGE = "\U000f0000"  # of private use: no font has it


def labels_of(svg):
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"))


def test_a_sign_that_no_font_has_is_a_question_mark_that_is_told_and_the_rest_is_drawn(tmp_path):
    strange = made_result(names=[f"{STRANGE}社区", "春熙\x0b路", "👨\u200d👩 家"])
    wanted = rf"no font on this computer has .*{STRANGE} \(U\+F0000\).*; remedy: .*{FONT_VARIABLE}"
    with pytest.warns(ResultWarning, match=wanted):
        labels = labels_of(charts.ranking(strange).save(tmp_path / "chart.svg"))
    assert any(label.startswith("?社区") for label in labels)
    assert any(label.startswith("春熙 路") for label in labels)
    assert not any(STRANGE in label or "\u200d" in label for label in labels)


@pytest.mark.filterwarnings("default::livingcircle_layers.errors.ResultWarning")
def test_the_command_says_what_was_replaced_as_a_note(tmp_path, capsys):
    folder = made_result(names=[f"{STRANGE}社区"]).save(tmp_path / "out")
    with pytest.raises(SystemExit) as ended:
        main(["charts", str(folder), "-o", str(tmp_path / "charts")])
    assert ended.value.code == 0
    assert (tmp_path / "charts" / "chart-ranking.png").exists()
    assert f"note: no font on this computer has {STRANGE} (U+F0000)" in capsys.readouterr().err


def test_a_dollar_in_a_name_begins_no_formula_in_any_chart(tmp_path, result):
    """A pair of them would be drawn as mathematics: in titles, labels, legends and the chart of before and after."""
    dear = "$a_1$ 园"
    rules = replace(result.rules, rules=tuple(r.model_copy(update={"name_zh": dear}) for r in result.rules.rules))
    names = {"communities": result.communities.assign(unit_name=dear), "scores": result.scores.assign(unit_name=dear)}
    rows = result.distances.assign(walker=[dear if w == "elder" else w for w in result.distances["walker"]])
    run = {**result.run, "crs": "EPSG:4526"}
    named = replace(result, rules=rules, run=run, distances=rows, **names)
    drawn = {
        "ranking": charts.ranking(named),  # labels of bars, and the line under the title
        "distances": charts.distances(named, rule=RULE),  # title and legend
        "before-after": charts.before_after(named, named),  # labels of rows
    }
    for name, chart in drawn.items():
        assert any(dear in text for text in labels_of(chart.save(tmp_path / f"{name}.svg"))), name
    assert any(t.get_text() == dear for t in drawn["distances"].axes[0].get_legend().get_texts())
    assert not any(text.get_parse_math() for chart in drawn.values() for text in chart.findobj(Text))


def test_mistakes_are_told_with_what_would_be_right(result, tmp_path):
    with pytest.raises(UsageError, match=r"there is no such chart; got 'rankin'.*did you mean 'ranking'"):
        result.chart("rankin")
    with pytest.raises(UsageError, match="there is no such unit; got '51010'"):
        charts.ranking(result, unit="51010")
    with pytest.raises(
        UsageError, match=r"there is no such rule; got 'x'; remedy: take one of coverage\.csv, such as "
    ):
        result.chart("distances", rule="x")
    with pytest.raises(UsageError, match=r"lorenz has no such option; got rule; expected unit, language"):
        result.chart("lorenz", rule="x")
    with pytest.raises(UsageError, match=r"there is no such rule; got 'gb50180_2018_kindergarte'; remedy: did you"):
        charts.distances(result, rule="gb50180_2018_kindergarte")
    with pytest.raises(InputError, match="holds no distances, as one of an earlier version; remedy: scan again"):
        charts.distances(replace(result, distances=None), rule=RULE)
    public = replace(result, distances=None, run={**result.run, "publication": {}})
    with pytest.raises(InputError, match=r"for the public \(--publish\) tells no walks.* without --publish"):
        charts.distances(public, rule=RULE)
    with pytest.raises(UsageError, match=r"expected a name that ends in .png, .svg or .pdf"):
        charts.lorenz(result).save(tmp_path / "lorenz.bmp")


def test_the_command_draws_all_charts_of_a_folder(result, tmp_path, capsys):
    folder = result.save(tmp_path / "out")
    main_arguments = ["charts", str(folder), "--rule", RULE, "--svg", "-o", str(tmp_path / "charts")]
    with pytest.raises(SystemExit) as ended:
        main(main_arguments)
    assert ended.value.code == 0
    names = ["chart-ranking.svg", "chart-lorenz.svg", "chart-distances.svg"]
    assert capsys.readouterr().out.split() == [str(tmp_path / "charts" / name) for name in names]
    assert sorted(p.name for p in (tmp_path / "charts").iterdir()) == sorted(names)


def test_a_chart_that_the_results_do_not_carry_is_told_and_the_others_are_drawn(result, tmp_path, capsys):
    unscored = replace(result, communities=result.communities.assign(score=np.nan))
    folder = unscored.save(tmp_path / "scan")
    with pytest.raises(SystemExit) as ended:
        main(["charts", str(folder), "--rule", RULE, "-o", str(tmp_path / "charts")])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert sorted(path.name for path in (tmp_path / "charts").iterdir()) == ["chart-distances.png", "chart-lorenz.png"]
    assert "提醒: city 内没有社区有得分,不绘排名图;应为: 100 人以上,且 70% 的服务有数据;请补充 coverage.csv" in told.err
    assert told.err.count("提醒: ") == 1


def test_nobody_who_reaches_a_place_is_said_and_not_drawn(result):
    away = result.distances.assign(to_m=np.nan)
    with pytest.raises(InputError, match=f"nobody in city reaches a place of rule {RULE}"):
        charts.distances(replace(result, distances=away), rule=RULE)
