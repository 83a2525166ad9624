"""The service catalogue: which OSM object or table row provides which service.

The catalogue itself is ``data/services.toml``; a planner's own file adds to it or changes it. The size of a
ground is often not known where its tags are read, so matching has two steps: :meth:`Catalogue.match_osm` and
:meth:`Catalogue.match_row` answer which services a place may provide, and :meth:`Catalogue.sized` keeps those
that its size allows (a small, medium or large sports ground; a garden of 400 to 10 000 m²).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from livingcircle_layers._terms import (
    NAME_KEYS,
    Alternative,
    fold,
    values_of,
    word_pattern,
)
from livingcircle_layers.errors import InputError
from livingcircle_layers.services import THEMES_ZH, Family, Service, Theme
from livingcircle_layers.typed_toml import checked, nearest, read_toml, unknown_word

__all__ = ["THEMES_ZH", "Catalogue", "Family", "Refusal", "Service", "Theme", "load_catalogue"]

SERVICES_FILE = Path(__file__).parent / "data" / "services.toml"

T = TypeVar("T")
SCHOOL_LEVELS = ("primary_school", "junior_secondary", "senior_secondary")

LIFECYCLE = frozenset(
    {
        "disused",
        "abandoned",
        "demolished",
        "razed",
        "removed",
        "ruined",
        "proposed",
        "planned",
        "construction",
    }
)
# A street, a stop or an estate that is merely named after a place is not the place.
_NAMED_AFTER = frozenset(
    {"highway", "railway", "public_transport", "route", "boundary", "place", "waterway", "natural", "landuse"}
    | {"power", "aeroway", "tourism", "shop", "craft", "entrance"}
)
_NAMED_AFTER_AMENITIES = frozenset(
    {
        "restaurant",
        "fast_food",
        "cafe",
        "bar",
        "pub",
        "parking",
        "parking_entrance",
        "bicycle_parking",
        "fuel",
    }
    | {"bank", "atm", "toilets", "charging_station", "bus_station"}
)
# Gates, car parks and toilets of a place are listed by map services as places of their own.
_PART_OF_GROUND = re.compile(
    r"(售票处|检票口|出入口|出口|入口|[东南西北正后侧]\d?号?门"
    r"|\b(?:north|south|east|west|main|back) gate|\bentrance)[)）]?$",
    re.MULTILINE,
)
_PART_OF_ANY = re.compile(
    r"(停车场|停车库|地下车库|卫生间|洗手间|公厕|厕所|\bcar park|\bparking lot|\btoilets?)[)）]?$", re.MULTILINE
)
# The head of a name stands at its end, save for the name of a branch.
_BRANCH = re.compile(r"([(（\[【].*?[)）\]】]|[-—·].*)")
_BRANCH_TAIL = r"(学?校|分校|部|.{0,6}校区|.{0,8}店|[东南西北]区)?$"

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_CODES = re.compile(r"\d{5,6}(\s*[|;,]\s*\d{5,6})*")
_ALTERNATIVE_SEPARATORS = re.compile(r"[;；|/、,，]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a place that looks like a service is none: a blacklist word, or the name of a part of a place."""

    service: str
    rule: Literal["wrong_category", "part_of_place"]
    word: str


class Catalogue:
    """All services, ready to classify OSM objects and table rows.

    Parameters
    ----------
    services
        The services in the order in which they are to be listed.
    families
        The wide categories.
    own
        What a planner's file adds to the built-in catalogue or changes in it.

    Attributes
    ----------
    services
        Services by id, in file order.
    own
        As given: with it `extended_catalogue` makes the same catalogue without the file.
    osm_keys
        An OSM object that carries none of these keys matches nothing; made for a reader's filter.
    tag_keys
        Every key that matching looks at; all other tags may be dropped.
    """

    def __init__(
        self, services: Iterable[Service], families: Iterable[Family] = (), *, own: Mapping[str, Any] = _NOTHING
    ) -> None:
        self.own = own
        self.services: Mapping[str, Service] = MappingProxyType({s.id: s for s in services})
        self._order = {service: rank for rank, service in enumerate(self.services)}
        self._families = tuple(families)
        self._keywords = {s.id: _compiled((*s.keywords_zh, *s.keywords_en)) for s in self.services.values()}
        self._sized = frozenset(s.id for s in self.services.values() if any(alt.sized for alt in s.osm))
        self._by_tag: dict[tuple[str, str], list[tuple[str, Alternative]]] = {}
        self._by_key: dict[str, list[tuple[str, Alternative]]] = {}
        self._by_name: list[tuple[str, Alternative]] = []
        for service in self.services.values():
            for alternative in service.osm:
                self._index(service.id, alternative)
        self._some_name = _compiled(word for id_, alt in self._by_name for word in self._words(id_, alt))
        self._category_words = _longest_first(_words_of_services(self.services.values()))
        self._family_words = _longest_first((fold(w), f) for f in self._families for w in f.words)

        tag_keys = {key for key, _ in self._by_tag} | set(self._by_key)
        self.osm_keys = frozenset(tag_keys | ({"name"} if self._by_name else set()))
        terms = (term for s in self.services.values() for alt in s.osm for term in alt.terms)
        self.tag_keys = self.osm_keys | {t.key for t in terms} | set(NAME_KEYS) | LIFECYCLE | _NAMED_AFTER

    def named(self, word: str) -> str | None:
        """Return the service that has this id or Chinese name, whole or one of several (菜市场、生鲜超市); None: none.

        Examples
        --------
        >>> [load_catalogue().named(word) for word in ("metro", "幼儿园", "菜市场", "托儿所", "幼")]
        ['metro', 'kindergarten', 'fresh_market', 'nursery_0_3', None]
        """
        if word in self.services:
            return word
        known = ((s.id, {s.name_zh, *s.name_zh.partition("(")[0].split("、")}) for s in self.services.values())
        found = [service for service, names in known if word and word in names]
        return found[0] if len(found) == 1 else None

    def _index(self, service: str, alternative: Alternative) -> None:
        for term in alternative.terms:
            if term.op == "=":
                self._by_tag.setdefault((term.key, term.value), []).append((service, alternative))
                return
        for term in alternative.terms:
            if term.op == "*":
                self._by_key.setdefault(term.key, []).append((service, alternative))
                return
        self._by_name.append((service, alternative))

    def _words(self, service: str, alternative: Alternative) -> tuple[str, ...]:
        kept = self.services[service]
        explicit = alternative.name.words if alternative.name else ()
        return (*(explicit or kept.keywords_zh), *kept.keywords_en)

    def match_osm(self, tags: Mapping[str, str]) -> tuple[str, ...]:
        """Return the services that an OSM object may provide, in catalogue order.

        Names with a blacklist word and objects that are closed, planned or being built give none. Conditions
        on size are left open: see :meth:`sized`. Private access is not judged here. Both the station and the
        entrances of a metro match; entrances are where it is entered from.

        Examples
        --------
        >>> load_catalogue().match_osm({"amenity": "school", "name": "双林小学"})
        ('primary_school',)
        """
        return self.classify_osm(tags)[0]

    def classify_osm(self, tags: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
        """Return what `match_osm` does; and where that is nothing, which services its name alone has cost it."""
        candidates = list(self._candidates(tags))
        names = _names(tags)
        if "name" in tags and self._some_name.search(names) and _is_place(tags):
            candidates += self._by_name
        if not candidates or _closed(tags):
            return (), ()
        found = {
            service
            for service, alternative in candidates
            if self._holds(service, alternative, tags, names, site_m2=None)
        }
        return self._weighed(found, names)

    def _candidates(self, tags: Mapping[str, str]) -> Iterator[tuple[str, Alternative]]:
        for key, text in tags.items():
            if key in self._by_key:
                yield from self._by_key[key]
            for value in values_of(key, text):
                yield from self._by_tag.get((key, value), ())

    def _holds(
        self,
        service: str,
        alternative: Alternative,
        tags: Mapping[str, str],
        names: str,
        *,
        site_m2: float | None,
    ) -> bool:
        if not all(term.holds(tags, site_m2) for term in alternative.terms):
            return False
        if alternative.name is None:
            return True
        return _compiled(self._words(service, alternative)).search(names) is not None

    def _weighed(self, services: Iterable[str], text: str) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
        """Return the services that the name allows, in order; and if there are none, what it forbids."""
        ordered = sorted(set(services), key=self._order.__getitem__)
        refusals = {service: self._refusal(service, text) for service in ordered}
        kept = tuple(service for service in ordered if refusals[service] is None)
        return kept, () if kept else tuple(r for r in refusals.values() if r is not None)

    def _refusal(self, service: str, text: str) -> Refusal | None:
        if not text:
            return None
        kind = self.services[service]
        if kind.theme != "information":
            part = _PART_OF_ANY.search(text) or (_PART_OF_GROUND.search(text) if kind.kind == "ground" else None)
            if part:
                return Refusal(service, "part_of_place", part[1])
        word = kind.refused_by(text)
        return None if word is None else Refusal(service, "wrong_category", word)

    def sized(
        self, services: Sequence[str], site_m2: float | None, *, tags: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Keep the services that the size of the ground allows.

        Parameters
        ----------
        services
            What :meth:`match_osm` or :meth:`match_row` answered.
        site_m2
            Size of the ground in m², None or NaN where it is not known. A pitch of unknown size stays
            ``sports_field`` and is no small, medium or large sports ground.
        tags
            The OSM tags, for terms such as ``site_m2<=10000``; with unknown size these terms fail.

        Examples
        --------
        >>> load_catalogue().sized(("sports_field", "large_sports_ground", "small_sports_ground"), 800)
        ('sports_field', 'small_sports_ground')
        """
        known = site_m2 if site_m2 is not None and site_m2 == site_m2 else None  # noqa: PLR0124  NaN differs from itself
        kept = tuple(id_ for id_ in services if self.services[id_].fits_band(known))
        if tags is None or self._sized.isdisjoint(kept):
            return kept
        names = _names(tags)
        return tuple(id_ for id_ in kept if id_ not in self._sized or self._size_allows(id_, tags, names, known))

    def _size_allows(self, id_: str, tags: Mapping[str, str], names: str, site_m2: float | None) -> bool:
        return any(
            (site_m2 is not None or not alternative.sized)
            and self._holds(id_, alternative, tags, names, site_m2=site_m2)
            for alternative in self.services[id_].osm
        )

    def unlevelled_school(self, tags: Mapping[str, str]) -> bool:
        """Tell whether an OSM object is a school of which neither tags nor name tell the level."""
        if "school" not in values_of("amenity", tags.get("amenity", "")) or _closed(tags):
            return False
        if re.search(r"\d", tags.get("isced:level", "")) or set(self.match_osm(tags)) & set(SCHOOL_LEVELS):
            return False
        names = _names(tags)
        return not any(self.services[level].rejects(names) for level in SCHOOL_LEVELS if level in self.services)

    def unplaceable(self) -> list[str]:
        """Return the services that no map data can place: never measured, and always listed as such."""
        return [service.id for service in self.services.values() if not service.spatial]

    def unknown_service(self, service: str) -> InputError:
        """Return the error of a service that does not exist, with the nearest one that does."""
        close = nearest(service, self.services)
        return InputError(
            f"there is no service {service!r}",
            expected="an id of the service catalogue (docs/services.md)",
            remedy=f"did you mean {close!r}?" if close else None,
        )

    def match_row(self, name: str, categories: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the services of a row of a user's table, in catalogue order.

        Parameters
        ----------
        name
            The name of the place; may be empty.
        categories
            The cells of the columns that tell its type, from wide to narrow: Amap codes (``141203``, several
            joined by ``|``; a lost leading zero is put back), Amap type texts (``科教文化服务;学校;小学``),
            Chinese or English words, or ids of services. Codes decide over words; of words the longest that
            is known, and of equal ones the last. A category that only names a wide family (学校) leaves it to
            the name. Without any category the name must end in a keyword.

        Examples
        --------
        >>> load_catalogue().match_row("成都市双林小学", ["学校", "其他学校"])
        ('primary_school',)
        >>> load_catalogue().match_row("成都玉林中学", ["141202"])
        ('junior_secondary',)
        """
        return self.classify_row(name, categories)[0]

    def classify_row(self, name: str, categories: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
        """Return what `match_row` does; and where that is nothing, which services its name alone has cost it."""
        text = fold(name)
        cells = [cell.strip() for cell in categories if cell and cell.strip()]
        codes = [code.zfill(6) for cell in cells if _CODES.fullmatch(cell) for code in re.findall(r"\d+", cell)]
        if codes:
            found, families = self._by_codes(codes, text)
        elif cells:
            found, families = self._by_words(cells)
        else:
            found, families = self._by_head(text), []
        for family in families:
            if family.name_role == "widens" or not self._allowed(found, text):
                found = found | self._told_by_name(family, text)
        return self._weighed(found, text)

    def _allowed(self, services: Iterable[str], text: str) -> set[str]:
        return {service for service in services if not self.services[service].rejects(text)}

    def _told_by_name(self, family: Family, text: str) -> set[str]:
        return {s for s in family.services if s in self.services and self._keywords[s].search(text)}

    def _by_codes(self, codes: Sequence[str], text: str) -> tuple[set[str], list[Family]]:
        found: set[str] = set()
        for code in codes:
            exact: set[str] = set()
            covering: set[str] = set()
            named: set[str] = set()
            for service in self.services.values():
                if any(entry.never and entry.covers(code) for entry in service.amap):
                    continue
                for entry in service.amap:
                    if entry.never or not entry.covers(code):
                        continue
                    by_name = entry.named or (entry.major and entry.code != code)
                    if by_name and not self._keywords[service.id].search(text):
                        continue
                    rank = exact if entry.code == code else named if by_name else covering
                    rank.add(service.id)
            found |= named | (exact or covering)
        families = [
            family
            for family in self._families
            if any(_family_covers(family, code) for code in codes)
            or (found & set(family.services) and family.name_role != "decides")
        ]
        return found, families

    def _by_words(self, cells: Sequence[str]) -> tuple[set[str], list[Family]]:
        best: tuple[int, int] = (0, 0)
        found: set[str] = set()
        families: list[Family] = []
        parts = [fold(p.replace("_", " ")) for c in cells for p in _ALTERNATIVE_SEPARATORS.split(c) if p.strip()]
        for position, part in enumerate(parts):
            exact = [family for word, family, _ in self._family_words if word == part]
            families += exact or [f for word, f, pattern in self._family_words if pattern.search(part)]
            if exact:
                continue
            length, services = self._services_in(part)
            if length and (length, position) >= best:
                best, found = (length, position), services
        if found:
            families = [f for f in self._families if found & set(f.services) and f.name_role != "decides"]
        return found, families

    def _services_in(self, part: str) -> tuple[int, set[str]]:
        longest, found = 0, set[str]()
        for word, service, pattern in self._category_words:
            if len(word) < longest:
                break
            if pattern.search(part) and not self.services[service].rejects(part):
                longest = len(word)
                found.add(service)
        return longest, found

    def _by_head(self, text: str) -> set[str]:
        core = _BRANCH.sub("", text) or text
        return {
            id_
            for id_, service in self.services.items()
            if service.spatial and _ends_in(core, (*service.keywords_zh, *service.keywords_en))
        }


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Return the built-in services, with a planner's own file on top.

    Parameters
    ----------
    extra
        A TOML file with ``[[service]]`` entries. An id that exists changes only the keys that are written;
        a new id adds a service. ``[[family]]`` works in the same way.

    Raises
    ------
    InputError
        Names every fault of the file at once: unknown keys with the nearest legal one, terms that cannot be
        read, families that ask for services that do not exist.
    """
    return _builtin() if extra is None else extended_catalogue(read_toml(extra), extra.name)


def extended_catalogue(own: Mapping[str, Any], where: str) -> Catalogue:
    """Return the built-in services with what a planner's file holds on top.

    Parameters
    ----------
    own
        ``service`` and ``family``, the entries of the file; without any it is the built-in catalogue.
    where
        What errors call the file.

    Raises
    ------
    InputError
        As `load_catalogue`.
    """
    if not own:
        return _builtin()
    faults = [
        unknown_word(f"{where}: unknown key", key, ("service", "family"))
        for key in own
        if key not in ("service", "family")
    ]
    base = read_toml(SERVICES_FILE)
    services = _merged(base["service"], own.get("service", []), where, faults)
    families = _merged(base["family"], own.get("family", []), where, faults)
    return _build(services, families, where, faults, own=own)


@functools.cache
def _builtin() -> Catalogue:
    raw = read_toml(SERVICES_FILE)
    return _build(raw["service"], raw["family"], SERVICES_FILE.name, [])


def _build(
    services: Iterable[Mapping[str, Any]],
    families: Iterable[Mapping[str, Any]],
    where: str,
    faults: list[str],
    *,
    own: Mapping[str, Any] = _NOTHING,
) -> Catalogue:
    known = [checked(Service, raw, where=f"{where}, service {raw.get('id')!r}", faults=faults) for raw in services]
    grouped = [checked(Family, raw, where=f"{where}, family {raw.get('id')!r}", faults=faults) for raw in families]
    ids = [service.id for service in known if service is not None]
    faults += [
        unknown_word(f"{where}, family {family.id!r}: unknown service", service, ids)
        for family in grouped
        if family is not None and not faults
        for service in family.services
        if service not in ids
    ]
    if faults:
        raise InputError.of(faults)
    return Catalogue([s for s in known if s is not None], [f for f in grouped if f is not None], own=own)


def _merged(base: list[dict[str, Any]], own: Any, where: str, faults: list[str]) -> list[dict[str, Any]]:
    if not isinstance(own, list) or not all(isinstance(entry, dict) for entry in own):
        faults.append(f"{where}: write each entry under a heading of its own, such as [[service]]")
        return base
    merged = {entry["id"]: entry for entry in base}
    seen = set[str]()
    for number, entry in enumerate(own, start=1):
        id_ = entry.get("id")
        if not isinstance(id_, str):
            faults.append(f"{where}: entry {number} has no id; remedy: add id = …")
            continue
        if id_ in seen:
            faults.append(f"{where}: entry {number} writes {id_!r} a second time; remedy: put both into one entry")
        seen.add(id_)
        merged[id_] = {**merged.get(id_, {}), **entry}
    return list(merged.values())


@functools.lru_cache(maxsize=512)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(word_pattern(words) or r"(?!)")


def _compiled(words: Iterable[str]) -> re.Pattern[str]:
    return _pattern(tuple(words))


def _names(tags: Mapping[str, str]) -> str:
    return fold("\n".join(tags[key] for key in NAME_KEYS if key in tags))


def _closed(tags: Mapping[str, str]) -> bool:
    if not LIFECYCLE.isdisjoint(tags) and any(tags.get(key) == "yes" for key in LIFECYCLE):
        return True
    return tags.get("building") == "construction"


def _is_place(tags: Mapping[str, str]) -> bool:
    return not (
        tags.get("amenity") in _NAMED_AFTER_AMENITIES
        or any(key in _NAMED_AFTER or key.partition(":")[0] in LIFECYCLE for key in tags)
    )


def _family_covers(family: Family, code: str) -> bool:
    if any(entry.never and entry.covers(code) for entry in family.amap):
        return False
    return any(entry.covers(code) for entry in family.amap)


def _ends_in(core: str, words: Sequence[str]) -> bool:
    return bool(words) and re.search(f"({word_pattern(words)}){_BRANCH_TAIL}", core) is not None


def _words_of_services(services: Iterable[Service]) -> Iterator[tuple[str, str]]:
    for service in services:
        parts = re.split(r"[()（）、·,，]|含", f"{service.name_zh},{service.name_en}")
        words = {service.id.replace("_", " "), *service.keywords_zh, *service.keywords_en, *parts}
        if service.spatial:
            yield from ((fold(word), service.id) for word in words if len(word.strip()) > 1)


def _longest_first(pairs: Iterable[tuple[str, T]]) -> list[tuple[str, T, re.Pattern[str]]]:
    ordered = sorted(pairs, key=lambda pair: -len(pair[0]))
    return [(word, thing, re.compile(word_pattern([word]))) for word, thing in ordered]
