"""The hearing map in a real browser without any network: what a mayor sees, clicks and prints."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import quote

import geopandas as gpd
import pandas as pd
import pytest

from conftest import missing
from demo_scans import demo_result
from livingcircle.columns import FACILITY_CIRCLES
from livingcircle.hearing_map import render_map
from synthetic import HOSTILE, INCOMPLETE, KINDERGARTEN, NO_DATA, synthetic_result
from whole_city import made_circles, whole_city

try:
    from axe_playwright_python import sync_playwright as axe
except ImportError:  # an extra, as Playwright is: without them the fixture `browser` ends every test before
    axe = None

pytestmark = pytest.mark.browser

INTERNAL = "内部工作图,未经地图审核,不得公开"
OSM = "© OpenStreetMap contributors"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    kinds = {"full": {}, "unscored": {"scored": False}, "approved": {"approval": "川S(2025)1号"}}
    for name, options in kinds.items():
        (folder / f"{name}.html").write_text(render_map(synthetic_result(**options)), encoding="utf-8")
    circled = synthetic_result()
    none = gpd.GeoDataFrame(columns=list(FACILITY_CIRCLES.names), geometry="geometry", crs=4326)
    circled = dataclasses.replace(circled, circles=made_circles(circled.communities), facility_circles=none)
    (folder / "circles.html").write_text(render_map(circled), encoding="utf-8")
    of_land = synthetic_result(scored=False)
    coverage = of_land.coverage.assign(denominator="residential_land")
    run = {**of_land.run, "demand": "residential_land"}
    of_land = dataclasses.replace(of_land, coverage=coverage, run=run)
    of_land.communities["people"] = pd.NA
    (folder / "land.html").write_text(render_map(of_land), encoding="utf-8")
    (folder / "demo.html").write_text(render_map(demo_result()), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, files):
    """Open a map; afterwards nothing may have been asked of a network nor complained about."""
    contexts, faults = [], []

    def go(fragment="", *, file="full", size=(1280, 800)):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        address = (files / f"{file}.html").as_uri()
        page.on("request", lambda r: faults.append(f"asked for {r.url}") if not r.url.startswith(address) else None)
        page.on("console", lambda m: faults.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.on("dialog", lambda d: faults.append(f"dialog {d.message}"))
        page.goto(address + fragment)
        page.wait_for_selector("html[data-ready]")
        return page

    yield go
    for context in contexts:
        context.close()
    assert faults == []


def coloured(page):
    """Count the different colours among points of the map's canvas."""
    return page.evaluate(
        """() => {
            const found = new Set(), box = painter._container, copy = document.createElement('canvas');
            const pen = copy.getContext('2d', { willReadFrequently: true });
            [copy.width, copy.height] = [box.width, box.height];
            pen.drawImage(box, 0, 0);
            const pixels = pen.getImageData(0, 0, box.width, box.height).data;
            for (let i = 0; i < pixels.length; i += 4 * 97) if (pixels[i + 3]) found.add(pixels.slice(i, i + 3).join());
            return found.size;
        }"""
    )


def text_of(page, selector):
    return page.locator(selector).inner_text()


def test_first_view(visit):
    page = visit()
    assert text_of(page, "h1") == "示意城区"
    assert text_of(page, "#legend h2").startswith("综合得分")
    assert coloured(page) > 3
    assert page.locator("#approval").is_visible()
    assert text_of(page, "#approval") == INTERNAL
    assert OSM in text_of(page, ".foot")
    assert OSM in text_of(page, ".leaflet-control-attribution")
    assert page.locator("#notice").is_hidden()
    assert "全市" in text_of(page, "#sheet")


def test_policy_refuses_any_other_script(browser, files):
    page = browser.new_page()
    page.goto((files / "full.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    refused = page.evaluate(
        """() => new Promise((tell) => {
            document.addEventListener('securitypolicyviolation', (event) => tell(event.effectiveDirective));
            const script = document.createElement('script');
            script.textContent = 'window.broken = 1';
            document.body.append(script);
            setTimeout(() => tell('nothing refused'), 2000);
        })"""
    )
    assert refused == "script-src-elem"
    assert page.evaluate("window.broken") is None
    page.close()


def test_approval_number_replaces_the_warning(visit):
    page = visit(file="approved")
    assert text_of(page, "#approval") == "审图号:川S(2025)1号"
    assert INTERNAL not in page.content().split('id="data"')[0]


def test_without_any_score_the_first_scoring_rule_is_shown_and_said(visit):
    page = visit(file="unscored")
    assert page.evaluate("state.layer") == "gb50180_2018_junior_secondary"
    assert "资料不足以计算综合得分" in text_of(page, "#notice")
    assert coloured(page) > 3
    assert page.locator("#layer option[value=score]").count() == 0
    assert "不评分" in text_of(page, "#sheet .score")


def test_missing_data_is_striped_and_never_red(visit):
    page = visit(f"#c={KINDERGARTEN}")
    fills = page.evaluate(
        "(key) => { change({layer: key}); return outlines.map((_, i) => fillOf(i, state).kind); }", INCOMPLETE
    )
    assert "dots" in fills
    assert page.evaluate("fillOf(5, state)") == {"colour": page.evaluate("GREY"), "kind": "flat"}  # not applicable
    page.evaluate("change({layer: 'score'})")
    assert page.evaluate("fillOf(4, state)") == {"colour": page.evaluate("GREY"), "kind": "stripes"}  # 60 people
    reds = page.evaluate(
        "[...COLOURS.share, GREY].filter((c) => parseInt(c.slice(1, 3), 16) > 1.4 * parseInt(c.slice(3, 5), 16))"
    )
    assert reds == []
    assert (
        page.evaluate("(k) => { const s = chosen(entryByKey.get(k), state); return share(s, 0, 'share'); }", NO_DATA)
        is None
    )


def test_incomplete_rule_says_at_least(visit):
    page = visit(f"#c={INCOMPLETE}")
    assert "至少" in page.locator("#ranking .value").first.inner_text()
    assert "至少" in text_of(page, f'[data-rule="{INCOMPLETE}"] .badge')


def test_measures_and_walkers(visit):
    page = visit(f"#c={KINDERGARTEN}&u=community:510100000")
    own = page.locator(".compare .own .value")
    seen = {"share": own.inner_text()}
    for measure in ("radius", "minutes", "gap"):
        page.locator(f'[data-measure="{measure}"]').click()
        seen[measure] = own.inner_text()
    walk, radius, gap = (float(seen[m].rstrip("%")) for m in ("share", "radius", "gap"))
    assert gap == pytest.approx(radius - walk, abs=0.11)
    page.locator('[data-measure="minutes"]').click()
    page.locator("#walker").select_option("elder")
    assert float(own.inner_text().rstrip("%")) < float(seen["minutes"].rstrip("%"))
    assert "老年人" in text_of(page, "#legend")
    assert page.locator("#gates-box").is_hidden()


def test_search_chooses_and_opens_the_sheet(visit):
    page = visit()
    page.locator("#search-box").fill("牛市口")
    page.locator("#search-results button").first.click()
    assert text_of(page, "#sheet h2") == "牛市口社区"
    assert page.evaluate("document.activeElement.id") == "sheet"
    page.locator("#search-box").fill("乙街道")
    assert page.locator("#search-results button").count() == 2
    page.locator("#search-box").fill("没有这个")
    assert "没有找到" in text_of(page, "#search-results")


def test_search_by_keyboard_alone(visit):
    page = visit()
    page.locator("#search-box").focus()
    page.keyboard.type("三圣")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert text_of(page, "#sheet h2") == "三圣社区"


def test_ranking_by_keyboard(visit):
    page = visit()
    page.locator("#ranking button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert text_of(page, "#sheet h2") == page.locator("#ranking .who strong").nth(1).inner_text()


def test_ranking_holds_only_comparable_units(visit):
    page = visit()
    ranked = page.evaluate("ranked(state).rows.map((row) => [units.unit_type[row.i], units.score[row.i]])")
    assert {kind for kind, _ in ranked} == {"urban"}
    assert all(score is not None for _, score in ranked)
    assert "不参与排名" in text_of(page, "#unranked")
    values = [float(v) for v in page.locator("#ranking .value").all_inner_texts()]
    assert values == sorted(values)
    page.locator("#sort").select_option("high")
    assert [float(v) for v in page.locator("#ranking .value").all_inner_texts()] == sorted(values, reverse=True)
    page.locator("#filter-district").select_option("成华区")
    assert 0 < page.locator("#ranking [data-unit]").count() < len(values)


def test_click_on_the_map_opens_the_sheet(visit):
    page = visit()
    box = page.locator("#map").bounding_box()
    x, y = page.evaluate(
        "(() => { const p = map.latLngToContainerPoint(geo.latlng(middles[22], middles[23])); return [p.x, p.y]; })()"
    )
    page.mouse.move(box["x"] + x, box["y"] + y)
    assert page.locator(".leaflet-tooltip").inner_text().startswith("锦官驿社区")
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert text_of(page, "#sheet h2") == "锦官驿社区"


def test_sheet_says_what_is_asked(visit):
    page = visit("#u=community:510100000")
    sheet = text_of(page, "#sheet")
    assert re.search(r"居民平均可步行到达 16 项服务中的 [\d.]+ 项", sheet)
    assert re.search(r"\[[\d.]+, [\d.]+\]", sheet)
    assert "GB 50180-2018 表 C.0.2 · 待核对标准原文" in sheet
    assert "无数据" in text_of(page, f'[data-rule="{NO_DATA}"]')
    assert "公共交通 · 不含乘车" in sheet
    assert "甲街道" in text_of(page, ".compare")
    assert "不达标" not in sheet  # no verified rule with "must" in this bundle
    left = page.evaluate("(k) => uncovered(chosen(entryByKey.get(k), state), state.unit)", KINDERGARTEN)
    assert f"{left:,.0f} 人未覆盖" in text_of(page, f'[data-rule="{KINDERGARTEN}"]')


def test_not_complying_is_said_only_of_binding_rules(visit):
    page = visit()
    words = page.evaluate(
        """(key) => {
            const entry = entryByKey.get(key), series = {status: 'o', met_clause: '0', met_walk: '0'};
            return [false, true].map((binding) => judgement({...entry, rule: {...entry.rule, binding}}, series, 0)[0]);
        }""",
        KINDERGARTEN,
    )
    assert words == ["unmet", "must_unmet"]


def test_address_carries_the_state(visit):
    page = visit(f"#c={KINDERGARTEN}&m=radius&u=" + quote("subdistrict:锦江区/甲街道") + "&l=en&v=14/30.635/104.05&p=1")
    assert page.evaluate("[state.layer, state.measure, state.language, map.getZoom()]") == [
        KINDERGARTEN,
        "radius",
        "en",
        14,
    ]
    assert text_of(page, "#sheet h2") == "甲街道"
    assert page.locator("html.projector").count() == 1
    page.locator("#language").click()
    assert "l=zh" in page.url
    page.locator("#ranking button").first.click()
    page.wait_for_function("location.hash.includes('u=community')")


@pytest.mark.parametrize(
    "fragment",
    [
        "#c=<img src=x onerror=alert(1)>&u=<b>&l=__proto__&v=NaN/0/0",
        "#v=99/91/181&m=constructor",
        "#%E0%A4%A",
        "#u=community:nobody&s=a,b",
    ],
)
def test_address_is_data_and_never_markup(visit, fragment):
    page = visit(fragment)
    assert page.evaluate("[state.layer, state.language, state.measure]") == ["score", "zh", "share"]
    assert page.locator("img").count() == 0


def test_language(visit):
    page = visit("#u=community:510100000")
    page.locator("#language").click()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert text_of(page, "#legend h2").startswith("Overall score")
    assert "to be checked against the standard's text" in text_of(page, "#sheet")
    assert INTERNAL in text_of(page, "#approval")
    assert "undefined" not in text_of(page, "body")


def test_names_are_text_wherever_they_stand(visit):
    page = visit("#u=community:510100002")
    assert text_of(page, "#sheet h2") == HOSTILE[2]
    page.locator("#search-box").fill("alert")
    assert page.locator("#search-results button").count() == 3  # two communities and a facility
    page.evaluate("change({services: new Set(services.keys())}); map.setView(placeLatLng(0), 16, {animate: false}); 0")
    page.evaluate("map.fire('click', {latlng: placeLatLng(0)}); 0")
    assert text_of(page, ".card strong") == "<b onclick=alert(3)>设施</b></script>"
    assert page.locator("main img, main b[onclick]").count() == 0


def test_facilities_follow_the_rule_and_can_be_chosen(visit):
    page = visit(f"#c={KINDERGARTEN}")
    assert page.evaluate("[...servicesShown(state)].map((i) => services[i].id)") == ["kindergarten"]
    page.locator("#tab-layers").click()
    row = page.locator("#panel-layers label", has_text="公园")
    row.first.locator("input").check()
    assert "park" in page.evaluate("[...servicesShown(state)].map((i) => services[i].id)")
    assert row.first.locator(".count").inner_text() == str(page.evaluate("places.of[serviceAt.get('park')].length"))


def test_background_can_be_switched_off(visit):
    page = visit()
    page.locator("#tab-layers").click()
    on = page.evaluate("background.filter((group) => groupShown(group, map.getZoom(), state)).length")
    page.locator("#panel-layers label", has_text="道路与铁路").locator("input").uncheck()
    assert page.evaluate("background.filter((group) => groupShown(group, map.getZoom(), state)).length") < on


def test_projector_is_larger(visit):
    page = visit()
    size = "parseFloat(getComputedStyle(document.querySelector('.ranking .who strong')).fontSize)"
    small = page.evaluate(size)
    page.locator("#projector").click()
    assert page.evaluate(size) > 1.25 * small


def test_legend_states_every_default(visit):
    page = visit()
    assert page.locator("#settings").is_hidden()
    page.locator("#defaults").click()
    said = text_of(page, "#legend")
    for word in ("成人 1.33 m/s", "300", "WGS-84", "buildings", "2018-07-03", "待核对标准原文"):
        assert word in said


def test_controls_have_names_and_nothing_overflows(visit):
    for size, more in (((1280, 800), ""), ((1280, 720), "&p=1&k=2"), ((1920, 1080), "")):
        page = visit(f"#l=en{more}", size=size)
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, select, input')].filter((e) => !e.closest('[hidden]'))
                .filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
                .map((e) => e.outerHTML)"""
        )
        assert nameless == []
        assert page.evaluate(
            "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
        )


def test_print_carries_map_legend_and_warning(visit):
    page = visit("#u=community:510100000")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for selector in (
        "#title",
        "#legend",
        ".leaflet-control-scale-line",
        ".north",
        "#approval",
        ".paper",
        ".legend .flow",
        "#settings",
        "#sheet",
    ):
        assert page.locator(selector).first.is_visible(), selector
    for selector in ("#side", ".search", ".tools"):
        assert page.locator(selector).is_hidden(), selector
    size = page.evaluate(
        "(() => { const b = document.querySelector('.view').getBoundingClientRect(); return [b.width, b.height]; })()"
    )
    assert size == pytest.approx([312 * 96 / 25.4, 234 * 96 / 25.4], abs=3)
    inked = page.evaluate(
        """() => {
            const c = document.querySelector('.paper');
            const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let inked = 0;
            for (let i = 0; i < pixels.length; i += 400) if (pixels[i] < 240) inked++;
            return inked / (pixels.length / 400);
        }"""
    )
    assert inked > 0.2
    view = page.evaluate("[state.unit]")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator(".paper").count() == 0
    assert page.evaluate("[state.unit]") == view


def test_pdf_is_a3_landscape_and_head_and_foot_return_on_every_page(visit):
    page = visit("#u=community:510100000")
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page.pdf(prefer_css_page_size=True))
    assert len(boxes) >= 2
    for wide, high in boxes:
        assert (float(wide), float(high)) == pytest.approx((1190.55, 841.89), abs=2)
    page.emulate_media(media="print")
    page.evaluate("preparePaper()")
    styles = page.evaluate(
        "['.masthead', '.foot'].map((s) => getComputedStyle(document.querySelector(s)))"
        ".map((s) => [s.display, s.breakInside])"
    )
    assert styles == [["table-header-group", "avoid"], ["table-footer-group", "avoid"]]


def test_a_difference_of_lower_bounds_is_not_said_to_be_one(visit):
    page = visit(f"#c={INCOMPLETE}&m=gap")
    assert page.locator("#ranking .value").first.inner_text().startswith("约")


def test_stand_in_for_a_group_is_said(visit):
    page = visit(f"#c={KINDERGARTEN}&u=community:510100000")
    assert "以全体居民代替" not in text_of(page, "#sheet")
    page.evaluate("entryByKey.get(state.layer).series.forEach((s) => { s.stand_in = true; }); drawAll(); 0")
    assert "以全体居民代替3–6 岁人口" in text_of(page, f'[data-rule="{KINDERGARTEN}"]')
    assert "以全体居民代替3–6 岁人口" in text_of(page, "#legend")


def test_the_demo_town_itself(visit):
    page = visit(file="demo", size=(1440, 900))
    assert "示意镇" in text_of(page, "h1")
    assert coloured(page) > 3
    page.locator("#search-box").fill("对岸")
    page.locator("#search-results button").first.click()
    assert text_of(page, "#sheet h2") == "示意对岸社区"
    assert "小学 500 米" in text_of(page, "#sheet")
    assert text_of(page, "#approval") == INTERNAL
    assert OSM in text_of(page, ".foot")


# -- what a resident does, and what a planner shows -------------------------------------------------------


def test_search_finds_facilities_and_full_width_letters(visit):
    page = visit()
    name = page.evaluate("places.name[5]")
    page.locator("#search-box").fill("  " + "".join(chr(ord(c) + 0xFEE0) if c.isascii() else c for c in name))
    button = page.locator("#search-results button", has_text=name).first
    assert "找到" in text_of(page, "#search-said")
    button.click()
    assert text_of(page, ".card strong") == name
    assert page.evaluate("placeKey(state.place)") in page.evaluate(
        "new URLSearchParams(location.hash.slice(1)).get('f')"
    )
    assert page.evaluate("communityAt(placeLatLng(state.place))") == page.evaluate("state.unit")


def test_search_finds_an_estate_and_opens_its_community(visit):
    page = visit(file="demo")
    page.locator("#search-box").fill("映月城")
    page.locator("#search-results button", has_text="小区").first.click()
    assert text_of(page, "#sheet h2") == "示意石榴社区"  # as docs/demo.md says
    assert page.evaluate("map.getZoom()") == 16


def test_address_opens_a_facility_with_its_ring(visit):
    page = visit(f"#c={KINDERGARTEN}")
    key = page.evaluate("placeKey(places.of[serviceAt.get('kindergarten')][0])")
    other = visit(f"#c={KINDERGARTEN}&f={quote(key)}")
    assert other.evaluate("placeKey(state.place)") == key
    assert "直线半径 300 米" in text_of(other, ".card")
    assert "设施直线半径" in text_of(other, "#legend")


def test_what_is_missing_names_neighbours_clause_and_doubt(visit):
    page = visit("#u=community:510100000")
    rows = page.locator(".missing li")
    told = page.evaluate(
        """entries.filter((e) => e.rule.scores && 'oi'.includes(statusOf(chosen(e, state), state.unit)))
            .map((e) => uncovered(chosen(e, state), state.unit)).filter((n) => n > 0).sort((a, b) => b - a)"""
    )
    for row, people in zip(rows.all_inner_texts(), told, strict=False):
        assert f"{people:,} 人未覆盖" in row
        assert re.search(r"GB 50180|成都", row)
        assert re.search(r"待核对|来源", row)
    assert rows.count() == 5


def test_circle_of_the_chosen_community_and_what_lies_in_it(visit):
    page = visit("#u=community:510100009", file="circles")
    cells = [row.split("\t") for row in text_of(page, ".circle table").splitlines()]
    assert cells[0][1:] == ["5 分钟", "10 分钟", "15 分钟"]
    people = [int(cell.replace(",", "")) for cell in cells[1][1:]]
    assert people == sorted(people)
    # The oracle: facilities with a door inside, counted by the plain even-odd rule over the same rings.
    counted = page.evaluate(
        """circlesOf(state.unit, state.walker).map(({ shape }) => {
            const inside = ([x, y]) => shape.paths.reduce((odd, ring) => {
                for (let i = 0; i < ring.length - 2; i += 2) {
                    const [x1, y1, x2, y2] = ring.slice(i, i + 4);
                    if (y1 > y !== y2 > y && x < x1 + ((y - y1) * (x2 - x1)) / (y2 - y1)) odd = !odd;
                }
                return odd;
            }, false);
            return places.of[serviceAt.get('kindergarten')].filter((i) => entrances(i).some(inside)).length;
        })"""
    )
    [row] = [row for row in cells if row[0].startswith("幼儿园")]
    assert [0 if cell == "无" else int(cell) for cell in row[1:]] == counted
    assert counted[2] > 0
    assert "步行圈" in text_of(page, "#legend")
    page.locator("#circle").click()
    assert page.locator(".circle").count() == 0
    assert "o=0" in page.url


def test_circle_of_the_chosen_facility(visit):
    page = visit("#c=gb50180_2018_primary_school&u=community:SY004", file="demo")
    key = page.evaluate("placeKey(places.of[serviceAt.get('primary_school')][0])")
    minutes = page.evaluate("circlesShown(state).length")
    assert minutes == 3
    other = visit(f"#c=gb50180_2018_primary_school&u=community:SY004&f={quote(key)}", file="demo")
    limit, shown, inside = other.evaluate(
        """[limitText(circleTo(state.place, state)), circlesShown(state).length,
            map.getBounds().contains(toBounds(circleTo(state.place, state).shape.box))]"""
    )
    assert (limit, shown) == ("500 米", 0)  # its own circle, and no other beneath it
    assert inside
    assert "沿街步行 500 米 内可到达这里" in text_of(other, ".card")
    assert "可步行到达所选设施的范围" in text_of(other, "#legend")
    other.locator("#circle").click()
    assert "可步行到达所选设施的范围" not in text_of(other, "#legend")
    crowded = visit(f"#c={KINDERGARTEN}", file="circles")
    crowded.evaluate("selectPlace(places.of[serviceAt.get('kindergarten')][0])")
    assert "此类设施数量过多,未预先绘制步行圈" in text_of(crowded, ".card")


def test_supply_colours_the_map_by_the_figure_of_its_clause(visit):
    page = visit("#c=chengdu_policy_park_per_cap_2025&l=en", file="demo")
    assert page.evaluate("state.measure") == "supply"
    labels = page.locator(".classes li").all_inner_texts()
    assert [label.strip() for label in labels] == ["<3.5", "3.5–7", "7–10.5", "10.5–14", "≥14"]  # 14 m² for each person
    assert "14 m² per person" in text_of(page, "#legend")
    assert "judged for the whole city" in text_of(page, "#legend")
    assert page.locator("#people").is_hidden()
    fills = page.evaluate(
        """communities.map((i) => [number(chosen(entryByKey.get(state.layer), state), "value", i), fillOf(i, state)])"""
    )
    colours = page.evaluate("COLOURS.share")
    for value, fill in fills:
        if value is not None:
            assert fill["colour"] == colours[sum(value >= part for part in (3.5, 7, 10.5, 14))]
    assert len({fill["colour"] for value, fill in fills if value is not None}) > 2
    assert "m² per person" in page.locator("#ranking .value").first.inner_text()


def test_without_people_the_page_speaks_of_land(visit):
    for language, own, never in (
        ("zh", "居住用地", r"\d 人|人口"),
        ("en", "residential land", r"[Pp]eople|[Rr]esidents"),
    ):
        page = visit(f"#c={KINDERGARTEN}&u=community:510100000&n=1&l={language}", file="land")
        said = " ".join(text_of(page, part) for part in (".head", ".missing", ".rules", "#legend .others", ".choose"))
        assert own in said
        assert not re.search(never, said), re.search(never, said)


def test_a_share_of_communities_is_said_in_per_cent_and_nobody_fails_to_walk_there(visit):
    # 蔬菜全覆盖 counts communities that have a place: the share is no distance, and no walk is behind it
    page = visit("#u=city:city", file="demo")
    said = page.locator('[data-rule="chengdu_policy_vegetables"] .detail').first.inner_text()
    assert "结果 97.7%" in said
    assert "目标 100%" in said
    assert "沿街步行" not in said
    assert "走不到" not in said
    assert "97.7%" in page.locator('[data-rule="chengdu_policy_vegetables"]').inner_text()


def test_what_is_found_on_a_phone_is_seen_at_once(visit):
    page = visit("", file="demo", size=(390, 844))
    page.locator("#search-box").fill("第一小学")
    page.locator("#search-results button").first.click()
    page.wait_for_timeout(300)
    box = page.locator(".card").bounding_box()
    top, bottom = box["y"], box["y"] + box["height"]
    assert 0 <= top < bottom <= 844
    page.locator("#search-box").fill("示意永和")
    page.locator("#search-results button").first.click()
    page.wait_for_timeout(300)
    assert 0 <= page.evaluate("document.querySelector('#sheet h2').getBoundingClientRect().top") < 400


def test_a_rule_about_land_says_so_beside_people(visit):
    page = visit("#c=park_300_500_statistic_500&n=1", file="demo")
    assert "已覆盖居住用地" in text_of(page, "#legend")
    assert "已覆盖人数" not in text_of(page, "#legend")
    page = visit(f"#c={KINDERGARTEN}&n=1", file="demo")
    assert "已覆盖人数" in text_of(page, "#legend")


@pytest.mark.parametrize("more", ["", "&e=0", "&p=1", "&k=1", "&e=0&p=1"])
@pytest.mark.parametrize(
    "layer", ["score", "gb50180_2018_primary_school", "park_300_500_walk_network", "chengdu_policy_park_per_cap_2025"]
)
def test_legend_always_states_the_same_facts(visit, layer, more):
    page = visit(f"#c={layer}{more}", file="demo")
    assert page.locator("#legend .flow").is_visible()
    said = page.locator("#legend .flow").inner_text()
    for name in ("条文", "指标值", "条文口径", "可信度", "步行人群", "数据日期", "来源"):
        assert re.search(rf"{name}\s*\S", said), name
    assert "ODbL" in said
    assert page.locator("#legend h2").inner_text()


def test_people_covered_and_not(visit):
    page = visit(f"#c={KINDERGARTEN}&m=gap&n=1")
    for people in page.evaluate("shown(state).people.filter(Boolean)"):
        assert people["covered"] + people["falsely"] + people["left"] == pytest.approx(people["demand"])
        assert min(people.values()) >= 0
    assert "假覆盖人数" in text_of(page, "#legend")
    before = coloured(page)
    page.locator("#people").click()
    page.wait_for_timeout(100)
    assert coloured(page) != before
    assert "假覆盖人数" not in text_of(page, "#legend")


def test_unmet_has_a_sign_that_missing_data_never_has(visit):
    page = visit(f"#c={KINDERGARTEN}")
    signs, statuses, met = page.evaluate(
        """(key) => { const s = chosen(entryByKey.get(key), state);
            return [shown(state).unmet, s.status.slice(0, COMMUNITIES), s.met_walk.slice(0, COMMUNITIES)]; }""",
        KINDERGARTEN,
    )
    assert any(signs)
    for sign, status, walk in zip(signs, statuses, met, strict=True):
        assert not (sign and status in "nadi")
        assert sign or walk != "0"
    for layer in (NO_DATA, INCOMPLETE, "score"):
        page.evaluate("(layer) => change({ layer })", layer)
        assert not any(page.evaluate("shown(state).unmet"))


def test_scenes_are_stepped_through_by_button_and_clicker(visit):
    page = visit("#l=en", file="demo")
    page.locator("#scenes").click()
    titles = [text_of(page, "#scene-title")]
    assert titles == ["Overall score"]
    page.locator("#scene-next").click()
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    assert text_of(page, "#scene-number").startswith("5 /")
    assert text_of(page, "#scene-title").startswith("False coverage")
    assert page.evaluate("[state.measure, state.people, state.language]") == ["gap", True, "en"]
    assert "k=5" in page.url
    page.locator("#scene-close").click()
    assert page.locator("#scene-bar").is_hidden()
    short = visit("#k=3", file="demo")
    assert text_of(short, "#scene-title") == "300米见绿"
    assert short.evaluate("state.layer") == "park_300_500_walk_network_green"


def test_whole_state_comes_back_from_the_address(visit):
    page = visit(f"#c={KINDERGARTEN}&m=radius&w=elder&n=1&o=0&h=names&d={quote('成华区')}&r=people&b=layers&e=0&s=park")
    page.evaluate("map.setView([30.64, 104.05], 14, { animate: false }); 0")
    kept = "(() => ({ ...state, services: [...state.services], hidden: [...state.hidden], scene: 0 }))()"
    first, address = page.evaluate(kept), page.evaluate("location.hash")
    again = visit(address)
    assert again.evaluate(kept) == first
    assert again.evaluate("location.hash") == address
    assert first["hidden"] == ["names"]


def test_picture_is_one_sheet_with_all_that_must_stand_on_it(visit):
    page = visit("#k=2&x=1", size=(1588, 1123))
    for selector in (
        "#title",
        ".legend .flow",
        ".told",
        ".leaflet-control-scale-line",
        ".north",
        "#approval",
        ".paper",
    ):
        assert page.locator(selector).first.is_visible(), selector
    for selector in ("#side", ".search", ".tools", "#sheet", "#scene-bar"):
        assert page.locator(selector).is_hidden(), selector
    assert text_of(page, "#approval") == INTERNAL
    assert OSM in text_of(page, ".foot")
    bottom = page.evaluate("document.querySelector('.foot').getBoundingClientRect().bottom")
    assert bottom < 1123
    assert text_of(page, "#subtitle").startswith("缺口最大")


@pytest.mark.parametrize("fragment", ["#k=7", "#l=en&b=layers&n=1&p=1&k=2", "#b=about&u=subdistrict:x"])
def test_nothing_keeps_people_from_using_it_by_keyboard_or_ear(visit, fragment):
    if axe is None:
        missing("axe-playwright-python is not installed")
    page = visit(fragment, file="demo")
    found = axe.Axe().run(page).response["violations"]
    assert [(f["impact"], f["id"]) for f in found if f["impact"] in {"serious", "critical"}] == []


def test_narrow_screen_has_everything_below_each_other(visit):
    page = visit("#k=1", file="demo", size=(390, 844))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tops = page.evaluate(
        "['.view', '.legend', '.side', '.sheet'].map((s) => document.querySelector(s).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)


def test_whole_city_opens_in_time_and_stays_small(visit, files):
    path = files / "city.html"
    path.write_text(render_map(whole_city(600, rules=6, places=4_000, roads=5_000)), encoding="utf-8")
    assert path.stat().st_size < 15e6 * 600 / 4_351
    page = visit(file="city")
    assert page.evaluate("performance.now()") < 3_000
    assert coloured(page) > 3
    # Painted from afar, a vertex stands for the ground of one pixel; a name of the ground under the pointer is right.
    middle = page.evaluate("communityAt(geo.latlng(middles[2 * 500], middles[2 * 500 + 1]))")
    assert middle == 500
