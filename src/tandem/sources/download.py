"""Tables fetched from the network: World Bank indicators, and files with a pinned sha256.

A fetched file is a cached vintage: it lies under data/raw like any other table and is fetched
again only once somebody has deleted it. Nothing else in the package needs a network.
"""

import csv
import hashlib
import io
from datetime import date
from types import SimpleNamespace

import numpy as np
import requests
import tenacity
import wbgapi

from tandem.errors import TandemError

WDI = 2  # number of the database World Development Indicators
WDI_ENDPOINT = "https://api.worldbank.org/v2"
_BUSY = {429, 500, 502, 503, 504}
_RETRY = tenacity.retry(
    retry=tenacity.retry_if_exception_type(requests.RequestException),
    wait=tenacity.wait_exponential(max=30),
    stop=tenacity.stop_after_attempt(4),
    reraise=True,
)


@_RETRY
def _get_json(url: str, **options) -> requests.Response:
    """An answer in JSON; asked for again if the server is busy or the answer breaks off."""
    answer = requests.get(url, timeout=60, **options)
    if answer.status_code in _BUSY:
        answer.raise_for_status()
    if answer.ok:
        answer.json()
    return answer


def fetch_wdi(indicator: str, file: str, endpoint: str = WDI_ENDPOINT) -> str:
    """An indicator of the World Development Indicators as a table, all countries and years.

    Parameters
    ----------
    indicator : str
        Code such as GB.XPD.RSDV.GD.ZS.
    file : str
        Where the table will lie, for error sentences.
    endpoint : str
        Address of the World Bank's API, version 2.

    Returns
    -------
    str
        CSV: lines that say indicator, database, last update and day of retrieval, then
        Code (ISO 3166 alpha-3), Region, Year and the indicator as the World Bank titles it, in its
        unit. One row a published value; aggregates such as World are left out.

    Raises
    ------
    TandemError
        If the World Bank cannot be reached, answers with an error, does not know the indicator or
        has no value of it.
    """
    wbgapi.endpoint = endpoint
    wbgapi.per_page = 10_000
    wbgapi.requests = SimpleNamespace(get=_get_json)  # wbgapi itself asks once and waits for ever
    try:
        database = wbgapi.source.get(WDI)
        rows = list(
            wbgapi.data.fetch(
                indicator,
                db=WDI,
                labels=True,
                numericTimeKeys=True,
                skipAggs=True,
                skipBlanks=True,
            )
        )
        # wbgapi keeps an empty list of aggregates for good if fetching it has once failed
        complete = bool(wbgapi.economy.aggregates())
    except (requests.ConnectionError, requests.Timeout) as err:
        raise TandemError(
            f"The World Bank could not be reached at {endpoint} ({type(err).__name__}); run again "
            f"with a network, or put the file {file} there; the other studies do not need it."
        ) from err
    except (requests.RequestException, wbgapi.APIError) as err:
        raise TandemError(
            f"The World Bank did not answer with the indicator {indicator} ({_plain(err)}); run "
            f"again later, check the address in the line of {file} in sources.csv, or put the file "
            "there; the other studies do not need it."
        ) from err
    if not complete:
        raise TandemError("The World Bank's list of countries came without aggregates; run again.")
    if not rows:
        raise TandemError(
            f"The World Bank has no value of the indicator {indicator}; correct the address in "
            f"the line of {file} in sources.csv."
        )
    return _wdi_table(rows, indicator, database)


def _plain(err: Exception) -> str:
    if isinstance(err, requests.JSONDecodeError | wbgapi.APIResponseError):
        return "the answer broke off or is not JSON"
    return " ".join(str(err).split())


def _wdi_table(rows: list[dict], indicator: str, database: dict) -> str:
    title = rows[0]["series"]["value"].strip()
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows(
        [
            [f"Indicator: {title}"],
            [f"Indicator code: {indicator}"],
            [f"Database: {database['name'].strip()}, World Bank"],
            [f"Last updated: {database['lastupdated']}"],
            [f"Retrieved: {date.today().isoformat()}"],
            ["Code", "Region", "Year", title],
        ]
    )
    cells = sorted(
        (row["economy"]["id"], row["time"]["id"], row["economy"]["value"].strip(), row["value"])
        for row in rows
    )
    for code, year, region, value in cells:
        table.writerow([code, region, year, np.format_float_positional(value, trim="-")])
    return text.getvalue()


def refuse_unreachable(url: str, file: str) -> None:
    """Stop if a file cannot be had now, before anything is planned on it.

    Raises
    ------
    TandemError
        If the server cannot be reached, or does not have the file.
    """
    try:
        answer = _head(url)
    except requests.RequestException as err:
        raise TandemError(
            f"{url} could not be reached ({type(err).__name__}); run again with a network, or put "
            f"the file {file} there; the other studies do not need it."
        ) from err
    if not answer.ok:
        raise TandemError(
            f"{url} answers {answer.status_code} {answer.reason}; correct the address in the line "
            f"of {file} in sources.csv, or put the file there."
        )


@_RETRY
def _head(url: str) -> requests.Response:
    answer = requests.head(url, timeout=60, allow_redirects=True)
    if answer.status_code in _BUSY:
        answer.raise_for_status()
    return answer


def pinned(content: bytes, sha256: str, url: str) -> bytes:
    """The content, if it is the one that sources.csv pins.

    Raises
    ------
    TandemError
        With both hashes.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise TandemError(
            f"{url} has the sha256 {found}, but sources.csv pins {sha256}, so the file was not "
            "kept; look at what changed there before you change sha256 in sources.csv."
        )
    return content
