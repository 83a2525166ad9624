"""How results show themselves in a notebook."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import livingcircle as lc
from demo_scans import demo_result
from livingcircle.colours import SHARE
from livingcircle.compare import Comparison
from livingcircle.notebook import NO_VALUE, NotebookBar, table_html
from livingcircle.progress import DistrictEnded, PartDone, StageBegun, StageEnded
from livingcircle_layers.errors import InputError, UsageError


def test_completion_offers_what_is_for_users_and_nothing_else():
    assert [name for name in dir(lc) if not name.startswith("_")] == sorted(lc.__all__)


def test_a_result_shows_people_services_and_communities():
    result = demo_result()
    page = result._repr_html_()
    assert "150,000 人 people = 149,970 已入网 placed + 30 未入网 not placed + 0 在外 outside" in page
    assert page.count("<path ") == len(result.communities) == 45
    assert "内部工作图,未经地图审核,不得公开" in page
    assert "© OpenStreetMap contributors" in page
    city = result.coverage[(result.coverage["level"] == "city")].set_index("rule")
    school = city.loc["gb50180_2018_primary_school"]
    for share in (school["share"], school["radius_share"]):
        assert f"{share:.1%}" in page
    assert "ScanResult(chengdu: 45 communities, 149,970 placed)" in repr(result)


def test_each_community_has_the_colour_of_its_score():
    result = demo_result()
    fills = re.findall(r"fill='(#[0-9a-f]{6})'><title>([^<]*)<", result._repr_html_())
    assert [name for _, name in fills] == result.communities["unit_name"].tolist()
    for (colour, _), score in zip(fills, result.communities["score"], strict=True):
        classes = [c for low, c in zip(range(0, 100, 20), SHARE, strict=True) if score >= low]
        assert colour == (NO_VALUE if np.isnan(score) else classes[-1])


def test_a_page_of_a_result_fetches_and_runs_nothing_and_takes_names_as_text():
    result = demo_result()
    named = result.communities.assign(unit_name="<img src=x onerror=alert(1)>")
    page = replace(result, communities=named)._repr_html_()
    assert "<img" not in page
    assert not re.search(r"<script|https?:|src=|href=|url\(", page.replace("&lt;img src=x", ""))


def test_a_bar_is_as_long_as_its_number():
    page = table_html(pd.DataFrame({"a": [0.25, 1.5], "b": [3, 4], "c": [np.nan, 0.5]}), bars=["a"])
    assert re.findall(r"#aacda3 ([0-9.]+)%,", page) == ["25.0", "100.0"]  # and never longer than its cell
    assert "25.0%" in page
    assert "<td>–</td>" in page
    assert ">0.50<" in page


def test_a_mistake_is_one_line_in_a_notebook():
    with pytest.raises(InputError) as caught:
        lc.Study.load("nowhere.toml")
    lines = caught.value._render_traceback_()
    assert len(lines) == 1
    assert lines[0].startswith("InputError: ")
    assert "nowhere.toml" in lines[0]


def test_a_mistake_is_told_in_the_language_of_the_system(monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    with pytest.raises(InputError, match="study file not found") as caught:
        lc.Study.load("nowhere.toml")
    (line,) = caught.value._render_traceback_()
    assert line.startswith("InputError: 找不到研究文件: nowhere.toml;请检查路径")


def test_a_comparison_shows_what_changed_in_the_city_and_why():
    rows = pd.DataFrame(
        [
            ("city", "school", "adult", 40.0, 90.0, 50.0),
            ("city", "park", "adult", 7.0, 7.0, 0.0),
            ("community", "school", "adult", 1.0, 2.0, 1.0),
        ],
        columns=["level", "rule", "walker", "covered_old", "covered_new", "covered_change"],
    )
    causes = pd.DataFrame({"cause": ["came"], "what": ["<b>new</b> school"]})
    page = Comparison(rows, causes)._repr_html_()
    assert ">50.00<" in page
    assert "park" not in page
    assert page.count("<tr>") == 4  # two heads, one row of the city, one cause
    assert "&lt;b&gt;new" in page


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a notebook would have displayed, one by one."""
    pictures: list[str] = []

    class Handle:
        def update(self, what):
            pictures.append(what._repr_html_())

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=lambda what, display_id: Handle()))
    return pictures


def test_the_bar_of_a_notebook_fills_and_keeps_what_is_done(shown: list[str]):
    bar = NotebookBar()
    for event in (StageBegun("walks", "searching <streets>"), PartDone(1, 4, 2.0), StageEnded("walks", 3.25)):
        bar(event)
    assert "<progress></progress> searching &lt;streets&gt;" in shown[0]
    assert "value='0.250'" in shown[1]
    assert "progress" not in shown[2]
    assert "walks 3.2 s" in shown[2]
    bar(DistrictEnded(2, 3, "failed", "no people", district="东区"))
    assert "✗ 东区 (2/3) 0 s no people" in shown[3]


def test_a_bar_outside_of_a_notebook_says_what_to_give_instead():
    with pytest.raises(UsageError, match=r"needs a notebook; remedy: elsewhere give progress=print"):
        NotebookBar()


def test_without_a_score_a_result_says_why_and_what_to_bring():
    result = demo_result()
    scores = result.scores.assign(score=np.nan, n_scored=9)
    page = replace(result, scores=scores)._repr_html_()
    assert "不评分 no score (16 项服务中 9 项有数据" in page
    assert "补充名录 bring lists (facilities): 托儿所" in page
    assert "补充名录" not in result._repr_html_()
    assert page.count("<td style='text-align:right'>149,970</td>") == 1  # the city alone, no list of the lowest


def test_rules_and_comparisons_show_themselves_in_a_few_words():
    rules = lc.load_standard("chengdu")
    assert (
        repr(rules)
        == f"RuleSet(chengdu 成都15分钟社区生活圈: {len(rules.rules)} rules, 16 score, {len(rules.off)} off)"
    )
    page = rules._repr_html_()
    assert page.count("<tr>") == 1 + len(rules.rules) + len(rules.off)
    assert "GB 50180-2018 表 C.0.1" in page
    same = Comparison(pd.DataFrame(columns=["level", "covered_change"]), pd.DataFrame(columns=["cause", "what"]))
    assert repr(same) == "Comparison(0 rows, 0 causes)"
    assert "全市覆盖人数不变 no change in the whole city" in same._repr_html_()


def test_what_is_told_in_lines_is_told_so_without_a_page_too():
    explanation = lc.explain(lc.demo_study(), "SY032", "gb50180_2018_primary_school")
    assert repr(explanation).splitlines() == explanation.lines()
    network = lc.WalkNetwork.from_osm(lc.demo_study().streets.osm)
    assert re.fullmatch(r"WalkNetwork\([\d,]+ nodes, [\d,]+ edges, [\d,]+ km\)", repr(network))
