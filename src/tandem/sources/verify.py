"""Everything that is wrong with the observations at once, but for what is known and accepted."""

from pathlib import Path

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.sources.checks import check_identities, not_comparable
from tandem.sources.schemas import observation_problems, place
from tandem.sources.suspects import REACH, quantity, suspects

DEVIATION_COLUMNS = ["check", "where", "difference", "why"]
UNIT_ERROR = "unit error: "  # in the column check, before the series
_SHOWN = 20


def verify(
    observations: pd.DataFrame, codebook: pd.DataFrame, deviations: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Schema, identities and suspects of the observations.

    A failed identity and a suspected unit error are problems unless a line of known_deviations.csv
    accepts exactly this case with this difference. A line whose figures were read but which no
    longer occurs is a problem too. A jump is none.

    Parameters
    ----------
    observations, codebook : DataFrame
        From `read_observations` and `read_codebook`.
    deviations : DataFrame
        From `read_deviations`.

    Returns
    -------
    frames : dict of DataFrame
        checks and suspects, each with the column accepted (the reason, "" if none), and
        not_comparable.
    problems : list of str
        One sentence each; hand them to `refuse`, with those of the panel.
    """
    problems = observation_problems(observations, codebook)
    if problems:  # sums and medians of such values would say nothing
        return {}, problems
    checks, found = check_identities(observations), suspects(observations)
    units = found["kind"] == "unit"
    cases = pd.concat([_identity_cases(checks), _unit_cases(found[units])])
    accepted = np.array([_accepted(case, deviations) for case in cases.to_dict("records")], object)
    cases = cases.assign(accepted=accepted)
    problems = [_sentence(case, deviations) for case in cases[accepted == ""].itertuples()]
    problems += _stale(deviations, cases, checks, observations)
    reasons = cases.set_index(["check", "where"])["accepted"]
    frames = {
        "checks": checks.assign(accepted=_look_up(reasons, checks["check"], checks["where"])),
        "suspects": found.assign(
            accepted=_look_up(reasons, UNIT_ERROR + found["series"], _where(found))
        ),
        "not_comparable": not_comparable(observations),
    }
    frames["suspects"].loc[~units, "accepted"] = ""
    return frames, problems


def read_deviations(data: Path) -> pd.DataFrame:
    """Cases in which the publication itself breaks a rule, accepted with their reason.

    Parameters
    ----------
    data : Path
        Folder with known_deviations.csv: check, where, difference, why. For an identity the first
        three are those of `check_identities`; for a suspected unit error they are "unit error: "
        and the series, "region year (vintage)", and the power of ten.

    Raises
    ------
    TandemError
        If the file, a column or an entry is missing, or a case stands twice.
    """
    path = Path(data) / "known_deviations.csv"
    if not path.is_file():
        columns = ", ".join(DEVIATION_COLUMNS)
        raise TandemError(f"{path} does not exist; make it, if only with the line {columns}.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    absent = [name for name in DEVIATION_COLUMNS if name not in table.columns]
    if absent:
        raise TandemError(f"{path} lacks the column {', '.join(absent)}; add it to its first line.")
    table = table[DEVIATION_COLUMNS].apply(lambda column: column.str.strip())
    number = pd.to_numeric(table["difference"], errors="coerce")
    problems = []
    for line, row in enumerate(table.itertuples(index=False), start=2):
        at = f"known_deviations.csv line {line}"
        if not (row.check and row.where and row.why):
            problems.append(f"{at}: check, where or why is blank; fill it in.")
        if not np.isfinite(number[line - 2]):
            problems.append(f"{at}: difference '{row.difference}' is not a number; write one.")
        if table.duplicated(["check", "where"])[line - 2]:
            problems.append(f"{at}: this case stands in an earlier line too; delete one of them.")
    refuse(problems)
    return table.assign(difference=number)


def refuse(problems: list[str]) -> None:
    """Stop if there are problems.

    Raises
    ------
    TandemError
        The first 20, one sentence a line, and how many more there are.
    """
    if problems:
        more = len(problems) - _SHOWN
        tail = [f"There are {more} more problems."] if more > 0 else []
        raise TandemError("\n".join(problems[:_SHOWN] + tail))


def _identity_cases(checks: pd.DataFrame) -> pd.DataFrame:
    failed = checks[~checks["passed"]]
    rounding = [
        f" (rounding allows {t:.6g})" if "<=" not in check else ""
        for check, t in zip(failed["check"], failed["tolerance"], strict=True)
    ]
    words = [
        f"'{row.check}' expects {row.expected:.10g} but finds {row.found:.10g}, a difference of "
        f"{row.difference:.6g}{allowed}"
        for row, allowed in zip(failed.itertuples(), rounding, strict=True)
    ]
    return failed[["check", "where", "difference", "cells"]].assign(words=words)


def _unit_cases(units: pd.DataFrame) -> pd.DataFrame:
    words = [
        f"{row.series} is {row.value:.15g}, {row.words}, which let expect {row.neighbours:.4g}"
        for row in units.itertuples()
    ]
    return pd.DataFrame(
        {
            "check": UNIT_ERROR + units["series"],
            "where": _where(units),
            "difference": 10.0 ** np.log10(units["factor"].astype(float)).round(),
            "cells": units["cell"],
            "words": words,
        }
    )


def _where(found: pd.DataFrame) -> pd.Series:
    return found["region"] + " " + found["year"].astype(str) + " (" + found["vintage"] + ")"


def _accepted(case: dict, deviations: pd.DataFrame) -> str:
    """The reason of the line that accepts this case with this difference, "" if there is none."""
    same = (deviations["check"] == case["check"]) & (deviations["where"] == case["where"])
    same &= np.isclose(deviations["difference"].astype(float), case["difference"], rtol=1e-3)
    return next(iter(deviations.loc[same, "why"]), "")


def _look_up(reasons: pd.Series, check: pd.Series, where: pd.Series) -> list[str]:
    known = reasons.to_dict()
    return [known.get(key, "") for key in zip(check, where, strict=True)]


def _sentence(case, deviations: pd.DataFrame) -> str:
    cells = " and ".join(place(cell) for cell in case.cells.split("; "))
    line = deviations[(deviations["check"] == case.check) & (deviations["where"] == case.where)]
    what_to_do = (
        f"known_deviations.csv accepts a difference of {line['difference'].iloc[0]:g}, not of "
        f"{case.difference:.6g}: correct the figure or the line"
        if len(line)
        else "correct the figure, or if it is so in print add a line with the reason to "
        "data/known_deviations.csv"
    )
    return f"{cells}, {case.where}: {case.words}; {what_to_do}."


def _stale(deviations, cases, checks, observations) -> list[str]:
    """Lines of known_deviations.csv that accept what is not there, though its figures were read."""
    named = deviations["check"][deviations["check"].str.startswith(UNIT_ERROR)]
    series = quantity(named.str.removeprefix(UNIT_ERROR))
    looked_at = set(zip(checks["check"], checks["where"], strict=True))
    looked_at |= _compared(observations, set(series))
    gone = looked_at - set(zip(cases["check"], cases["where"], strict=True))
    return [
        f"known_deviations.csv accepts '{line.check}' in {line.where}, but this deviation no "
        "longer occurs; delete the line."
        for line in deviations.itertuples()
        if (line.check, line.where) in gone
    ]


def _compared(observations: pd.DataFrame, quantities: set[str]) -> set[tuple[str, str]]:
    """Values of these quantities that were compared with a neighbour: with another one in reach."""
    obs = observations.assign(quantity=quantity(observations["series"]))
    found = set()
    for _, rows in obs[obs["quantity"].isin(quantities)].groupby(["quantity", "region"]):
        years = rows["year"].to_numpy()
        near = (np.abs(years[:, None] - years[None, :]) <= REACH).sum(axis=1) > 1
        kept = rows[near]
        found |= set(zip(UNIT_ERROR + kept["series"], _where(kept), strict=True))
    return found
