"""The results store: records of fitted models, and what is written is what is read."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import (
    BetweenOLS,
    FirstDifferenceOLS,
    PanelOLS,
    PooledOLS,
    RandomEffects,
)
from scipy.stats import norm

from tandem import estimates
from tandem.errors import TandemError


def panel(n_entities=8, n_years=10):
    rng = np.random.default_rng(np.random.SeedSequence(7))
    names = [f"province {i}" for i in range(n_entities)]
    index = pd.MultiIndex.from_product([names, range(2004, 2004 + n_years)])
    frame = pd.DataFrame(rng.normal(size=(len(index), 3)), index, ["upgrade", "tech", "gdp"])
    frame["upgrade"] += 0.5 * frame["tech"]
    return frame.assign(const=1.0)


def fit(model=PooledOLS, columns=("const", "tech", "gdp"), data=None, **options):
    data = panel() if data is None else data
    fitted = model(data["upgrade"], data[list(columns)], **options)
    if model is BetweenOLS:
        return fitted.fit()
    return fitted.fit(cov_type="clustered", cluster_entity=True)


def record(result, **extra):
    return estimates.from_linearmodels(result, "static", "m", "clustered by entity", **extra)


def statistics(models):
    return dict(zip(models["statistic"], models["value"], strict=True))


def panel_var():
    """What the records need of a fitted panel VAR, with easy numbers."""
    equations, terms = ["tech", "upgrade"], ["L1.tech", "L1.upgrade"]
    frame = lambda values: pd.DataFrame(values, equations, terms)  # noqa: E731
    params, std_errors = np.array([[0.5, 0.1], [0.2, 0.6]]), np.full((2, 2), 0.1)
    tstats = params / std_errors
    pairs = pd.MultiIndex.from_tuples([("upgrade", "tech"), ("tech", "upgrade")])
    return SimpleNamespace(
        params=frame(params),
        std_errors=frame(std_errors),
        tstats=frame(tstats),
        pvalues=frame(2 * norm.sf(tstats)),
        hansen_j=SimpleNamespace(stat=12.5, df=8, pval=0.13),
        n_obs=300,
        n_entities=30,
        n_instruments=12,
        moduli=pd.Series([0.4, 0.7]),
        granger=pd.DataFrame(
            {"stat": [1.0, 4.0], "df": [1, 1], "pval": [0.3173, 0.0455]}, index=pairs
        ),
    )


def test_terms_are_those_of_the_fit():
    result = fit()
    terms, _ = record(result)
    assert list(terms["term"]) == ["const", "tech", "gdp"]
    assert set(terms["equation"]) == {"upgrade"}
    np.testing.assert_array_equal(terms["estimate"], result.params)
    np.testing.assert_array_equal(terms["std_error"], result.std_errors)
    np.testing.assert_array_equal(terms["p_value"], result.pvalues)
    np.testing.assert_array_equal(terms[["conf_low", "conf_high"]], result.conf_int())
    assert terms["horizon"].isna().all()


def test_other_confidence_level():
    result = fit()
    terms, models = record(result, conf_level=0.9)
    np.testing.assert_allclose(terms[["conf_low", "conf_high"]], result.conf_int(0.9), rtol=1e-12)
    assert statistics(models)["conf_level"] == "0.9"


@pytest.mark.parametrize(
    ("model", "columns", "options", "entity", "time", "inclusive"),
    [
        (PooledOLS, ("const", "tech"), {}, "no", "no", False),
        (PanelOLS, ("tech",), {"entity_effects": True}, "yes", "no", True),
        (PanelOLS, ("tech",), {"entity_effects": True, "time_effects": True}, "yes", "yes", True),
        (PanelOLS, ("const", "tech"), {}, "no", "no", False),
        (RandomEffects, ("const", "tech"), {}, "random", "no", False),
        (BetweenOLS, ("const", "tech"), {}, "no", "no", False),
        (FirstDifferenceOLS, ("tech",), {}, "differenced", "no", False),
    ],
)
def test_statistics_of_each_estimator(model, columns, options, entity, time, inclusive):
    result = fit(model, columns, **options)
    _, models = record(result, n_clusters=8)
    found = statistics(models)
    assert found["estimator"] == model.__name__
    assert (found["entity_effects"], found["time_effects"]) == (entity, time)
    assert int(found["n_obs"]) == result.nobs
    assert (found["n_entities"], found["n_periods"], found["n_clusters"]) == ("8", "10", "8")
    assert (found["first_year"], found["last_year"]) == ("2004", "2013")
    for name in ("within", "between", "overall"):
        assert float(found[f"r2_{name}"]) == getattr(result, f"rsquared_{name}")
    assert ("r2_inclusive" in found) == inclusive
    assert float(found["f_stat"]) == result.f_statistic_robust.stat


def test_f_test_needs_more_clusters_than_slopes():
    data = panel(n_entities=3, n_years=20)
    for i in range(3):
        data[f"z{i}"] = np.random.default_rng(i).normal(size=len(data))
    result = fit(columns=("const", "tech", "gdp", "z0", "z1", "z2"), data=data)
    found = statistics(record(result)[1])
    assert (found["f_stat"], found["f_p"], found["f_df"]) == ("undefined",) * 3


def test_panel_var_records():
    terms, models = estimates.from_panel_var(panel_var(), "var", "lag 1", "Windmeijer")
    assert list(zip(terms["equation"], terms["term"], strict=True)) == [
        ("tech", "L1.tech"),
        ("tech", "L1.upgrade"),
        ("upgrade", "L1.tech"),
        ("upgrade", "L1.upgrade"),
    ]
    np.testing.assert_allclose(terms["conf_high"] - terms["estimate"], 0.1959963984540054)
    np.testing.assert_allclose(terms["estimate"] - terms["conf_low"], 0.1959963984540054)
    found = statistics(models)
    assert (found["hansen_j"], found["hansen_df"], found["hansen_p"]) == ("12.5", "8", "0.13")
    assert (found["modulus_1"], found["modulus_2"], found["stable"]) == ("0.7", "0.4", "yes")
    assert found["granger_p:tech>upgrade"] == "0.0455"
    assert found["granger_stat:upgrade>tech"] == "1.0"
    assert found["n_instruments"] == "12"


def test_infinite_standard_error_is_refused():
    result = panel_var()
    result.std_errors.loc["tech", "L1.upgrade"] = np.nan
    with pytest.raises(TandemError, match="'L1.upgrade' has no finite estimate and standard error"):
        estimates.from_panel_var(result, "var", "lag 1", "Windmeijer")


def test_what_is_written_is_read(tmp_path):
    first = record(fit(), note='commas, "quotes" and 中文')
    second = estimates.from_panel_var(panel_var(), "var", "NA", "Windmeijer")
    response = estimates.terms_frame("irf", "NA", "tech", pd.Series({"null": 1 / 3}), horizon=4)
    third = (response, estimates.models_frame("irf", "NA", {"r2": np.nan, "third": 1 / 3}))
    terms, models = estimates.stack([first, second, third])
    estimates.write(terms, models, tmp_path, "demo")
    read_terms, read_models = estimates.read([tmp_path])
    assert set(read_terms.pop("study")) == set(read_models.pop("study")) == {"demo"}
    pd.testing.assert_frame_equal(read_terms, terms, check_exact=True)
    pd.testing.assert_frame_equal(read_models, models)
    assert statistics(read_models)["r2"] == "undefined"
    assert statistics(read_models)["third"] == "0.3333333333333333"
    assert read_terms["horizon"].iloc[-1] == 4


def test_files_are_plain_and_stable(tmp_path):
    terms, models = record(fit())
    for folder in ("a", "b"):
        estimates.write(terms, models, tmp_path / folder, "demo")
    for name, columns in (("terms.csv", estimates.TERMS), ("models.csv", estimates.MODELS)):
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert content.splitlines()[0].decode() == ",".join(columns)
        assert b"\r" not in content
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["models.csv", "terms.csv"]


def test_several_folders_in_the_order_given(tmp_path):
    for name in ("b", "a"):
        terms, models = estimates.from_linearmodels(fit(), "static", name, "clustered")
        estimates.write(terms, models, tmp_path / name, "demo")
    terms, _ = estimates.read([tmp_path / "b", tmp_path / "a"])
    assert list(dict.fromkeys(terms["model"])) == ["b", "a"]


def test_nothing_to_stack():
    terms, models = estimates.stack([])
    assert (len(terms), len(models)) == (0, 0)
    assert ["study", *terms.columns] == estimates.TERMS


def test_same_key_twice_writes_nothing(tmp_path):
    terms, models = estimates.stack([record(fit()), record(fit())])
    with pytest.raises(TandemError, match="table 'static', model 'm'.*'const'.* twice"):
        estimates.write(terms, models, tmp_path, "demo")
    assert not list(tmp_path.iterdir())


def test_missing_estimate_writes_nothing(tmp_path):
    terms, models = record(fit())
    terms.loc[1, "estimate"] = np.nan
    with pytest.raises(TandemError, match="term 'tech' has no finite estimate"):
        estimates.write(terms, models, tmp_path, "demo")
    assert not list(tmp_path.iterdir())


def test_missing_file_and_other_columns(tmp_path):
    with pytest.raises(TandemError, match="terms.csv: not found"):
        estimates.read([tmp_path])
    (tmp_path / "terms.csv").write_text("study,estimate\n")
    with pytest.raises(TandemError, match="columns are study, estimate but must be study, table"):
        estimates.read([tmp_path])
