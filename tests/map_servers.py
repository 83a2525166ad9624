"""Servers on loopback that answer like Overpass and Nominatim, or as they do on a bad day."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

DATE = "2026-11-02"
BOX = (-51.21, -30.04, -51.20, -30.03)  # in Porto Alegre; about 1 km by 1.1 km
_DRIPS = 40  # after so many bytes a dripping server hangs up, so that no test leaves one behind for long
CHENGDU = (104.06, 30.65, 104.07, 30.66)


def small_town(west: float = BOX[0], south: float = BOX[1]) -> list[dict[str, Any]]:
    """Return a town of two streets that cross, housing, a school, a park in two rings, and a river that goes on.

    ::

        3 (0.008)
        |     housing 10-13, school node 20
        1-----2-----> node 5 outside the box
        |
        4
    """

    def node(i: int, x: float, y: float, **tags: str) -> dict[str, Any]:
        at = {"type": "node", "id": i, "lon": round(west + x, 7), "lat": round(south + y, 7)}
        return {**at, "tags": {k.replace("_", ":"): v for k, v in tags.items()}} if tags else at

    def way(i: int, nodes: list[int], **tags: str) -> dict[str, Any]:
        return {"type": "way", "id": i, "nodes": nodes, **({"tags": tags} if tags else {})}

    ring = [(10, 0.002, 0.002), (11, 0.004, 0.002), (12, 0.004, 0.004), (13, 0.002, 0.004)]
    park = [(30, 0.006, 0.006), (31, 0.008, 0.006), (32, 0.008, 0.008), (33, 0.006, 0.008)]
    pond = [(34, 0.0065, 0.0065), (35, 0.007, 0.0065), (36, 0.007, 0.007)]
    return [
        node(1, 0.001, 0.001, highway="crossing"),
        node(2, 0.009, 0.001),
        node(3, 0.001, 0.008),
        node(4, 0.001, 0.0005),
        node(5, 0.05, 0.001),
        *(node(i, x, y) for i, x, y in (*ring, *park, *pond)),
        node(20, 0.005, 0.0012, amenity="kindergarten", name="小树 '幼儿园'"),
        node(40, 0.5, 0.5),
        node(41, 0.6, 0.6),
        way(100, [1, 2, 5], highway="residential", name="Rua Um", surface="asphalt"),
        way(101, [3, 1, 4], highway="residential"),
        way(102, [10, 11, 12, 13, 10], landuse="residential"),
        way(103, [30, 31, 32, 33, 30]),
        way(104, [34, 35, 36, 34]),
        way(105, [40, 41], waterway="river"),
        {
            "type": "relation",
            "id": 200,
            "members": [
                {"type": "way", "ref": 103, "role": "outer"},
                {"type": "way", "ref": 104, "role": "inner"},
            ],
            "tags": {"type": "multipolygon", "leisure": "park"},
        },
        {
            "type": "relation",
            "id": 201,
            "members": [{"type": "way", "ref": 105, "role": "main_stream"}],
            "tags": {"type": "waterway", "waterway": "river"},
        },
    ]


def answer(elements: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """Return what Overpass answers."""
    elements = small_town() if elements is None else elements
    return {"version": 0.6, "osm3s": {"timestamp_osm_base": f"{DATE}T08:00:00Z"}, "elements": elements, **more}


def nominatim(box: tuple[float, float, float, float] = BOX, kind: str = "Polygon") -> list[dict[str, Any]]:
    """Return what Nominatim answers for a place that has an outline."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, south]]
    return [
        {
            "lat": str(south),
            "lon": str(west),
            "importance": 0.6,
            "display_name": "Centro, Porto Alegre",
            "boundingbox": [str(side) for side in (south, north, west, east)],
            "geojson": {"type": kind, "coordinates": [ring] if kind == "Polygon" else ring[0]},
        }
    ]


@dataclass
class Server:
    """A running server: its address, and what it was sent."""

    url: str
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Its name and port."""
        return self.url.removeprefix("http://")


Reply = Callable[[BaseHTTPRequestHandler], None]


def send(value: Any, *, status: int = 200, kind: str = "application/json", **headers: str) -> Reply:
    """Return a reply with a text or with JSON."""
    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            handler.send_header(name.replace("_", "-"), text)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def cut_off(value: Any, *, told: bool) -> Reply:
    """Return a reply that ends in the middle; `told` is whether its length was announced."""
    body = json.dumps(value).encode()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        if told:
            handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return reply


def silent(seconds: float) -> Reply:
    """Return a reply that comes too late."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return reply


def late(value: Any, seconds: float) -> Reply:
    """Return a reply that is right, after a while."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        with suppress(OSError):  # nobody listens any more
            send(value)(handler)

    return reply


def dripping(value: Any, *, every_s: float, head: bool = False) -> Reply:
    """Return a reply that comes a byte at a time and is never silent for long; `head` is whether its head does so."""
    body = json.dumps(value).encode()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        start = f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with suppress(OSError):  # nobody listens any more
            if not head:
                handler.wfile.write(start)
            for byte in (start + body if head else body)[:_DRIPS]:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(every_s)
        handler.close_connection = True

    return reply


@contextmanager
def serving(*replies: Reply) -> Iterator[Server]:
    """Run a server that gives its replies in turn, the last of them for ever."""
    left = list(replies)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, sent: str) -> None:
            with lock:
                server.asked.append(sent)
                reply = left.pop(0) if len(left) > 1 else left[0]
            reply(self)

        def do_GET(self) -> None:
            self._answer(parse_qs(urlsplit(self.path).query).get("q", [self.path])[0])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(parse_qs(body)["data"][0])

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
