"""What fuzzing found stays mended: each input, spoilt by machine, is refused in words."""

from pathlib import Path

import pytest

from tandem.errors import TandemError
from tandem.sources.workbooks import read_sheets

FOUND = sorted(Path(__file__).with_name("found").iterdir())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_a_spoilt_workbook_is_refused(path):
    with pytest.raises(TandemError, match="damaged|cannot be opened"):
        read_sheets(path, f"raw/{path.name}")
