"""One direction of a study's question, and how its estimates become records and lines of tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tandem import estimates
from tandem.study import Study


@dataclass(frozen=True)
class Link:
    """One direction: the effect's score on the cause's of a year before, and controls."""

    study: Study
    cause: str
    effect: str
    scores: pd.DataFrame
    panel: pd.DataFrame
    y: pd.Series
    x: pd.DataFrame
    pairs: pd.DataFrame | None
    seed: np.random.SeedSequence

    @property
    def lagged(self) -> pd.Series:
        return self.x.iloc[:, 0]

    @property
    def controls(self) -> pd.DataFrame | None:
        return self.x.iloc[:, 1:] if self.x.shape[1] > 1 else None

    @property
    def spec(self):
        return self.study.models.robustness


def records_of(link: Link, model: str, terms: pd.DataFrame, statistics: dict) -> estimates.Records:
    """Terms and statistics of one model of the step."""
    table = _table(link)
    kept = terms.drop(columns="estimate")
    se_type = str(statistics.get("se_type", ""))
    frame = estimates.terms_frame(
        table, model, link.effect, terms["estimate"], **dict(kept.items()), se_type=se_type
    )
    flat = {k: v for k, v in statistics.items() if np.isscalar(v)}
    return frame, estimates.models_frame(table, model, flat)


def records_of_tests(link: Link, tests: pd.DataFrame) -> estimates.Records:
    """The table of tests as statistics of a model "tests": each statistic and p-value."""
    flat = {}
    for row in tests.itertuples():
        name = f"{row.group}: {row.test}"
        flat |= {name: row.statistic} if np.isfinite(row.statistic) else {}
        flat[f"{name}, p"] = row.p_value
    return estimates.stack([])[0], estimates.models_frame(_table(link), "tests", flat)


def _table(link: Link) -> str:
    return f"robustness_{link.effect}"


def estimate_line(row: pd.Series, model: str, **more) -> pd.DataFrame:
    """A line of the table of alternative estimates."""
    columns = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]
    return pd.DataFrame([{"model": model, **row.reindex(columns).to_dict(), **more}])


def line_of_test(group: str, test: str, statistic: float, df, p_value: float, null: str) -> dict:
    """A line of the table of tests."""
    return {
        "group": group, "test": test, "statistic": statistic, "df": str(df), "p_value": p_value,
        "null": null,
    }  # fmt: skip


def complete(y: pd.Series, x: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """The rows that have y and every x."""
    rows = x.join(y.rename("__y__")).dropna()
    return rows["__y__"].rename(y.name), rows[list(x)]


def seed_of(link: Link, stream: int) -> int:
    """A seed of its own for each resampling of a direction, whatever ran before it."""
    return int(link.seed.generate_state(16)[stream])
