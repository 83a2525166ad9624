"""OpenStreetMap from servers on the network: a place's box from Nominatim, what lies in a box from Overpass.

OSMnx sends the questions and keeps the answers. What is set here, for the time of one download: only the servers that
were named are asked (no redirect to another, no look-up of names elsewhere), and every answer is looked at before it
counts, because a server in need answers with an empty list or half of one, and says so in a remark only.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote_plus, urlsplit

import requests

from livingcircle_layers.boxes import Box, parts_of, shown, turned_about
from livingcircle_layers.errors import InputError, UsageError

Tags = Mapping[str, bool | str | list[str]]
Say = Callable[[str], None]

OVERPASS = "https://overpass-api.de/api"
NOMINATIM = "https://nominatim.openstreetmap.org"
WAITS_S = (15.0, 30.0, 60.0, 120.0)  # between the tries at a busy server, whose slots are free after a minute or two
PART_KM2 = 100.0  # what one question may ask for: a part of a dense city that public servers answer within minutes

_BUSY = (429, 504)
_PROXY_ASKS = 407
DEADLINE = 5.0  # times `Servers.timeout_s`: by then an answer is there as a whole (a judgement)
_LONGEST_S = 86_400  # a day; a computer cannot count beyond some years
_SHOWN = 160  # characters of an answer that an error repeats
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Servers:
    """Whom to ask, through what, and how patiently.

    Attributes
    ----------
    overpass, nominatim
        Base addresses, without ``/interpreter`` and ``/search``.
    proxy
        ``http://host:port``; None: as the environment says.
    timeout_s
        How long a silent server is waited for, and what Overpass may take for one answer. A server that is never
        silent and never done is waited for `DEADLINE` times as long.
    waits_s
        Pauses before a busy server (HTTP 429, 504) is asked again; after the last of them it is an error.
    """

    overpass: str = OVERPASS
    nominatim: str = NOMINATIM
    proxy: str | None = None
    timeout_s: float = 180.0
    waits_s: tuple[float, ...] = WAITS_S

    def __post_init__(self) -> None:
        for option, url in (("--overpass", self.overpass), ("--nominatim", self.nominatim), ("--proxy", self.proxy)):
            if url is not None and not _is_address(url):
                raise UsageError(
                    f"{option} is no address of a server",
                    got=repr(_host(url)) if "@" in url else repr(url),
                    expected="https://host/path or http://host:port",
                )
        if not 0 < self.timeout_s <= _LONGEST_S:
            raise UsageError(
                "--timeout-s is no time to wait", got=f"{self.timeout_s:g}", expected=f"seconds, at most {_LONGEST_S:,}"
            )
        object.__setattr__(self, "overpass", re.sub(r"(/interpreter)?/*$", "", self.overpass))
        object.__setattr__(self, "nominatim", re.sub(r"(/search)?/*$", "", self.nominatim))

    def way(self) -> str:
        """Return in words what lies between here and the servers; "" where nothing does."""
        through = self.proxy or requests.utils.get_environ_proxies(self.overpass).get(urlsplit(self.overpass).scheme)
        return f" through the proxy {_host(through)}" if through else ""

    @property
    def deadline_s(self) -> float:
        """Seconds within which a whole answer must be there."""
        return DEADLINE * self.timeout_s

    @property
    def overpass_host(self) -> str:
        """Name of the Overpass server; no user, no password."""
        return _host(self.overpass)

    @property
    def nominatim_host(self) -> str:
        """Name of the Nominatim server."""
        return _host(self.nominatim)


@dataclass(frozen=True)
class Download:
    """What Overpass holds within a box.

    Attributes
    ----------
    elements
        Nodes, ways and relations by kind and id, as Overpass writes them in JSON.
    date
        Of the oldest database that answered; "" where the server does not say.
    parts, kept, empty
        Number of questions, of answers that were there from an earlier time, and of answers without any element.
    """

    elements: Mapping[str, Mapping[int, Mapping[str, Any]]]
    date: str
    parts: int
    kept: int
    empty: int


class _Busy(Exception):  # noqa: N818  caught here, never seen by a user
    """The server asks to come back later."""

    def __init__(self, status: int, after_s: float) -> None:
        super().__init__(status)
        self.status, self.after_s = status, after_s


def find_place(name: str, servers: Servers, cache: Path, say: Say) -> tuple[Box, str]:
    """Return the box of a place in degrees, and its full name, by Nominatim.

    Raises
    ------
    InputError
        No such place, no area of that name, or the server cannot be used.
    """
    folder = cache / _key("place", servers.nominatim, name)

    def ask() -> tuple[Box, str]:
        import osmnx as ox

        try:
            found = ox.geocode_to_gdf(name)
        except InputError:
            raise
        except TypeError as fault:
            raise _no_place(name, "points or lines, and no area") from fault
        except (ValueError, KeyError) as fault:
            shutil.rmtree(folder, ignore_errors=True)  # also where it is half an answer of a run that was killed
            raise _unusable(servers.nominatim_host, "Nominatim", type(fault).__name__) from fault
        row = found.iloc[0]
        west, south, east, north = (float(row[f"bbox_{side}"]) for side in ("west", "south", "east", "north"))
        return (west, south, east, north), str(row.get("display_name", name))

    return _patiently(ask, folder, servers.nominatim_host, servers, say)


def download(box: Box, tags: Tags, servers: Servers, cache: Path, say: Say, *, part_km2: float = PART_KM2) -> Download:
    """Return everything within a box that carries one of some tags, with the nodes and members that it is made of.

    Parameters
    ----------
    box
        West, south, east, north in degrees: all that the server is told of the place.
    tags
        Keys, with the values that count or True for all.
    cache
        Folder of answers; those of an earlier run are used again, also of one that broke off.
    say
        Is told how it goes.
    part_km2
        Larger boxes are asked for in parts of at most this area.

    Raises
    ------
    InputError
        The server cannot be reached, stays busy, cuts its answer off, remarks that it ran out of time or memory, or
        has nothing at all in the box.
    """
    parts = parts_of(box, part_km2)
    elements: dict[str, dict[int, Mapping[str, Any]]] = {"node": {}, "way": {}, "relation": {}}
    dates, kept, empty = [], 0, 0
    for number, part in enumerate(parts, 1):
        folder = cache / _key("part", servers.overpass, part, sorted(tags.items()))
        answer = _stored(folder)
        kept += answer is not None
        if answer is None:
            say(f"part {number} of {len(parts)}: asking {servers.overpass_host} for {shown(part)}")
            ask = partial(_ask, part, tags, servers, folder)
            answer = _patiently(ask, folder, servers.overpass_host, servers, say)
        if not answer["elements"]:
            empty += 1
            shutil.rmtree(folder)  # asked again next time: the sea stays empty, a server may have been
        for element in answer["elements"]:
            if element.get("type") in elements:  # anything else is no part of the map, such as a count
                elements[element["type"]][element["id"]] = element
        dates.append(str((answer.get("osm3s") or {}).get("timestamp_osm_base", ""))[:10])
    if empty == len(parts):
        turned = turned_about(box)
        raise InputError(
            f"{servers.overpass_host} has nothing at all in this box",
            got=f"an empty answer for {shown(box)}",
            expected="streets",
            remedy="check the box (W,S,E,N in degrees"
            + (f"; with latitude and longitude changed about it is {shown(turned)}" if turned else "")
            + "), or choose another --overpass: some know one country only",
        )
    return Download(elements, min(dates), len(parts), kept, empty)


def _ask(part: Box, tags: Tags, servers: Servers, folder: Path) -> dict[str, Any]:
    """Have OSMnx ask for one part and keep the answer as the server wrote it; return the answer."""
    import osmnx as ox

    shutil.rmtree(folder, ignore_errors=True)  # half an answer of a run that was killed while it wrote
    # With an interruption OSMnx ends when it has only to keep the answer.
    with suppress(InterruptedError):
        ox.features_from_bbox(part, dict(tags))
    answer = _stored(folder)
    if answer is None:
        raise InputError(f"the answer of {servers.overpass_host} could not be kept", got=f"no file in {folder}")
    return answer


def _stored(folder: Path) -> dict[str, Any] | None:
    """Return the answer that a folder keeps; None where there is none, or half of one."""
    for file in sorted(folder.glob("*.json")):
        try:
            answer = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(answer, dict) and isinstance(answer.get("elements"), list):
            return answer
    return None


def _patiently(ask: Callable[[], _Result], folder: Path, host: str, servers: Servers, say: Say) -> _Result:
    """Have OSMnx ask and keep the answer in a folder, and ask again after a pause while the server is busy."""
    for wait_s in (*servers.waits_s, None):
        try:
            with _using(servers, folder):
                return _by_deadline(ask, host, servers)
        except _Busy as busy:
            if wait_s is None:
                raise InputError(
                    f"{host} is too busy",
                    got=f"HTTP {busy.status} to {len(servers.waits_s) + 1} tries",
                    remedy="run the same command later (what has come is kept), or choose another server",
                ) from busy
            pause = max(wait_s, min(busy.after_s, 4 * wait_s))
            say(f"{host} is busy (HTTP {busy.status}); asking again in {pause:g} s")
            time.sleep(pause)
        except requests.RequestException as fault:
            raise _unreachable(host, servers, fault) from fault
    raise AssertionError


def _by_deadline(ask: Callable[[], _Result], host: str, servers: Servers) -> _Result:
    """Ask, and do not wait for ever for a server that sends a little now and then.

    What is still on the way then is left to itself: it ends with the program, and `_checked` lets nothing of it count.
    """
    answers: list[_Result] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as fault:  # noqa: BLE001  told below, by whoever waits
            faults.append(fault)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(servers.deadline_s)
    if faults:
        raise faults[0]
    if not answers:
        raise InputError(
            f"{host} is too slow",
            got=f"no whole answer in {servers.deadline_s:g} s",
            expected=f"one within {DEADLINE:g} times --timeout-s",
            remedy="smaller parts (--part-km2 25), a longer --timeout-s, or another server",
        )
    return answers[0]


@contextmanager
def _using(servers: Servers, folder: Path) -> Iterator[None]:
    """Set OSMnx for these servers, and put back what it was set to."""
    import osmnx as ox

    version = metadata.version("livingcircle")
    checked = partial(_checked, time.monotonic() + servers.deadline_s)
    proxies = {"proxies": {"http": servers.proxy, "https": servers.proxy}} if servers.proxy else {}
    wanted = {
        "overpass_url": servers.overpass,
        "nominatim_url": servers.nominatim,
        "overpass_settings": f"[out:json][timeout:{max(1, int(servers.timeout_s) - 5)}]{{maxsize}}",
        "overpass_rate_limit": False,  # whoever is asked too often says 429, and is waited for (see `_patiently`)
        "max_query_area_size": float("inf"),  # a part is a part already
        "requests_timeout": servers.timeout_s,
        "requests_kwargs": {"hooks": {"response": checked}, "allow_redirects": False, **proxies},
        "doh_url_template": None,  # no third server is asked where the others are
        "http_user_agent": f"livingcircle/{version} (OSMnx)",
        "use_cache": True,
        "cache_folder": folder,
        "cache_only_mode": True,
        "log_file": False,
        "log_console": False,
    }
    before = {name: getattr(ox.settings, name) for name in wanted}
    resolver = socket.getaddrinfo  # OSMnx replaces it, and leaves its own behind
    for name, value in wanted.items():
        setattr(ox.settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(ox.settings, name, value)
        socket.getaddrinfo = resolver


def _checked(until: float, response: requests.Response, *_: Any, **__: Any) -> None:
    """Look at an answer before OSMnx does; called by requests."""
    try:
        _check_answer(response, until)
    except BaseException:
        response.close()
        raise


def _check_answer(response: requests.Response, until: float) -> None:
    host, status = urlsplit(response.url).hostname or "", response.status_code
    if response.content is not None and time.monotonic() > until:
        raise requests.Timeout  # read as a whole, and nobody waits for it any more
    if status in _BUSY:
        after = response.headers.get("Retry-After", "")
        raise _Busy(status, float(after) if after.isdecimal() else 0.0)
    if status == _PROXY_ASKS:
        raise _refused_by_proxy(host)
    if 300 <= status < 400:
        elsewhere = _host(response.headers.get("Location", "")) or "another address"
        raise InputError(
            f"{host} sends on to {elsewhere}",
            got=f"HTTP {status}",
            expected="an answer: nothing is sent to a server that was not named",
            remedy="name it with --overpass or --nominatim, if you want to ask it",
        )
    if not response.ok:
        raise _unusable(host, "map data", f"HTTP {status}: {_plain(response.text)}")
    try:
        answer = response.json()
    except ValueError as fault:
        kind = response.headers.get("Content-Type", "no kind").partition(";")[0]
        cut = response.text.lstrip()[:1] in ("{", "[")
        got = "an answer that is cut off in the middle" if cut else f"{kind}: {_plain(response.text)}"
        raise _unusable(host, "map data", got) from fault
    if answer == [] and "/search" in response.url:
        raise _no_place(unquote_plus(response.url.partition("q=")[2].partition("&")[0]), "no place")
    if isinstance(answer, dict):
        _check_remark(host, answer)
        _check_elements(host, answer["elements"])
    elif "/search" not in response.url:
        raise _unusable(host, "map data of Overpass", f"JSON without elements: {_plain(response.text)}")


def _check_remark(host: str, answer: Mapping[str, Any]) -> None:
    """Refuse an answer of Overpass with a remark: what stands in it is not all there is."""
    if "remark" in answer:
        remark = _plain(str(answer["remark"]))
        large = re.search(r"timed out|memory|timeout", remark, re.IGNORECASE)
        raise InputError(
            f"{host} could not answer in full",
            got=f"its remark: {remark}",
            remedy="smaller parts (--part-km2 25), a longer --timeout-s, or another --overpass"
            if large
            else "run the same command later (what has come is kept), or choose another --overpass",
        )
    if not isinstance(answer.get("elements"), list):
        raise _unusable(host, "map data of Overpass", f"an answer with {', '.join(answer) or 'nothing'}")


def _check_elements(host: str, elements: list[Any]) -> None:
    """Refuse an answer in which a part of the map has no place, or none that can be told."""
    for element in elements:
        if not _is_whole(element):
            raise _unusable(host, "whole map data", f"an element {_plain(json.dumps(element, ensure_ascii=False))}")


def _is_whole(element: Any) -> bool:
    """Return whether an element says what makes it one: its position, its nodes or its members."""
    if not isinstance(element, dict):
        return False
    kind = element.get("type")
    if kind == "node":
        whole = all(isinstance(element.get(side), int | float) for side in ("lon", "lat"))
    elif kind == "way":
        nodes = element.get("nodes")
        whole = isinstance(nodes, list) and all(isinstance(node, int) for node in nodes)
    elif kind == "relation":
        members = element.get("members")
        whole = isinstance(members, list) and all(isinstance(m, dict) and {"type", "ref"} <= m.keys() for m in members)
    else:
        return True  # no part of the map, such as a count
    return whole and isinstance(element.get("id"), int) and isinstance(element.get("tags", {}), dict)


def _unreachable(host: str, servers: Servers, fault: requests.RequestException) -> InputError:
    """Say what went wrong on the way; never with the address that the library repeats, which may hold a password."""
    again = "run the same command again (what has come is kept)"
    if isinstance(fault, requests.exceptions.ProxyError):
        if str(_PROXY_ASKS) in str(fault):
            return _refused_by_proxy(host)
        return InputError(f"the proxy on the way to {host} cannot be used", remedy="check --proxy and HTTPS_PROXY")
    if isinstance(fault, requests.exceptions.SSLError):
        return InputError(f"{host} cannot show that it is {host}", got="a certificate that does not hold")
    if isinstance(fault, requests.Timeout) or "timed out" in str(fault):
        return InputError(
            f"{host} is silent",
            got=f"no answer in {servers.timeout_s:g} s",
            remedy=f"{again}, with a longer --timeout-s, or choose another server",
        )
    if isinstance(fault, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)) or (
        "IncompleteRead" in str(fault)
    ):
        return InputError(f"the answer of {host} is cut off in the middle", remedy=again)
    return InputError(
        f"{host} cannot be reached",
        got="no connection",
        remedy="check the network, name a --proxy, or choose another server with --overpass or --nominatim",
    )


def _refused_by_proxy(host: str) -> InputError:
    return InputError(
        f"the proxy on the way to {host} asks who you are",
        got=f"HTTP {_PROXY_ASKS}",
        remedy="name it with user and password, --proxy http://user:password@host:port or HTTPS_PROXY",
    )


def _unusable(host: str, expected: str, got: str) -> InputError:
    return InputError(
        f"{host} gives no {expected}",
        got=got,
        remedy="check the address of the server, run the same command later, or choose another server",
    )


def _no_place(name: str, got: str) -> InputError:
    return InputError(
        f"no area is called {name!r}",
        got=got,
        remedy="write city and district (成都市锦江区), or give --bbox W,S,E,N",
    )


def _plain(text: str) -> str:
    """Return an answer meant for a browser as one short line."""
    body = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", " ", text)
    line = " ".join(re.sub(r"<[^>]*>", " ", body).split())
    return f"{line[:_SHOWN]} …" if len(line) > _SHOWN else line or "nothing"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _host(url: str) -> str:
    """Return host and port of an address, without who goes there."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


def _key(*what: Any) -> str:
    """Return a name for what was asked; the same question has the same name."""
    return hashlib.sha256(json.dumps(what, ensure_ascii=False).encode()).hexdigest()[:20]
