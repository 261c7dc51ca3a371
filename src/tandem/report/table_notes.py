"""The notes that a regression table owes its reader: brackets, standard errors, stars, sample."""

from collections.abc import Mapping

from tandem.errors import TandemError

# The American Economic Association asks for standard errors in parentheses and no asterisks.
THRESHOLDS = {"none": (), "aer": (), "10/5/1": (0.10, 0.05, 0.01)}


def regression_notes(layout: Mapping, columns: list[dict]) -> list[str]:
    """Notes of a regression table, read from the records of its columns.

    Parameters
    ----------
    layout
        With ``name``, ``rows``, ``brackets``, ``stars`` and optional ``notes``.
    columns
        One a model: {"column", "terms": {term: record}, "statistics": {name: text}}.

    Raises
    ------
    TandemError
        If a model with estimates does not say how its standard errors were computed.
    """
    notes = []
    if layout["rows"]:
        errors = _by_column([_errors(layout["name"], column) for column in columns])
        notes = [f"{_brackets(layout, columns)} {errors}.", *_inference(columns)]
        notes += _stars(layout["stars"])
    sample = _by_column([_sample(column["statistics"]) for column in columns])
    if sample:
        notes.append(f"Sample: {sample}.")
    return [*notes, *(layout.get("notes") or [])]


def _brackets(layout: Mapping, columns: list[dict]) -> str:
    if layout["brackets"] == "std_error":
        return "Standard errors in parentheses:"
    if layout["brackets"] == "statistic":
        return "Estimates divided by their standard errors in parentheses; standard errors:"
    levels = {column["statistics"].get("conf_level") for column in columns}
    if None in levels or len(levels) > 1:
        raise TandemError(
            f"table {layout['name']!r}: its models do not share one recorded conf_level; "
            "estimate all intervals at the same level."
        )
    return f"{float(levels.pop()) * 100:g}% confidence intervals in brackets; standard errors:"


def _stars(policy: str) -> list[str]:
    said = [f"{'*' * n} p < {p:.2f}" for n, p in enumerate(THRESHOLDS[policy], start=1)]
    return [", ".join(said) + "."] if said else []


def _errors(name: str, column: dict) -> str:
    """Type and clusters of one model's standard errors."""
    statistics = column["statistics"]
    words = statistics.get("se_type")
    if not words:
        raise TandemError(
            f"table {name!r}: model {column['column']!r} does not record se_type; "
            "record the type of its standard errors with the estimates."
        )
    if "n_clusters" in statistics:
        words += f" ({statistics['n_clusters']} clusters)"
    return words


def _inference(columns: list[dict]) -> list[str]:
    """Small-sample factors and the distribution behind the p-values, where they are recorded."""
    factors = [column["statistics"].get("se_factor", "") for column in columns]
    freedom = [column["statistics"].get("t_df", "") for column in columns]
    said = []
    if any(factors):
        said.append(f"Small-sample factor on the variance: {_by_column(factors)}.")
    if any(freedom):
        laws = [f"t({df})" if df else "standard normal" for df in freedom]
        said.append(f"p-values: {_by_column(laws)}.")
    return said


def _sample(statistics: Mapping[str, str]) -> str:
    """Entities and years of one model, as far as they are recorded."""
    parts = [f"{statistics['n_entities']} entities"] if "n_entities" in statistics else []
    if {"first_year", "last_year"} <= statistics.keys():
        parts.append(f"{statistics['first_year']}\N{EN DASH}{statistics['last_year']}")
    return ", ".join(parts)


def _by_column(phrases: list[str]) -> str:
    """One phrase if all columns share it, otherwise each with its columns: "a (1-2); b (3)"."""
    if len(set(phrases)) == 1:
        return phrases[0]
    said = []
    for phrase in filter(None, dict.fromkeys(phrases)):
        mine = [i for i, other in enumerate(phrases, start=1) if other == phrase]
        word = "column" if len(mine) == 1 else "columns"
        said.append(f"{phrase} in {word} {_numbers(mine)}")
    return "; ".join(said)


def _numbers(columns: list[int]) -> str:
    """(1), (3)-(5): column numbers with runs of three or more shortened."""
    runs: list[list[int]] = []
    for i in columns:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    said = []
    for run in runs:
        ends = [f"({i})" for i in run]
        said.append(f"{ends[0]}\N{EN DASH}{ends[-1]}" if len(run) > 2 else ", ".join(ends))
    return ", ".join(said)
