"""A server on this machine whose answers have the form of the World Bank's API, version 2.

Every number served here is invented.
"""

import http.server
import json
import threading
from urllib.parse import urlparse

CODE = "GB.XPD.RSDV.GD.ZS"
TITLE = "Research and development expenditure (% of GDP)"
NAMES = {"CHN": "China", "USA": "United States", "CIV": "Côte d'Ivoire", "WLD": "World"}
INVENTED = {
    ("CHN", "2018"): 1.25,
    ("CHN", "2019"): 0.00001,
    ("USA", "2018"): 1400000000,
    ("USA", "2019"): None,
    ("CIV", "2018"): 0.1234567890123,
    ("WLD", "2018"): 2.0,  # an aggregate
}


def listing(concept: str, entries: list[dict], total: int | None = None) -> dict:
    """An answer of the endpoints for sources, with concepts or their variables."""
    total = len(entries) if total is None else total
    concepts = entries if concept == "" else [{"id": concept, "variable": entries}]
    source = [{"id": "2", "name": "World Development Indicators", "concept": concepts}]
    return {"page": 1, "pages": 1, "per_page": "10000", "total": total, "source": source}


def table(code: str = CODE, title: str = TITLE, values: dict = INVENTED) -> dict:
    """An answer with data."""
    rows = [
        {
            "variable": [
                {"concept": "Country", "id": iso, "value": NAMES.get(iso, f"Country {iso}")},
                {"concept": "Series", "id": code, "value": title},
                {"concept": "Time", "id": f"YR{year}", "value": year},
            ],
            "value": value,
        }
        for (iso, year), value in values.items()
    ]
    head = {"page": 1, "pages": 1, "per_page": 10000, "total": len(rows)}
    return head | {"lastupdated": "2026-10-13", "source": {"id": "2", "data": rows}}


def listed(rows: list[dict]) -> list:
    """An answer of the older endpoints."""
    return [{"page": 1, "pages": 1, "per_page": "10000", "total": len(rows)}, rows]


def country(iso3: str, iso2: str, region: str) -> dict:
    blank = {"id": "", "iso2code": "", "value": ""}
    return {
        "id": iso3, "iso2Code": iso2, "name": "", "capitalCity": "", "longitude": "",
        "latitude": "", "region": {"id": region, "value": ""}, "adminregion": blank,
        "incomeLevel": blank, "lendingType": blank,
    }  # fmt: skip


def world_bank() -> dict:
    """Answers by path."""
    database = {
        "id": "2",
        "name": "World Development Indicators",
        "lastupdated": "2026-10-13",
        "metadataavailability": "Y",
    }
    codes = [("CHN", "CN", "EAS"), ("USA", "US", "NAC"), ("CIV", "CI", "SSF"), ("WLD", "1W", "NA")]
    kind = [{"id": "EAS", "code": "EAS", "iso2code": "Z4", "name": "", "value": ""}]
    return {
        "/v2/en/sources/2": listed([database]),
        "/v2/en/sources/2/concepts": listing(
            "", [{"id": c, "value": c} for c in ("Country", "Series", "Time")]
        ),
        "/v2/en/sources/2/time/all": listing("Time", [{"id": "YR2018", "value": "2018"}]),
        "/v2/en/region": listed(kind),
        "/v2/en/incomelevel": listed(kind),
        "/v2/en/lendingtype": listed(kind),
        "/v2/en/country/all": listed([country(*c) for c in codes]),
        f"/v2/en/sources/2/series/{CODE}/country/all/time/all": table(),
    }


DATA = f"/v2/en/sources/2/series/{CODE}/country/all/time/all"


class Server:
    """Answers by path; `script` holds (status, body) that come first, one a request.

    The connection of a path in `cut` breaks off half-way.
    """

    def __init__(self, answers: dict):
        self.answers = {k: json.dumps(v).encode() for k, v in answers.items()}
        self.script: dict[str, list[tuple[int, bytes]]] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = urlparse(self.path).path
                owner.asked.append(path)
                known = path in owner.answers
                status, body = 200 if known else 404, owner.answers.get(path, b"nothing here")
                if owner.script.get(path):
                    status, body = owner.script[path].pop(0)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body[: len(body) // 2] if path in owner.cut else body)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.http.server_port}"
        serve = {"poll_interval": 0.01}
        threading.Thread(target=self.http.serve_forever, kwargs=serve, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
