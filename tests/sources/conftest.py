"""A folder of three tables that a test may spoil, beside the real data."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tandem.sources import read_codebook, read_observations, read_sources

DATA = Path(__file__).parents[2] / "data"
GDP = "raw/nbs/gdp_census4.csv"
APPENDIX = "raw/regional_yearbook/chongqing_2008_appendix3.csv"
NATION = "raw/csy/2012_2-17.csv"


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def everything(data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All observations of the tables that come with the data, and the ledger."""
    return read_observations(data, list(read_sources(data).query("download == ''")["file"]))


@pytest.fixture(scope="session")
def codebook(data) -> pd.DataFrame:
    return read_codebook(data)


class Copy:
    """A copy of three tables with their lines of sources.csv, and ways to spoil it."""

    def __init__(self, folder: Path):
        self.folder = folder
        for file in (GDP, APPENDIX, NATION):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(DATA / file, folder / file)
        shutil.copy(DATA / "codebook.csv", folder)
        sources = pd.read_csv(DATA / "sources.csv", dtype=str, keep_default_na=False)
        self.write_sources(sources[sources["file"].isin([GDP, APPENDIX, NATION])])

    def write_sources(self, sources: pd.DataFrame) -> None:
        sources.to_csv(self.folder / "sources.csv", index=False)

    def change_sources(self, file: str, **entries: str) -> None:
        sources = pd.read_csv(self.folder / "sources.csv", dtype=str, keep_default_na=False)
        for column, entry in entries.items():
            sources.loc[sources["file"] == file, column] = entry
        self.write_sources(sources)

    def text(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str, encoding: str = "utf-8") -> None:
        (self.folder / file).write_bytes(text.encode(encoding))

    def change(self, file: str, old: str, new: str) -> None:
        """Replace the only occurrence of a piece of text."""
        text = self.text(file)
        assert text.count(old) == 1, (old, text.count(old))
        self.write(file, text.replace(old, new))

    def add(self, file: str, text: str, **entries: str) -> None:
        """Another table with the line of the GDP table in sources.csv, changed in some entries."""
        sources = pd.read_csv(self.folder / "sources.csv", dtype=str, keep_default_na=False)
        line = sources[sources["file"] == GDP].assign(file=file, **entries)
        self.write_sources(pd.concat([sources, line]))
        self.write(file, text)

    def read(self, *files: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        return read_observations(self.folder, list(files))


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path)
