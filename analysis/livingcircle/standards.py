"""Standards, bundles and a planner's own rules: find them, read them, list them.

Every standard is one TOML file under ``data/standards``; ``data/bundles.toml`` chooses rules for a run.
A file of one's own takes a bundle or standard as it is and adds, changes, retires, enables or verifies rules:

.. code-block:: toml

    extends = "chengdu"
    retire = ["gb50180_2018_nursery"]
    enable = ["gb50180_2018_nursing_home"]      # rules that are off by default

    [[rule]]                                    # a new id adds, a known id changes the keys that are written
    id = "our_kindergarten"
    services = ["kindergarten"]
    metric = "walk_m"
    threshold = 500
    citation = "our plan, clause 3.2"

    [[verified]]                                # compared with the printed standard: the mark goes
    rule = "gb50180_2018_kindergarten"
    by = "Wang"
    date = 2025-03-01
    page = "31"
"""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from livingcircle.rule_text import figure, with_labels
from livingcircle.rules import Rule, RuleSet, scoring_order
from livingcircle.walkers import WALKERS
from livingcircle_layers.catalogue import Catalogue, load_catalogue
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.typed_toml import checked, nearest, read_toml, unknown_word

__all__ = ["Listing", "Rule", "RuleSet", "describe", "list_standards", "load_standard"]

DATA = Path(__file__).parent / "data"
# Figures of a clause, its force, and whom it is for: whoever changes one of them has to say where that stands.
_CLAUSE_KEYS = frozenset(
    {
        "metric",
        "threshold",
        "threshold_unit",
        "min_site_m2",
        "max_site_m2",
        "min_floor_m2",
        "target",
        "services",
        "bound",
        "provision",
        "group",
        "walker",
        "denominator",
    }
)


class Listing(NamedTuple):
    """One line of the list of standards."""

    id: str
    kind: str
    title: str
    n_rules: int


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _StandardFile(_Frozen):
    id: str
    title_zh: str
    title_en: str
    issuer: str = ""
    date: str = ""
    note: str = ""
    applies_to: Literal["all", "urban"] = "all"  # of every rule that does not say it itself
    scoring: tuple[str, ...] | None = None
    rule: tuple[dict[str, Any], ...]


class _Bundle(_Frozen):
    id: str
    title_zh: str
    title_en: str
    rules: tuple[str, ...]
    scores: tuple[str, ...]


class _Verified(_Frozen):
    rule: str
    by: str = Field(min_length=1)
    date: datetime.date | Annotated[str, Field(pattern=r"^\d{4}(-\d{2}){0,2}$")]
    page: int | Annotated[str, Field(min_length=1)]

    @property
    def text(self) -> str:
        return f"{self.by}, {self.date}, p. {self.page}"


class _OwnFile(_Frozen):
    """The keys of a planner's own file."""

    id: str = ""
    title_zh: str = ""
    title_en: str = ""
    note: str = ""
    extends: str = ""
    retire: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()
    scoring: tuple[str, ...] | None = None
    rule: tuple[dict[str, Any], ...] = ()
    verified: tuple[dict[str, Any], ...] = ()


class _Library(NamedTuple):
    standards: Mapping[str, _StandardFile]
    bundles: Mapping[str, _Bundle]
    rules: Mapping[str, Rule]


@functools.cache
def _library() -> _Library:
    """Read all built-in files; a fault in them is a fault of the package and named like any other."""
    faults: list[str] = []
    standards: dict[str, _StandardFile] = {}
    rules: dict[str, Rule] = {}
    services = load_catalogue().services
    for path in sorted((DATA / "standards").glob("*.toml")):
        standard = checked(_StandardFile, read_toml(path), where=path.name, faults=faults)
        if standard is None:
            continue
        standards[standard.id] = standard
        for raw in standard.rule:
            told = {"applies_to": standard.applies_to, **raw}
            rule = _checked_rule(told, standard.id, path.name, services, faults)
            if rule is not None and rule.id in rules:
                faults.append(sentence(f"{path.name}: two rules have the same id", got=repr(rule.id)))
            elif rule is not None:
                rules[rule.id] = with_labels(rule, services)
    raw_bundles = read_toml(DATA / "bundles.toml")["bundle"]
    bundles = [checked(_Bundle, raw, where="bundles.toml", faults=faults) for raw in raw_bundles]
    for bundle in bundles:
        listed = (*bundle.rules, *bundle.scores) if bundle is not None else ()
        faults += [unknown_word("bundles.toml: unknown rule", id_, rules) for id_ in listed if id_ not in rules]
    if faults:
        raise InputError.of(faults)
    return _Library(
        MappingProxyType(standards),
        MappingProxyType({bundle.id: bundle for bundle in bundles if bundle is not None}),
        MappingProxyType(rules),
    )


def _checked_rule(
    raw: Mapping[str, Any], standard: str, where: str, services: Mapping[str, Any], faults: list[str]
) -> Rule | None:
    label = f"{where}, rule {raw.get('id', '?')!r}"
    rule = checked(Rule, {"standard": standard, **raw}, where=label, faults=faults)
    asked = rule.services if rule is not None else ()
    faults += [unknown_word(f"{label}: unknown service", s, services) for s in asked if s not in services]
    return rule


def list_standards() -> list[Listing]:
    """List bundles, then standards: id, kind, title, number of rules that are on."""
    library = _library()
    listed = [Listing(b.id, "bundle", f"{b.title_zh} · {b.title_en}", len(b.rules)) for b in library.bundles.values()]
    for id_, standard in library.standards.items():
        on = sum(rule.default_on for rule in library.rules.values() if rule.standard == id_)
        listed.append(Listing(id_, "standard", f"{standard.title_zh} · {standard.title_en}", on))
    return listed


def stated(id_: str) -> list[str]:
    """Return what is known of a standard beside its rules: issuer and date, and a note."""
    standard = _library().standards.get(id_)
    if standard is None:
        return []
    origin = ", ".join(part for part in (standard.issuer, standard.date) if part)
    return [text for text in (origin, standard.note) if text]


def load_standard(
    name_or_path: str | Path, *, catalogue: Catalogue | None = None, walkers: Collection[str] | None = tuple(WALKERS)
) -> RuleSet:
    """Return the rules of a bundle, of one standard, or of a planner's own TOML file.

    Parameters
    ----------
    name_or_path
        ``chengdu``, ``gb50180-2018``, or the path of a file.
    catalogue
        The services that rules may name; the built-in ones by default.
    walkers
        The walkers that rules in minutes may name: of a study `Study.profiles`. None: any, as before a study is known.

    Raises
    ------
    InputError
        No bundle, standard or file has this name.
    InputError
        The file has faults; all of them are named at once.

    Examples
    --------
    >>> load_standard("chengdu").scoring[:2]
    ('gb50180_2018_junior_secondary', 'gb50180_2018_community_health_centre')
    """
    rules = _load(name_or_path, catalogue or load_catalogue(), folder=Path(), chain=())
    if walkers is not None:
        _check_walkers(rules, walkers)
    return rules


def _check_walkers(rules: RuleSet, known: Collection[str]) -> None:
    """Refuse rules in minutes of somebody who is no walker; one of the planner's own stands in her study."""
    faults = []
    for rule in rules.rules:
        if rule.walker and rule.walker not in known:
            close = nearest(rule.walker, known)
            own = f'[[walker_settings]] name = "{rule.walker}" in the study, if it is a walker of your own'
            faults.append(
                sentence(
                    f"{rules.id}: rule {rule.id}: there is no walker {rule.walker!r}",
                    expected=", ".join(known),
                    remedy=f"did you mean {close!r}? or write {own}" if close else f"write {own}",
                )
            )
    if faults:
        raise InputError.of(faults)


def _load(name: str | Path, catalogue: Catalogue, *, folder: Path, chain: tuple[Path, ...]) -> RuleSet:
    library = _library()
    if isinstance(name, str):
        if name in library.bundles:
            return _bundle_set(library.bundles[name])
        if name in library.standards:
            return _standard_set(library.standards[name], catalogue)
    path = folder / name
    if isinstance(name, Path) or path.suffix == ".toml" or os.sep in str(name):
        if not path.is_file():
            raise InputError("there is no file of this name", got=str(path), expected=_what_exists())
        return _file_set(path, catalogue, chain)
    raise InputError(
        f"there is no standard or bundle {name!r}",
        expected=_what_exists(),
        remedy=f"did you mean {close!r}?" if (close := _near_name(str(name))) else None,
    )


def _near_name(name: str) -> str | None:
    return nearest(name.casefold(), [*_library().bundles, *_library().standards])


def _what_exists() -> str:
    bundles = ", ".join(_library().bundles)
    return f"a bundle ({bundles}), a standard (see: livingcircle standards) or the path of a TOML file"


def _bundle_set(bundle: _Bundle) -> RuleSet:
    rules = tuple(_library().rules[id_] for id_ in bundle.rules)
    return RuleSet(bundle.id, bundle.title_zh, bundle.title_en, "bundle", rules, bundle.scores)


def _standard_set(standard: _StandardFile, catalogue: Catalogue) -> RuleSet:
    library = _library().rules
    every = [rule for rule in library.values() if rule.standard == standard.id]
    own = [rule for rule in every if rule.default_on]
    on = {rule.id: rule for rule in own}
    for rule in [rule for rule in own if rule.measured_by]:  # another standard says how it is measured
        on |= {id_: library[id_] for id_ in (*library[rule.measured_by].parts, rule.measured_by)}
    rules = tuple(on.values())
    scoring = standard.scoring if standard.scoring is not None else scoring_order(own, catalogue=catalogue)
    off = tuple(rule for rule in every if not rule.default_on)
    return RuleSet(standard.id, standard.title_zh, standard.title_en, "standard", rules, scoring, off)


def _file_set(path: Path, catalogue: Catalogue, chain: tuple[Path, ...]) -> RuleSet:
    faults: list[str] = []
    where = path.name
    if path.resolve() in chain:
        raise InputError(f"{where} extends itself", remedy="let extends name another file, a bundle or a standard")
    own = checked(_OwnFile, read_toml(path), where=where, faults=faults)
    if own is None:
        raise InputError.of(faults)
    base = RuleSet("", "", "", "file", (), ())
    if own.extends:
        try:
            base = _load(own.extends, catalogue, folder=path.parent, chain=(*chain, path.resolve()))
        except InputError as error:
            raise InputError(f"{where}, extends: {error}") from error
    id_ = own.id or path.stem
    rules = {rule.id: rule for rule in base.rules}
    offered = {**_library().rules, **{rule.id: rule for rule in base.off}, **rules}
    _enable(own, rules, offered, where, faults)
    _change(own, rules, id_, where, catalogue, faults)
    _retire(own, rules, where, faults)
    _verify(own, rules, where, faults)
    scoring = _scoring(own, base, rules, where, catalogue, faults)
    _check_parts(rules, where, faults)
    if faults:
        raise InputError.of(faults)
    return RuleSet(
        id_,
        own.title_zh or base.title_zh or id_,
        own.title_en or base.title_en or id_,
        "file",
        tuple(rules.values()),
        scoring,
        tuple(rule for rule in base.off if rule.id not in rules),
    )


def _enable(own: _OwnFile, rules: dict[str, Rule], offered: Mapping[str, Rule], where: str, faults: list[str]) -> None:
    for id_ in own.enable:
        if id_ not in offered:
            faults.append(unknown_word(f"{where}, enable: unknown rule", id_, offered))
        elif offered[id_].threshold is None and offered[id_].combine is None:
            faults.append(
                sentence(
                    f"{where}, enable: rule {id_!r} has no figure to test",
                    remedy="write it as [[rule]] of your own, with a threshold and its citation",
                )
            )
        else:
            by = offered[id_].measured_by
            for needed in (*offered[id_].parts, *(offered[by].parts if by else ()), *([by] if by else []), id_):
                rules.setdefault(needed, offered[needed].model_copy(update={"default_on": True}))


def _change(
    own: _OwnFile, rules: dict[str, Rule], standard: str, where: str, catalogue: Catalogue, faults: list[str]
) -> None:
    seen: set[str] = set()
    for number, raw in enumerate(own.rule, start=1):
        id_ = raw.get("id")
        if not isinstance(id_, str):
            faults.append(sentence(f"{where}: rule {number} has no id", remedy="add id = …"))
            continue
        if id_ in seen:
            faults.append(sentence(f"{where}: two rules have the same id", got=repr(id_)))
        seen.add(id_)
        if "verified_by" in raw:
            faults.append(sentence(f"{where}, rule {id_!r}: verified_by is not written in a rule",
                                   remedy="write [[verified]] with rule, by, date and page"))  # fmt: skip
        old = rules.get(id_) or _library().rules.get(id_)
        known = _library().standards.get(str(raw.get("standard", standard)))
        told = {"applies_to": known.applies_to, **raw} if known else raw
        merged = told if old is None else _changed(old, raw, standard, where, faults)
        rule = _checked_rule(merged, standard, where, catalogue.services, faults)
        if rule is not None:
            rules[rule.id] = with_labels(rule, catalogue.services)


def _changed(old: Rule, raw: Mapping[str, Any], standard: str, where: str, faults: list[str]) -> dict[str, Any]:
    """Lay the written keys over a known rule.

    What is changed is no longer what the standard says: it needs a citation, and loses label and confidence.
    """
    before = old.model_dump(exclude_defaults=True)
    merged = {**before, "default_on": True, **raw}
    if all(key not in raw or raw[key] == before.get(key) for key in _CLAUSE_KEYS):
        return merged
    if "citation" not in raw:
        faults.append(
            sentence(
                f"{where}, rule {old.id!r}: what the clause says is changed but not its citation",
                remedy='add citation = "…", the clause or decision that says so',
            )
        )
    stale = {"name_zh", "name_en", "confidence", "verified_by"}
    if raw.get("metric", old.metric) != old.metric:
        stale |= {"threshold_unit", "walker"}
    return {key: value for key, value in merged.items() if key in raw or key not in stale} | {
        "standard": raw.get("standard", standard)
    }


def _retire(own: _OwnFile, rules: dict[str, Rule], where: str, faults: list[str]) -> None:
    faults += [unknown_word(f"{where}, retire: unknown rule", id_, rules) for id_ in own.retire if id_ not in rules]
    for id_ in own.retire:
        rules.pop(id_, None)


def _verify(own: _OwnFile, rules: dict[str, Rule], where: str, faults: list[str]) -> None:
    for raw in own.verified:
        entry = checked(_Verified, raw, where=f"{where}, verified", faults=faults)
        if entry is None:
            continue
        if entry.rule not in rules:
            faults.append(unknown_word(f"{where}, verified: unknown rule", entry.rule, rules))
        else:
            rules[entry.rule] = rules[entry.rule].model_copy(update={"verified_by": entry.text})


def _scoring(
    own: _OwnFile,
    base: RuleSet,
    rules: Mapping[str, Rule],
    where: str,
    catalogue: Catalogue,
    faults: list[str],
) -> tuple[str, ...]:
    if own.scoring is None:
        kept = [id_ for id_ in base.scoring if id_ in rules and rules[id_].by_distance]
        written = {raw.get("id") for raw in own.rule}
        shown = {rule.id for rule in base.rules if rule.id not in written and rule.id not in kept}
        return scoring_order(list(rules.values()), first=kept, shown=shown, catalogue=catalogue)
    taken: dict[str, str] = {}
    for id_ in own.scoring:
        rule = rules.get(id_)
        if rule is None:
            faults.append(unknown_word(f"{where}, scoring: unknown rule", id_, rules))
            continue
        faults += [f"{where}, scoring: {fault}" for fault in _why_not(rule, taken, catalogue)]
        taken.update(dict.fromkeys(rule.services, id_))
    return own.scoring


def _why_not(rule: Rule, taken: Mapping[str, str], catalogue: Catalogue) -> list[str]:
    """Say why a rule cannot score: its measure, its theme, or a service that scores already."""
    reasons = []
    if not rule.by_distance or not rule.services:
        reasons.append(sentence(f"rule {rule.id!r} measures no distance or minutes to a service", got=rule.metric))
    for service in rule.services:
        if service in taken:
            reasons.append(
                sentence(f"{service!r} scores twice", got=f"{taken[service]!r} and {rule.id!r}", remedy="keep one")
            )
        if service in catalogue.services and catalogue.services[service].theme == "information":
            reasons.append(f"rule {rule.id!r} asks for {service!r}, which is shown for information only")
    return reasons


def _check_parts(rules: Mapping[str, Rule], where: str, faults: list[str]) -> None:
    """Complain about rules whose parts, or whose measure, are missing."""
    faults += [
        sentence(
            f"{where}: rule {rule.id!r} is made of {part!r}, which is not among the rules",
            remedy=f"retire {rule.id!r} too, or keep {part!r}",
        )
        for rule in rules.values()
        for part in (*rule.parts, *([rule.measured_by] if rule.measured_by else []))
        if part not in rules
    ]


def describe(rules: RuleSet, *, unverified_only: bool = False) -> list[str]:
    """Write one line per rule: id, label, figure, clause, confidence, and whether it scores.

    Parameters
    ----------
    rules
        What :func:`load_standard` returned. Rules that are off are listed last.
    unverified_only
        Leave out rules whose figure was seen in the text itself or verified by the user.
    """
    return [
        " | ".join(cells(rule, rules))
        for rule in (*rules.rules, *rules.off)
        if not (unverified_only and rule.mark in ("", "V"))
    ]


def checklist(name: str | Path | None = None) -> list[str]:
    """Write what a planner has still to compare with the printed standards, one line per rule.

    Parameters
    ----------
    name
        Bundle, standard or file of one's own; by default all standards, each rule once.
    """
    names = [entry.id for entry in list_standards() if entry.kind == "standard"] if name is None else [name]
    lines = [line for one in names for line in describe(load_standard(one, walkers=None), unverified_only=True)]
    return list(dict.fromkeys(lines))


def cells(rule: Rule, rules: RuleSet) -> tuple[str, ...]:
    """Return a rule in words: id, labels, figure, clause, how it is known, and its state in the set."""
    state = "scores" if rule.id in rules.scoring else "shown" if rule in rules.rules else "off"
    known = f"{rule.mark} ({rule.confidence or 'not stated'})"
    if rule.confidence.startswith(rule.mark) and rule.mark:
        known = rule.confidence
    if rule.verified_by:
        known = f"verified by {rule.verified_by}"
    made_of = f"{rule.combine}: {', '.join(rule.parts)}" if rule.combine else figure(rule)[1] or "no figure"
    return rule.id, rule.name_zh, rule.name_en, made_of, rule.citation or "no clause", known, state
