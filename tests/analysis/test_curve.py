"""The specification curve in chunks: the same bytes however many jobs share the work."""

import pytest
from pandas.testing import assert_frame_equal

from tandem.analysis.curve import gather_curve, plan_curve, run_curve
from tandem.analysis.scores import score_systems
from tandem.econometrics import specification_curve
from tandem.errors import TandemError
from tandem.files import read
from tandem.study import Study

CHOICES = {
    "weights": ["entropy", "equal"],
    "least_squares": {"lags": [1, 9], "own_lags": [0, 1], "effects": ["two-way"]},
    "gmm": {"steps": [1, 2], "transform": ["fod"], "instrument_lags": [[2, 3]]},
    "draws": 19,
}


@pytest.fixture(scope="module")
def frames(study, panel):
    made = score_systems(study, panel)
    return panel, made["normalised"], made["weights"]


def with_chunks(raw, chunks):
    models = {**raw["models"], "verdict": {"curve": CHOICES | {"chunks": chunks}}}
    return Study.model_validate(raw | {"models": models})


def chunks_of(study, frames, folder):
    """Chunks as the next job reads them from its files."""
    found = []
    for chunk in range(study.models.verdict.curve.chunks):
        table, drawn = run_curve(study, *frames, chunk)
        table.to_csv(folder / f"{chunk}.csv", index=False)
        found.append((read(folder / f"{chunk}.csv"), drawn))
    return found


@pytest.fixture(scope="module")
def one(raw, frames, tmp_path_factory):
    study = with_chunks(raw, 1)
    chunks = chunks_of(study, frames, tmp_path_factory.mktemp("one"))
    return gather_curve(study, frames[1].index, chunks)


@pytest.mark.parametrize("chunks", [2, 5, 64])  # 64: more than there are pairs
def test_the_number_of_chunks_and_their_order_change_no_byte(raw, frames, one, tmp_path, chunks):
    study = with_chunks(raw, chunks)
    parts = chunks_of(study, frames, tmp_path)
    again = gather_curve(study, frames[1].index, parts[::-1])
    for name, frame in one.items():
        assert again[name].to_csv() == frame.to_csv()


def test_a_direction_equals_the_curve_in_one_piece(raw, frames, one):
    study = with_chunks(raw, 1)
    specs, windows = plan_curve(study, frames[1].index)
    specs = specs[specs["measure"] == "entropy"]
    measures = {"entropy": score_systems(study, frames[0])["scores"]}
    controls = {"with": frames[0][["size"]], "without": None}
    whole = specification_curve(specs, measures, windows, controls, "tech", "upgrade", 0)
    first = one["curve"][one["curve"]["direction"] == "tech → upgrade"]
    mine = first[first["measure"] == "entropy"].reset_index(drop=True)
    assert_frame_equal(mine[whole.table.columns], whole.table, check_dtype=False)
    assert mine["estimate"].notna().sum() >= 8


def test_what_cannot_be_estimated_is_told(one):
    failed = one["curve"]["estimate"].isna()
    assert failed.any() and (one["curve"].loc[failed, "why"] != "").all()
    assert one["curve_summary"]["n_failed"].sum() == failed.sum()


def test_a_missing_chunk_stops(raw, frames, tmp_path):
    study = with_chunks(raw, 3)
    parts = chunks_of(study, frames, tmp_path)
    left = 48 - len(parts[0][0])
    with pytest.raises(TandemError, match=f"{left} of 48 specifications: run the missing chunks"):
        gather_curve(study, frames[1].index, parts[1:])
