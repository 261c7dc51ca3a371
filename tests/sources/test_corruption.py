"""A spoilt raw file gives an error that names the place, or a ledger line that explains it.

What no reader can see, so that no corruption below claims it, however many tables are read:

- a digit changed, or lost at the end of a whole number, so that the value stays plausible, where no
  identity holds it (population, patents; the identities see more than a rounding unit);
- the rows of two provinces exchanged, or a whole row or column of another table of the same series
  and kind, in every table of an identity alike, or where there is none;
- two year headers exchanged in a table that holds a whole identity itself (every year adds up);
- a table of the same series in another vintage under this file's name;
- years or countries cut off at a line end where nothing announces how many there should be;
- a stale result that a workbook keeps beside its formula; a number shown in other units than it is
  stored by a number format with a text in it; in an .xls, hidden rows and raised digits, which
  calamine does not tell;
- titles and notes: no rule reads them.

Files that were good once are held against data/SHA256SUMS, which sees all of these.
"""

import re
import shutil

import pandas as pd
import pytest
from corruptions import (
    CORRUPTIONS,
    EVERY,
    EXPLAINED,
    FORMATS,
    FOUND,
    REFUSED,
    UNCHANGED,
    Table,
    written,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.errors import TandemError
from tandem.sources import read_codebook, read_observations, read_sources
from tandem.sources.verify import read_deviations, verify

EXAMPLES = 4
RAW = {
    "gdp": "raw/nbs/gdp_census4.csv",
    "population": "raw/nbs/population_yearend_post-2020-census.csv",
    "appendix": "raw/regional_yearbook/chongqing_2008_appendix3.csv",
    "nation": "raw/csy/2012_2-17.csv",
}
# what a study reads beside a table and holds it against
BESIDE = {
    "gdp": [f"raw/nbs/va_{kind}_census4.csv" for kind in ("primary", "secondary", "tertiary")]
}
SUFFIX = {"csv": ".csv", "tab": ".tsv", "gb18030": ".csv", "html": ".html", "xlsx": ".xlsx"}
KEY = ["region_code", "series", "year", "vintage"]
LINE = ["file", "sheet", "cell", "raw", "rule", "value"]


class Room:
    """A data folder for one spoilt table at a time, with the good ones to compare with."""

    def __init__(self, folder, data):
        self.folder, self.known = folder, {}
        self.tables = {name: Table.read(name, data / file) for name, file in RAW.items()}
        for name in ("codebook.csv", "aliases.csv", "known_deviations.csv"):
            shutil.copy(data / name, folder)
        for file in BESIDE["gdp"]:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(data / file, folder / file)
        self.lines = read_sources(data).set_index("file", drop=False)
        self.codebook, self.deviations = read_codebook(data), read_deviations(data)

    def file(self, name: str, form: str) -> str:
        return f"raw/nbs/{name}{SUFFIX[form]}"

    def read(self, name, file, content, beside=()):
        (self.folder / file).write_bytes(content)
        lines = [{**self.lines.loc[RAW[name]], "file": file}]
        lines += [self.lines.loc[other] for other in BESIDE["gdp"]]
        pd.DataFrame(lines).to_csv(self.folder / "sources.csv", index=False)
        try:
            return read_observations(self.folder, [file, *beside])
        finally:
            (self.folder / file).unlink()

    def good(self, name, form):
        """Observations and ledger of the table before it is spoilt."""
        if (name, form) not in self.known:
            content = written(self.tables[name], form)
            self.known[name, form] = self.read(name, self.file(name, form), content)
        return self.known[name, form]


@pytest.fixture(scope="module")
def room(tmp_path_factory, data) -> Room:
    return Room(tmp_path_factory.mktemp("room"), data)


@pytest.fixture(scope="module")
def seen():
    """Outcomes of each corruption."""
    return {name: set() for name in CORRUPTIONS}


def _by_key(observations, found) -> dict:
    return dict(zip(map(tuple, observations[KEY].to_numpy().tolist()), found, strict=True))


def values(observations) -> dict:
    columns = ["value", "unit", "region", "flag", "source"]
    return _by_key(observations, map(tuple, observations[columns].to_numpy().tolist()))


def cells(observations) -> dict:
    return _by_key(observations, observations["cell"].str.split("!").str[2])


def new_lines(ledger, before) -> pd.DataFrame:
    """Lines of the ledger that the good file does not give."""
    known = set(map(tuple, before[LINE].to_numpy().tolist()))
    return ledger[[tuple(line) not in known for line in ledger[LINE].to_numpy().tolist()]]


def is_named(problems: list[str], file: str, named: str) -> bool:
    return any(file in problem and re.search(named, problem) for problem in problems)


def outcome(room: Room, name: str, form: str, content: bytes, named: str) -> str:
    """What becomes of a spoilt file; an assertion fails if it changes anything in silence."""
    file = room.file(name, form)
    good, good_ledger = room.good(name, form)
    try:
        bad, ledger = room.read(name, file, content)
    except TandemError as err:
        problems = str(err).splitlines()
        assert is_named(problems, file, named), ("place not named", named, problems)
        assert all(problem.endswith(".") for problem in problems), problems
        return REFUSED
    before, after = values(good), values(bad)
    lines = new_lines(ledger, good_ledger)
    if before == after:
        return EXPLAINED if len(lines) else UNCHANGED
    where = cells(good) | cells(bad)
    differ = {
        where[key] for key in before.keys() | after.keys() if before.get(key) != after.get(key)
    }
    if differ <= set(lines["cell"]):
        return EXPLAINED
    beside = BESIDE.get(name, [])
    read, _ = room.read(name, file, content, beside) if beside else (bad, ledger)
    frames, problems = verify(read, room.codebook, room.deviations)
    if problems:
        assert is_named(problems, file, named), ("place not named", named, problems)
        return REFUSED
    found = set(frames["suspects"]["cell"].str.split("!").str[2])
    assert differ <= found | set(lines["cell"]), ("silently different", sorted(differ))
    return FOUND


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", EVERY)
def test_good_tables_are_the_real_ones_in_every_format(room, name, form, data):
    real, _ = read_observations(data, [RAW[name]])
    observations, _ = room.good(name, form)
    assert values(observations) == values(real) and len(real) > 100


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_nothing_changes_in_silence(room, seen, name):
    corruption = CORRUPTIONS[name]

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def spoilt(data):
        table = data.draw(st.sampled_from(corruption.tables), label="table")
        form = data.draw(st.sampled_from(corruption.formats), label="format")
        content, named = corruption.apply(data.draw, room.tables[table], form)
        found = outcome(room, table, form, content, named)
        assert found in corruption.outcomes, (found, corruption.outcomes)
        seen[name].add(found)

    spoilt()
    assert seen[name], "never exercised"


def test_every_corruption_was_exercised_and_every_outcome_seen(seen):
    assert len(CORRUPTIONS) >= 40
    if all(seen.values()):  # not if a few were chosen on the command line
        assert set.union(*seen.values()) == {REFUSED, EXPLAINED, FOUND, UNCHANGED}


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("xlsx", ".csv"), ("xlsx", ".xlsm"), ("csv", ".xls"), ("html", ".xls"), ("csv", ".dat")],
)
def test_another_extension_is_explained(room, form, suffix):
    good, good_ledger = room.good("gdp", form)
    bad, ledger = room.read("gdp", f"raw/nbs/gdp{suffix}", written(room.tables["gdp"], form))
    assert values(bad) == values(good)
    assert ledger["rule"].str.startswith("format: ").sum() == 1
