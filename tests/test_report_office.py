"""The Excel report as an office program shows and prints it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pandas as pd
import pytest

from conftest import missing
from demo_scans import demo_result
from livingcircle.credits import INTERNAL_DRAWING, OSM_CREDIT
from livingcircle.report import write_report

pytestmark = pytest.mark.office


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Print the report of the demo town with LibreOffice; return the text of every page."""
    programs = [shutil.which("soffice"), shutil.which("pdftotext")]
    if None in programs:
        missing("LibreOffice or pdftotext is not installed (Debian: libreoffice-calc, poppler-utils)")
    folder = tmp_path_factory.mktemp("office")
    write_report(demo_result(), folder / "report.xlsx")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"  # a profile of its own: none is in use
    to_pdf = [programs[0], profile, "--headless", "--convert-to", "pdf", "--outdir", folder, folder / "report.xlsx"]
    said = subprocess.run(to_pdf, capture_output=True, text=True, timeout=240, check=True)
    assert (folder / "report.pdf").is_file(), said.stdout + said.stderr
    subprocess.run([programs[1], "-layout", folder / "report.pdf"], timeout=60, check=True)
    return (folder / "report.txt").read_text(encoding="utf-8").split("\f")[:-1]


def of_sheet(pages: list[str], title: str) -> list[str]:
    """Return the pages whose head names the sheet."""
    return [page for page in pages if page.split("\n", 1)[0].endswith(title)]


def test_every_page_names_study_sheet_number_and_the_lines_that_a_map_needs(pages: list[str]) -> None:
    for number, page in enumerate(pages, start=1):
        assert page.split("\n", 1)[0].startswith("示意镇 Demo town")
        assert f"{number} / {len(pages)}" in page
        assert INTERNAL_DRAWING in page
        assert OSM_CREDIT in page


def test_cover_summary_and_charts_take_one_page_each(pages: list[str]) -> None:
    for title in (
        "封面 Cover",
        "总览 Summary",
        "图 得分 Chart scores",
        "图 覆盖率 Chart coverage",
        "图 公平 Chart Lorenz",
    ):
        assert len(of_sheet(pages, title)) == 1, title
    assert "15分钟社区生活圈步行可达性报告" in pages[0]
    assert "149,970" in pages[0]
    assert "得分最低的 30 个社区" in " ".join(of_sheet(pages, "图 得分 Chart scores")[0].split())
    assert "100%" in of_sheet(pages, "图 公平 Chart Lorenz")[0]


def test_ranking_prints_every_score_and_repeats_its_heading(pages: list[str]) -> None:
    ranking = of_sheet(pages, "排名 Ranking")
    scores = demo_result().communities[["score", "unit_name"]].dropna()
    lines = [line for page in ranking for line in page.split("\n")]
    for unit, row in scores.iterrows():
        line = next(line for line in lines if re.search(rf"\b{unit}\b", line))
        assert f"{row['score']:.1f}" in line.split()
    assert all("Compared with" in page for page in ranking)


def test_gaps_print_people_nearest_place_and_clause(pages: list[str]) -> None:
    gaps = demo_result().gaps
    assert gaps is not None
    first = gaps.sort_values("without", ascending=False).iloc[0]
    page = of_sheet(pages, "缺口 Gaps")[0]
    line = next(line for line in page.split("\n") if str(first["unit_id"]) in line)
    assert f"{first['without']:,}" in line.split()
    assert str(first["nearest_name"]) in page
    assert "GB 50180-2018" in line


def test_nothing_is_too_wide_to_show_and_nothing_is_an_error(pages: list[str]) -> None:
    text = "\n".join(pages)
    assert "###" not in text
    assert not re.search(r"#(REF|NAME|VALUE|N/A|DIV)|Err:\d", text)


def test_every_community_and_rule_has_its_printed_row(pages: list[str]) -> None:
    coverage = demo_result().coverage
    own = coverage[coverage["level"] == "community"]
    printed = "\n".join(of_sheet(pages, "覆盖 Coverage"))
    found = pd.Series(re.findall(r"^\s*(SY\d{3})\b", printed, re.M)).value_counts()
    assert found.to_dict() == own["unit_id"].value_counts().to_dict()
