"""Standards, bundles and a planner's own rules."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from livingcircle.rules import Rule
from livingcircle.standards import Listing, checklist, describe, list_standards, load_standard
from livingcircle.standards_page import reference_page
from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import InputError

KINDERGARTEN = "gb50180_2018_kindergarten"
WASTE_POINT = "gb50180_2018_waste_point"


def _rule(**values: object) -> Rule:
    base = {"id": "r", "metric": "radius", "threshold": 300, "services": ["park"]}
    return Rule.model_validate({**base, **values})


def _own(tmp_path: Path, text: str, name: str = "mine.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("confidence", "mark"),
    [
        ("M+", "M+"),
        ("M+; V2:S55", "M+"),
        ("M+; same radius in older tables V2:S55", "M+"),
        ("V:S01", "V"),
        ("V:S33b", "V"),
        ("V2:S41", "V2"),
        ("list V2:S41; size M+", "M+"),
        ("name V:S32; metres M?", "M?"),
        ("name V:S32; 400 m² M+; metres M?", "M?"),
        ("slogan V:SD3; sizes are a choice", "V"),
        ("V:S12, Chengdu 2025 V:S22", "V"),
        ("figures M+", "M+"),
        ("150 V2:S41", "V2"),
        ("", "M?"),
        ("I am sure. V", "M?"),
    ],
)
def test_mark_is_the_weakest_named(confidence: str, mark: str) -> None:
    assert _rule(confidence=confidence).mark == mark


@pytest.mark.parametrize(
    ("bound", "confidence", "verified_by", "expected"),
    [
        ("must", "V:S01", "", True),
        ("must", "M+", "", False),
        ("must", "V2:S55", "", False),
        ("must", "M+", "Wang, 2025-03-01, p. 31", True),
        ("recommended", "V:S01", "", False),
        ("", "V:S01", "Wang, 2025-03-01, p. 31", False),
    ],
)
def test_failing_is_said_only_of_a_verified_binding_rule(
    bound: str, confidence: str, verified_by: str, expected: bool
) -> None:
    rule = _rule(bound=bound, confidence=confidence, verified_by=verified_by)
    assert rule.may_fail_publicly is expected


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"threshold_unit": "min"}, "threshold_unit 'm'"),
        ({"walker": "elder"}, "a walker only with"),
        ({"parts": ["a", "b"]}, "combine together with"),
        ({"combine": "any_of", "parts": ["a"]}, "at least two parts"),
        ({"threshold": None}, "a threshold, unless"),
        ({"threshold": 0}, "greater than 0"),
        ({"metric": "per_1000"}, "threshold_unit"),
        ({"min_site_m2": 500, "max_site_m2": 400}, "above min_site_m2"),
        ({"group": "children"}, "pattern"),
        ({"group": "age_6_3"}, "from younger to older"),
        ({"metric": "count", "threshold_unit": "m2"}, "'count' or 'count_per_household'"),
        ({"metric": "per_100hh", "denominator": "people"}, "denominator 'households' with metric 'per_100hh'"),
        ({"metric": "share_unit", "threshold": 80}, "80 % is threshold = 0.8"),
        ({"services": []}, "a walk leads to a place"),
        ({"measured_by": "other"}, "measured_by only with"),
        ({"combine": "any_of", "parts": ["a", "b"]}, "each part has its own"),
        ({"target": 1.2}, "less than or equal to 1"),
        ({"target_year": 25}, "greater than or equal to 1900"),
    ],
)
def test_a_rule_must_hold_together(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        _rule(**values)


def test_units_and_walker_follow_from_the_metric() -> None:
    assert _rule(metric="walk_min").threshold_unit == "min"
    assert _rule(metric="walk_min").walker == "adult"
    assert _rule().threshold_unit == "m"


def test_list_of_standards() -> None:
    listed = {entry.id: entry for entry in list_standards()}
    assert listed["chengdu"] == Listing(
        "chengdu", "bundle", "成都15分钟社区生活圈 · 15-minute living circle, Chengdu", 35
    )
    assert listed["gb50180-2018"].kind == "standard"
    assert listed["gb50180-2018"].n_rules == 39
    assert [e.id for e in list_standards()][:4] == ["chengdu", "national", "convenience", "international"]
    assert len(listed) == 26


@pytest.mark.parametrize(
    ("bundle", "n_rules", "n_scoring"),
    [("chengdu", 35, 16), ("national", 46, 27), ("convenience", 18, 15), ("international", 15, 5)],
)
def test_bundles(bundle: str, n_rules: int, n_scoring: int) -> None:
    rules = load_standard(bundle)
    assert (rules.kind, len(rules.rules), len(rules.scoring)) == ("bundle", n_rules, n_scoring)


def test_chengdu_scores_the_composite_not_its_parts() -> None:
    rules = load_standard("chengdu")
    walk = rules.rule("park_300_500_walk_network")
    assert walk.combine == "all_of"
    assert walk.parts == ("park_300_500_walk_network_green", "park_300_500_walk_network_park")
    assert walk.id in rules.scoring
    assert not set(walk.parts) & set(rules.scoring)
    assert (walk.name_zh, walk.threshold) == ("300米见绿、500米见园(步行)", None)


@pytest.mark.parametrize("listing", list_standards(), ids=lambda listing: listing.id)
def test_every_set_keeps_the_rules_of_scoring(listing: Listing) -> None:
    rules = load_standard(listing.id)
    services = load_catalogue().services
    ids = [rule.id for rule in rules.rules]
    parts = {part for rule in rules.rules for part in rule.parts}
    scored = [service for rule in rules.scoring_rules for service in rule.services]
    assert len(set(ids)) == len(ids)
    assert parts <= set(ids)
    assert all(rule.default_on for rule in rules.rules)
    assert not any(rule.default_on for rule in rules.off)
    assert not {part for rule in rules.scoring_rules for part in rule.parts} & set(rules.scoring)
    assert len(scored) == len(set(scored))
    for rule in rules.scoring_rules:
        assert rule.metric in ("radius", "walk_m", "walk_min")
        assert all(services[s].theme != "information" for s in rule.services)


@pytest.mark.parametrize("listing", list_standards(), ids=lambda listing: listing.id)
def test_labels_tell_the_rules_of_a_set_apart(listing: Listing) -> None:
    rules = load_standard(listing.id)
    for labels in (
        [r.name_zh for r in (*rules.rules, *rules.off)],
        [r.name_en for r in (*rules.rules, *rules.off)],
    ):
        assert all(labels)
        assert len(set(labels)) == len(labels)
    assert not any(re.search(r"\d_|_\d", rule.name_en) for rule in rules.rules)


@pytest.mark.parametrize(
    ("rule", "chinese", "english"),
    [
        (KINDERGARTEN, "幼儿园 300 米", "Kindergarten 300 m"),
        ("gb50180_2018_convenience", "便利店 每 3000 人 1 处", "Convenience store 1 per 3000 people"),
        (
            "gb50180_2018_activity_ground",
            "儿童、老年人活动场地",
            "Activity ground for children and older people",
        ),
    ],
)
def test_labels(rule: str, chinese: str, english: str) -> None:
    rules = load_standard("gb50180-2018")
    found = next(r for r in (*rules.rules, *rules.off) if r.id == rule)
    assert (found.name_zh, found.name_en) == (chinese, english)


def test_one_standard_scores_the_first_rule_of_each_service() -> None:
    assert load_standard("who-2016").scoring == ("who_2016_green_core",)
    assert load_standard("ghsci").scoring == (
        "ghsci_food",
        "ghsci_convenience",
        "ghsci_public_transport",
        "ghsci_open_space",
    )
    assert load_standard("park-300-500").scoring == ("park_300_500_walk_network",)
    assert "city_checkup_park_radius" in load_standard("city-checkup").scoring
    national = [id_ for id_ in load_standard("national").scoring if id_.startswith("gb50180")]
    assert set(load_standard("gb50180-2018").scoring) == set(national)


def test_no_rule_of_an_unsure_figure_is_on() -> None:
    unsure = [r for s in list_standards() if s.kind == "standard" for r in load_standard(s.id).rules if r.mark == "M?"]
    assert unsure == []


def test_a_planner_turns_an_unsure_rule_on_herself(tmp_path: Path) -> None:
    unsure = next(r for r in load_standard("tdt1062-2021").off if r.mark == "M?" and r.threshold)
    rules = load_standard(_own(tmp_path, f'enable = ["{unsure.id}"]'))
    assert [r.id for r in rules.rules] == [unsure.id]
    assert rules.rules[0].mark == "M?"


def test_rules_for_towns_stay_rules_for_towns_when_changed(tmp_path: Path) -> None:
    text = f'extends = "chengdu"\n[[rule]]\nid = "{KINDERGARTEN}"\nthreshold = 500\ncitation = "ours"'
    rules = load_standard(_own(tmp_path, text))
    assert (rules.rule(KINDERGARTEN).standard, rules.rule(KINDERGARTEN).applies_to) == ("mine", "urban")
    assert rules.rule("park_300_500_walk_network").applies_to == "all"  # the municipal slogan is for everybody


def test_a_share_of_land_brings_the_rule_that_measures_it() -> None:
    rules = load_standard("gb55014-2021")
    assert rules.rule("gb55014_2021_park_coverage").measured_by == "city_checkup_park_radius"
    assert {"city_checkup_park_radius_500", "city_checkup_park_radius_300"} <= {r.id for r in rules.rules}
    assert rules.scoring == ()  # they measure, they do not score


def test_rules_of_unsure_figure_stay_off() -> None:
    rules = load_standard("tdt1062-2021")
    assert rules.rules == ()
    assert len(rules.off) == 16


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("chengdoo", "chengdu"), ("gb50180", "gb50180-2018"), ("Chengdu", "chengdu"), ("zzzzzz", None)],
)
def test_unknown_name_lists_the_bundles(name: str, nearest: str | None) -> None:
    with pytest.raises(InputError, match="chengdu, national, convenience, international") as caught:
        load_standard(name)
    assert (f"did you mean {nearest!r}?" in str(caught.value)) is (nearest is not None)
    assert "\n" not in str(caught.value)


def test_missing_file() -> None:
    with pytest.raises(InputError, match=r"no file of this name; got nowhere\.toml"):
        load_standard("nowhere.toml")


def test_own_file_extends_a_bundle(tmp_path: Path) -> None:
    path = _own(
        tmp_path,
        """
        title_zh = "我们的生活圈"
        extends = "chengdu"
        retire = ["gb50180_2018_nursery"]
        enable = ["tdt1062_2021_nursing_home"]

        [[rule]]
        id = "our_library"
        services = ["library"]
        metric = "walk_min"
        threshold = 10
        walker = "elder"
        citation = "our plan 3.2"

        [[rule]]
        id = "gb50180_2018_kindergarten"
        threshold = 500
        citation = "our plan 3.3"

        [[verified]]
        rule = "gb50180_2018_primary_school"
        by = "Wang"
        date = 2025-03-01
        page = 31
        """,
    )
    rules, base = load_standard(path), load_standard("chengdu")
    assert (rules.id, rules.kind, rules.title_zh, rules.title_en) == (
        "mine",
        "file",
        "我们的生活圈",
        "15-minute living circle, Chengdu",
    )
    kept = tuple(id_ for id_ in base.scoring if id_ != "gb50180_2018_nursery")
    assert rules.scoring == (*kept, "tdt1062_2021_nursing_home", "our_library")
    library = rules.rule("our_library")
    assert (library.standard, library.threshold_unit, library.mark) == ("mine", "min", "M?")
    assert (library.name_zh, library.name_en) == ("图书馆 步行 10 分钟", "Library 10 min walk")
    changed = rules.rule(KINDERGARTEN)
    assert (changed.threshold, changed.citation, changed.standard) == (500, "our plan 3.3", "mine")
    assert (changed.name_zh, changed.confidence, changed.group) == ("幼儿园 500 米", "", "age_3_6")
    verified = rules.rule("gb50180_2018_primary_school")
    assert (verified.mark, verified.verified_by) == ("", "Wang, 2025-03-01, p. 31")
    with pytest.raises(KeyError, match="gb50180_2018_nursery"):
        rules.rule("gb50180_2018_nursery")
    assert rules.rule("tdt1062_2021_nursing_home").default_on
    assert load_standard("chengdu").rule(KINDERGARTEN).threshold == 300


def test_verifying_a_binding_rule_lets_it_fail_publicly(tmp_path: Path) -> None:
    verified = f'[[verified]]\nrule = "{WASTE_POINT}"\nby = "Wang"\ndate = "2025"\npage = "31"'
    assert not load_standard("gb50180-2018").rule(WASTE_POINT).may_fail_publicly
    rules = load_standard(_own(tmp_path, f'extends = "gb50180-2018"\n{verified}'))
    assert rules.rule(WASTE_POINT).may_fail_publicly


def test_a_label_may_change_without_a_citation(tmp_path: Path) -> None:
    text = f'extends = "chengdu"\n[[rule]]\nid = "{KINDERGARTEN}"\nname_zh = "公办园 300 米"'
    rule = load_standard(_own(tmp_path, text)).rule(KINDERGARTEN)
    assert (rule.name_zh, rule.standard, rule.mark) == ("公办园 300 米", "gb50180-2018", "M+")


def test_a_changed_metric_takes_its_own_unit(tmp_path: Path) -> None:
    text = (
        f'extends = "chengdu"\n[[rule]]\nid = "{KINDERGARTEN}"\nmetric = "walk_min"\nthreshold = 5\n'
        'walker = "caregiver_small_child"\ncitation = "ours"'
    )
    rule = load_standard(_own(tmp_path, text)).rule(KINDERGARTEN)
    assert (rule.threshold_unit, rule.walker) == ("min", "caregiver_small_child")


def test_enabling_a_composite_enables_its_parts(tmp_path: Path) -> None:
    rules = load_standard(_own(tmp_path, 'enable = ["gbt50563_2010_county"]'))
    assert [rule.id for rule in rules.rules] == [
        "gbt50563_2010_county_500",
        "gbt50563_2010_county_300",
        "gbt50563_2010_county",
    ]
    assert rules.scoring == ("gbt50563_2010_county",)


def test_own_file_may_extend_another_and_name_the_score(tmp_path: Path) -> None:
    _own(tmp_path, 'extends = "chengdu"\nretire = ["gb50180_2018_nursery"]', "city.toml")
    path = _own(tmp_path, f'extends = "city.toml"\nscoring = ["{KINDERGARTEN}"]', "district.toml")
    rules = load_standard(str(path))
    assert len(rules.rules) == 34
    assert rules.scoring == (KINDERGARTEN,)


def test_own_file_that_extends_itself(tmp_path: Path) -> None:
    _own(tmp_path, 'extends = "b.toml"', "a.toml")
    _own(tmp_path, 'extends = "a.toml"', "b.toml")
    with pytest.raises(InputError, match=r"a\.toml extends itself"):
        load_standard(tmp_path / "a.toml")


def test_own_file_that_extends_nothing_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine\.toml, extends: .*did you mean 'chengdu'"):
        load_standard(_own(tmp_path, 'extends = "chengdo"'))


def test_services_of_the_users_catalogue(tmp_path: Path) -> None:
    services = _own(
        tmp_path,
        '[[service]]\nid = "tea_house"\nname_zh = "茶馆"\nname_en = "tea house"\ntheme = "convenience"\n'
        'kind = "point"\nosm = ["shop=tea"]',
        "services.toml",
    )
    path = _own(
        tmp_path,
        '[[rule]]\nid = "tea"\nservices = ["tea_house"]\nmetric = "walk_m"\nthreshold = 300\ncitation = "x"',
    )
    rules = load_standard(path, catalogue=load_catalogue(services))
    assert rules.rule("tea").name_zh == "茶馆 步行 300 米"
    assert rules.scoring == ("tea",)
    with pytest.raises(InputError, match="unknown service; got 'tea_house'"):
        load_standard(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("extend = 'chengdu'", "mine.toml: unknown key; got 'extend'; remedy: did you mean 'extends'?"),
        (
            "[[rule]]\nid = 'x'\nmetric = 'radius'\ntreshold = 300",
            "mine.toml, rule 'x': unknown key; got 'treshold'; remedy: did you mean 'threshold'?",
        ),
        (
            "[[rule]]\nid = 'x'\nmetric = 'radios'\nthreshold = 3",
            "metric; got 'radios'; expected 'radius', 'walk_m'",
        ),
        ("[[rule]]\nid = 'x'\nmetric = 'radios'\nthreshold = 3", "remedy: did you mean 'radius'?"),
        ("[[rule]]\nid = 'x'\nmetric = 'radius'\nthreshold = 3\nbound = 'shall'", "expected 'must', 'recommended'"),
        (
            f"extends = 'chengdu'\n[[verified]]\nrule = '{KINDERGARTEN}'\nby = 'W'\npage = 1\ndate = 'soon'",
            "mine.toml, verified: date",
        ),
        ("[[rule]]\nid = 'x'\nthreshold = 3", "mine.toml, rule 'x': the key metric is missing"),
        ("[[rule]]\nmetric = 'radius'", "mine.toml: rule 1 has no id; remedy: add id = …"),
        (
            "[[rule]]\nid = 'x'\nmetric = 'radius'\nthreshold = 3\nservices = ['kindergarden']",
            "unknown service; got 'kindergarden'; remedy: did you mean 'kindergarten'?",
        ),
        (
            f"extends = 'chengdu'\n[[rule]]\nid = '{KINDERGARTEN}'\nthreshold = 500",
            "what the clause says is changed but not its citation",
        ),
        (  # whether 不达标 may be said hangs on the force of the clause
            f"extends = 'chengdu'\n[[rule]]\nid = '{KINDERGARTEN}'\nbound = 'must'",
            "what the clause says is changed but not its citation",
        ),
        (
            f"extends = 'chengdu'\n[[rule]]\nid = '{KINDERGARTEN}'\nverified_by = 'me'",
            "verified_by is not written in a rule; remedy: write [[verified]] with rule, by, date and page",
        ),
        (
            "extends = 'chengdu'\nretire = ['gb50180_2018_kindergarden']",
            f"retire: unknown rule; got 'gb50180_2018_kindergarden'; remedy: did you mean '{KINDERGARTEN}'?",
        ),
        (
            "enable = ['nothing_like_it_at_all']",
            "mine.toml, enable: unknown rule; got 'nothing_like_it_at_all'",
        ),
        ("enable = ['gb50180_2018_toilet']", "rule 'gb50180_2018_toilet' has no figure to test"),
        (
            "extends = 'chengdu'\n[[verified]]\nrule = 'x'\nby = 'W'\ndate = 2025-01-01\npage = 1",
            "mine.toml, verified: unknown rule; got 'x'",
        ),
        (
            f"extends = 'chengdu'\n[[verified]]\nrule = '{KINDERGARTEN}'\nby = 'W'\npage = 1",
            "mine.toml, verified: the key date is missing",
        ),
        ("extends = 'chengdu'\nscoring = ['x']", "mine.toml, scoring: unknown rule; got 'x'"),
        (
            "extends = 'chengdu'\nscoring = ['gb50180_2018_parking']",
            "asks for 'parking', which is shown for information only",
        ),
        (
            "extends = 'chengdu'\nscoring = ['park_300_500_five_minute', 'park_300_500_walk_network']",
            "'park' scores twice; got 'park_300_500_five_minute' and 'park_300_500_walk_network'",
        ),
        (
            "extends = 'chengdu'\nscoring = ['chengdu_policy_service_per_100hh']",
            "measures no distance or minutes to a service; got per_100hh",
        ),
        (
            "extends = 'chengdu'\nretire = ['park_300_500_walk_network_park']",
            "'park_300_500_walk_network' is made of 'park_300_500_walk_network_park', which is not among",
        ),
    ],
)
def test_faults_of_an_own_file(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        load_standard(_own(tmp_path, text))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    text = (
        "extends = 'chengdu'\nretire = ['a']\nenable = ['b']\n"
        "[[rule]]\nid = 'x'\nmetrik = 'radius'\n[[rule]]\nid = 'y'\nmetric = 'radius'\nthreshold = -1"
    )
    with pytest.raises(InputError) as caught:
        load_standard(_own(tmp_path, text))
    for part in (
        "retire: unknown rule",
        "enable: unknown rule",
        "'metrik'",
        "metric is missing",
        "rule 'y': threshold",
    ):
        assert part in str(caught.value)


def test_describe_names_clause_confidence_and_state() -> None:
    lines = describe(load_standard("chengdu"))
    assert len(lines) == 35
    assert lines[0] == (
        "gb50180_2018_junior_secondary | 初中 1000 米 | Junior secondary school 1000 m | 1000 m | "
        "GB 50180-2018 表 C.0.1 | M+; same radius in older tables V2:S55 | scores"
    )
    walk = next(line for line in lines if line.startswith("park_300_500_walk_network |"))
    assert "all_of: park_300_500_walk_network_green, park_300_500_walk_network_park" in walk
    assert sum(line.endswith("| off") for line in describe(load_standard("gb50180-2018"))) == 21


def test_describe_unverified_only(tmp_path: Path) -> None:
    path = _own(
        tmp_path,
        f'extends = "chengdu"\n[[verified]]\nrule = "{KINDERGARTEN}"\nby = "Wang"\ndate = 2025-03-01\npage = 31',
    )
    every, unverified = describe(load_standard(path)), describe(load_standard(path), unverified_only=True)
    assert any(KINDERGARTEN in line and "verified by Wang, 2025-03-01, p. 31" in line for line in every)
    assert not any(KINDERGARTEN in line or "V:SD3" in line for line in unverified)
    assert any("gb50180_2018_primary_school" in line for line in unverified)


def test_the_checklist_of_all_standards_names_each_rule_once() -> None:
    lines = checklist()
    known = [r for s in list_standards() if s.kind == "standard" for r in _all(s.id) if r.mark not in ("", "V")]
    assert sorted(line.split(" | ")[0] for line in lines) == sorted({r.id for r in known})
    assert len(lines) == len(set(lines))
    assert checklist("chengdu") == describe(load_standard("chengdu"), unverified_only=True)


def _all(standard: str) -> list[Rule]:
    rules = load_standard(standard)
    return [r for r in (*rules.rules, *rules.off) if r.standard == standard]


def test_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[1] / "docs" / "standards.md"
    assert page.read_text(encoding="utf-8") == reference_page(), (
        "run: python -m livingcircle.standards_page > docs/standards.md"
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _text(value: object) -> str:
    """Write a value as the table does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


@pytest.mark.realdata
def test_every_figure_of_the_table(real_data: Path) -> None:
    joiner = {"any_of": " | ", "all_of": " & ", "sum_of": " + "}
    table = _rows(real_data.parent / "standards.csv")
    sets = {row["standard"]: load_standard(row["standard"]) for row in table}
    rules = {rule.id: rule for known in sets.values() for rule in (*known.rules, *known.off)}
    assert set(rules) == {row["rule_id"] for row in table}
    for row in table:
        rule = rules[row["rule_id"]]
        made_of = f"{rule.combine}: {joiner[rule.combine].join(rule.parts)}" if rule.combine else ""
        encoded = {name: _text(getattr(rule, name)) for name in row if name not in ("rule_id", "service", "note")}
        encoded |= {
            "rule_id": rule.id,
            "service": "|".join(rule.services),
            "note": "; ".join(part for part in (made_of, rule.note) if part),
        }
        assert encoded == row
        assert rule.max_site_m2 is None


@pytest.mark.realdata
def test_every_line_of_the_bundles(real_data: Path) -> None:
    table = _rows(real_data.parent / "bundles.csv")
    assert table == [
        {"bundle": bundle.id, "rule_id": rule.id, "scores": _text(rule.id in bundle.scoring)}
        for bundle in (load_standard(id_) for id_ in dict.fromkeys(row["bundle"] for row in table))
        for rule in bundle.rules
    ]


def test_a_rule_in_minutes_may_name_a_walker_of_the_study(tmp_path: Path) -> None:
    own = (
        '[[rule]]\nid = "slow"\nservices = ["pharmacy"]\nmetric = "walk_min"\nthreshold = 10\nwalker = "rollator"\n'
        'citation = "ours"\n'
    )
    path = tmp_path / "own.toml"
    path.write_text(own, encoding="utf-8")
    wanted = (
        r"rule slow: there is no walker 'rollator'; .*write \[\[walker_settings\]\] name = \"rollator\" in the study"
    )
    with pytest.raises(InputError, match=wanted):
        load_standard(path)
    study = Study(
        standard=str(path),
        streets={"osm": "town.osm"},
        communities={"make": "grid:500"},
        walker_settings=({"name": "rollator", "speed_m_s": 0.6},),
    )
    assert load_standard(path, walkers=study.profiles()).rule("slow").walker == "rollator"
    assert load_standard(path, walkers=None).rule("slow").walker == "rollator"
    path.write_text(own.replace("rollator", "eldr"), encoding="utf-8")
    with pytest.raises(InputError, match=r"no walker 'eldr'; .*did you mean 'elder'\?"):
        load_standard(path, walkers=study.profiles())
