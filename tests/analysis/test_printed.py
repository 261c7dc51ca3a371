"""Series shown as published: every vintage, and a name that no table holds is refused."""

from pathlib import Path

import pytest

from tandem.analysis.panel import printed_series
from tandem.errors import TandemError
from tandem.study import Published, load_study

ROOT = Path(__file__).parents[2]


def test_every_vintage_of_a_year_is_there():
    printed = printed_series(load_study(ROOT / "studies/nation.yaml"), ROOT / "data")
    share = printed[printed["series"] == "pollution_control_investment_gdp_share"]
    assert share.loc[share["year"] == 2002, "value"].tolist() == [1.33, 1.1]
    assert set(share["flag"]) <= {"second-hand", "quoted"}


def test_an_unknown_series_is_refused():
    study = load_study(ROOT / "studies/nation.yaml")
    shown = {"x": Published(label={"en": "x"}, series=["rd_expenditur"])}
    with pytest.raises(TandemError, match="published.x in the study names 'rd_expenditur'"):
        printed_series(study.model_copy(update={"published": shown}), ROOT / "data")
