"""Downloads from a server on this machine: what is kept, what is tried again, what is refused."""

import csv
import hashlib
import json

import pandas as pd
import pytest
import tenacity
from world_bank import CODE, DATA, TITLE, Server, table, world_bank

from tandem.errors import TandemError
from tandem.sources import download, read_sources
from tandem.sources.inventory import SOURCE_COLUMNS, vintage_note

FILE = f"raw/wdi/{CODE}.csv"


@pytest.fixture
def server(monkeypatch):
    for function in (download._get_json, download._head):
        monkeypatch.setattr(function.retry, "wait", tenacity.wait_none())
    server = Server(world_bank())
    yield server
    server.stop()


def fetch(server, code=CODE):
    return download.fetch_wdi(code, FILE, f"{server.root}/v2")


def test_a_table_holds_what_was_served_and_where_it_comes_from(server):
    lines = list(csv.reader(fetch(server).splitlines()))
    today = pd.Timestamp.now().date().isoformat()
    assert lines == [
        [f"Indicator: {TITLE}"],
        [f"Indicator code: {CODE}"],
        ["Database: World Development Indicators, World Bank"],
        ["Last updated: 2026-10-13"],
        [f"Retrieved: {today}"],
        ["Code", "Region", "Year", TITLE],
        # countries alone, in order, in plain decimals, nothing where nothing is published
        ["CHN", "China", "2018", "1.25"],
        ["CHN", "China", "2019", "0.00001"],
        ["CIV", "Côte d'Ivoire", "2018", "0.1234567890123"],
        ["USA", "United States", "2018", "1400000000"],
    ]


def test_a_busy_server_is_asked_again(server):
    server.script[DATA] = [(500, b"no"), (503, b"no")]
    assert fetch(server) == fetch(server)
    assert server.asked.count(DATA) == 4


def test_an_answer_that_broke_off_is_asked_for_again(server):
    half = server.answers[DATA][:200]
    server.script[DATA] = [(200, half)]
    assert "CHN,China,2018,1.25" in fetch(server)


@pytest.mark.parametrize(
    ("status", "body", "part", "asked"),
    [
        (500, b"no", "500 Server Error", 4),
        (200, b'{"page": 1, "pa', "the answer broke off or is not JSON", 4),
        (404, b"no", "[404] Not Found", 1),
        (
            200,
            b'[{"message": [{"id": "120", "key": "Invalid value", "value": "no such series"}]}]',
            "Invalid value: no such series",
            1,
        ),
    ],
)
def test_a_server_that_does_not_answer_rightly_is_one_sentence(server, status, body, part, asked):
    server.script[DATA] = [(status, body)] * 9
    with pytest.raises(TandemError) as caught:
        fetch(server)
    assert str(caught.value).startswith(
        f"The World Bank did not answer with the indicator {CODE} ("
    )
    for words in (part, FILE, "the other studies do not need it"):
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert server.asked.count(DATA) == asked


def test_no_network_is_one_sentence(server):
    server.stop()
    with pytest.raises(TandemError) as caught:
        fetch(server)
    assert str(caught.value) == (
        f"The World Bank could not be reached at {server.root}/v2 (ConnectionError); run again "
        f"with a network, or put the file {FILE} there; the other studies do not need it."
    )


def test_an_indicator_without_values_is_refused(server):
    server.answers[DATA] = json.dumps(table(values={("WLD", "2018"): 1.0})).encode()
    with pytest.raises(TandemError, match=f"no value of the indicator {CODE}"):
        fetch(server)


def test_aggregates_are_never_taken_for_countries(server, monkeypatch):
    # what wbgapi keeps in mind once the list of countries could not be had
    monkeypatch.setattr("wbgapi.economy._aggs", set())
    monkeypatch.setattr("wbgapi.economy._localized_metadata", {"en": {"EAS": ""}})
    with pytest.raises(TandemError, match="came without aggregates"):
        fetch(server)


def test_an_address_that_is_there_passes(server):
    server.answers["/table.csv"] = b"a,b\n"
    server.script["/table.csv"] = [(503, b"")]
    download.refuse_unreachable(f"{server.root}/table.csv", "raw/downloaded/table.csv")
    assert server.asked.count("/table.csv") == 2


def test_an_address_that_is_not_there_is_one_sentence(server):
    with pytest.raises(TandemError, match="/none.csv answers 404 Not Found; correct the address"):
        download.refuse_unreachable(f"{server.root}/none.csv", "raw/downloaded/none.csv")
    server.stop()
    with pytest.raises(TandemError, match="could not be reached .*raw/downloaded/none.csv"):
        download.refuse_unreachable(f"{server.root}/none.csv", "raw/downloaded/none.csv")


def test_only_the_pinned_content_is_taken():
    content, other = b"a table", b"another table"
    sha256 = hashlib.sha256(content).hexdigest()
    assert download.pinned(content, sha256, "http://x/t") == content
    with pytest.raises(TandemError) as caught:
        download.pinned(other, sha256, "http://x/t")
    assert sha256 in str(caught.value)
    assert hashlib.sha256(other).hexdigest() in str(caught.value)


def inventory(folder, **entries) -> pd.DataFrame:
    """The inventory of a folder with one line."""
    line = dict.fromkeys(SOURCE_COLUMNS, "") | {
        "file": FILE, "publication": "WDI", "series": "rd", "region_scope": "countries",
        "vintage": "wdi", "vintage_note": "newest", "address": CODE, "download": "wdi",
    } | entries  # fmt: skip
    pd.DataFrame([line]).to_csv(folder / "sources.csv", index=False)
    return read_sources(folder)


def test_a_download_may_be_absent_and_anything_else_may_not(tmp_path):
    assert list(inventory(tmp_path)["file"]) == [FILE]
    with pytest.raises(TandemError, match="named in sources.csv but does not exist"):
        inventory(tmp_path, download="")


HTTP = {
    "file": "raw/downloaded/t.csv",
    "download": "http",
    "address": "https://example.org/t.csv",
    "sha256": "0" * 64,
}


@pytest.mark.parametrize(
    ("entries", "part"),
    [
        ({"download": "ftp"}, "download is 'ftp'; write wdi or http"),
        ({"address": "SP.POP.TOTL"}, "write raw/wdi/SP.POP.TOTL.csv"),
        (HTTP | {"sha256": ""}, "write the 64 digits"),
        (HTTP | {"address": "t.csv"}, "write the http address"),
        (HTTP | {"file": "raw/nbs/t.csv"}, "lies in raw/downloaded/"),
    ],
)
def test_faults_in_the_line_of_a_download(tmp_path, entries, part):
    assert len(inventory(tmp_path, **HTTP)) == 1
    with pytest.raises(TandemError) as caught:
        inventory(tmp_path, **entries)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_note_of_a_vintage_is_what_the_fetched_table_says(server, tmp_path):
    source = inventory(tmp_path).iloc[0]
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_text(fetch(server), encoding="utf-8")
    today = pd.Timestamp.now().date().isoformat()
    assert vintage_note(tmp_path, source) == (
        f"World Development Indicators, World Bank, last updated 2026-10-13, retrieved {today}"
    )
    assert vintage_note(tmp_path, inventory(tmp_path, download="").iloc[0]) == "newest"
    path.write_text("Code,Region,Year,x\n", encoding="utf-8")
    with pytest.raises(TandemError, match="no line 'Database:'"):
        vintage_note(tmp_path, source)
