"""What fuzzing and cold readers found stays mended: each input is refused in words."""

from pathlib import Path

import pytest

from tandem.errors import TandemError
from tandem.sources.description import read_description
from tandem.sources.workbooks import read_sheets
from tandem.study import load_study

FOUND = sorted(Path(__file__).with_name("found").iterdir())
BOOKS = [path for path in FOUND if path.suffix != ".yaml"]
TEXTS = [path for path in FOUND if path.suffix == ".yaml"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_a_spoilt_workbook_is_refused(path):
    with pytest.raises(TandemError, match="damaged|cannot be opened|holds more|spans"):
        read_sheets(path, f"raw/{path.name}")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_spoilt_yaml_is_refused_as_a_study_and_as_a_description(path):
    with pytest.raises(TandemError, match=path.name):
        load_study(path)
    with pytest.raises(TandemError, match=f"raw/{path.name}"):
        read_description(path.with_suffix(""), f"raw/{path.stem}")
