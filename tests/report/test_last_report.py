"""The reports of the last run, where there are any."""

from pathlib import Path

import pytest
from browser import chromium, opened

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("study", ["provinces", "nation"])
def test_the_report_of_the_last_run_opens_quietly_and_is_small(study):
    path = ROOT / "results" / study / "report.html"
    if not path.exists():
        pytest.skip(f"there is no {path.relative_to(ROOT)}; make STUDY={study} makes it")
    assert path.stat().st_size < 5_000_000
    narrow = {"width": 400, "height": 800}
    with chromium() as browser, opened(browser, path, viewport=narrow) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
