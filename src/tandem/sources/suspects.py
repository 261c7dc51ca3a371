"""Which published values look wrong beside their neighbours: jumps, and errors of unit.

Everything is measured in logarithms. A column is one series of one vintage in one year, over
provinces or for the nation. A value is compared with up to four values of its own region in the
nearest columns, each moved along by the median change of all regions between the two columns: what
the others did in these years is not held against it. A whole column is compared in the same way
with the nearest columns, each moved along by the trend of the series. Values that are not positive
have no logarithm and are left to the ranges of the codebook.
"""

import numpy as np
import pandas as pd

SUSPECT_COLUMNS = [
    "kind", "series", "region", "year", "vintage", "cell", "value", "neighbours", "factor", "words",
]  # fmt: skip

POWERS = [-4, -3, -2, -1, 1, 2, 3, 4]  # a unit error multiplies by 10 to one of these
NEAR = np.log(1.15)  # a suspected factor lies within 15 % of a power of ten ...
NEAR_IN_NOISE = np.log(1.5)  # ... or, where neighbours differ anyway, within two sigma up to this
HALF_WAY = np.log(10.0) / 2  # a neighbour nearer to another power of ten disagrees
FAR = 6.0  # robust standard deviations that make a value stand out
LEAST_JUMP = np.log(1.5)  # smaller changes are not listed, however quiet the series
REACH = 5  # years to a neighbour: a table of 2004 has two in 2008 and 2009 to agree on it
NEIGHBOURS = 4
SIGMA = 0.05  # no series is taken to be quieter than 5 % a year ...
SIGMA_UNKNOWN = 0.2  # ... and one with too few values to tell to vary by 20 %
FEW = 5  # fewer values say nothing about a median or a spread


def suspects(observations: pd.DataFrame) -> pd.DataFrame:
    """Values that differ from their neighbours by a power of ten, and jumps.

    A value (or a whole column) is a suspected unit error if it lies at least six robust standard
    deviations (1.4826 times the median absolute deviation; the larger of the region's own and the
    series') from its neighbours, and the factor is within 15 % (in a noisy series within two sigma,
    at most 50 %) of 10, 100, 1,000 or 10,000, or one over these, with most neighbours nearer to
    this power of ten than to another. A jump is a change on the value before, beyond the trend and
    the other regions' change, of at least six robust standard deviations and at least half or by a
    third. Nothing is deleted.

    Parameters
    ----------
    observations : DataFrame
        From `read_observations`.

    Returns
    -------
    DataFrame
        One row a suspect: kind (unit or jump), series, region ("31 regions" for a whole column),
        year, vintage, cell, value (the median of a column), neighbours (what they let expect),
        factor (value over neighbours), words.
    """
    positive = observations[observations["value"] > 0]
    positive = positive.assign(
        quantity=quantity(positive["series"]), nation=positive["region_code"] == "CN"
    ).sort_values(["quantity", "year", "vintage", "series", "region_code"], kind="stable")
    rows = []
    for _, block in positive.groupby(["quantity", "nation"], sort=True):
        rows += _suspects_of(block)
    table = pd.DataFrame(rows, columns=SUSPECT_COLUMNS)
    order = ["kind", "series", "year", "vintage", "region"]
    return table.sort_values(order, key=_units_first, ignore_index=True)


def quantity(series: pd.Series) -> pd.Series:
    """What a series counts: rounded and quoted figures are of the same quantity as the others."""
    return series.str.replace(r"_(approx|as_quoted)$", "", regex=True)


def _units_first(column: pd.Series) -> pd.Series:
    return column.ne("unit") if column.name == "kind" else column


def _suspects_of(block: pd.DataFrame) -> list[tuple]:
    """Suspects of one quantity, among provinces or for the nation."""
    names = ["year", "vintage", "series"]
    column = block.groupby(names).ngroup().to_numpy()
    region, regions = pd.factorize(block["region"], sort=True)
    logs = np.full((len(regions), column.max() + 1), np.nan)
    logs[region, column] = np.log(block["value"])
    years = block.groupby(column)["year"].first().to_numpy()
    vintages = pd.factorize(block.groupby(column)["vintage"].first())[0]
    place = np.full(logs.shape, -1)
    place[region, column] = np.arange(len(block))

    change, common = _changes(logs, years)
    trend = _trend(change, years)
    order = [_nearest(a, years, vintages) for a in range(len(years))]
    whole = np.array([_first(change[a, b] - trend * (years[a] - years[b])) for a, b in
                      enumerate(order)]).reshape(-1, NEIGHBOURS)  # fmt: skip
    distance = np.array([min(np.abs(years[b] - years[a]), default=0) for a, b in enumerate(order)])
    units = [(None, a, gap) for a, gap in _units(whole[None], distance)[:, 1:]]
    own = np.full((*logs.shape, NEIGHBOURS), np.nan)
    for a, b in enumerate(order):
        enough = b[common[a, b] >= FEW]
        gaps = logs[:, [a]] - logs[:, enough] - change[a, enough]
        own[:, a] = [_first(row) for row in gaps]
    units += [(int(i), a, gap) for i, a, gap in _units(own, distance)]
    units = [(i, int(a), gap) for i, a, gap in units]

    blamed = {(i, a) for i, a, _ in units}
    jumps = _jumps(logs, years, change, common, trend, order)
    near = {(i, b) for i, a in blamed for b in range(len(years)) if abs(years[b] - years[a]) <= 1}
    jumps = [(i, a, gap) for i, a, gap in jumps if (i, a) not in near | blamed]
    return [_row("unit", block, place, *u) for u in units] + [
        _row("jump", block, place, *j) for j in jumps
    ]


def _changes(logs: np.ndarray, years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median log change over regions between each two columns, and how many regions have both."""
    n = logs.shape[1]
    change, common = np.full((n, n), np.nan), np.zeros((n, n), int)
    for a in range(n):
        for b in np.flatnonzero(np.abs(years - years[a]) <= REACH):
            both = (logs[:, a] - logs[:, b])[~np.isnan(logs[:, a] - logs[:, b])]
            common[a, b] = len(both)
            if len(both) and a != b:
                change[a, b] = np.median(both)
    return change, common


def _trend(change: np.ndarray, years: np.ndarray) -> float:
    """Median log change a year over all pairs of columns (Theil and Sen's slope)."""
    span = years[:, None] - years[None, :]
    slopes = change[(span > 0) & ~np.isnan(change)] / span[(span > 0) & ~np.isnan(change)]
    return float(np.median(slopes)) if len(slopes) >= FEW else 0.0


def _nearest(a: int, years: np.ndarray, vintages: np.ndarray) -> np.ndarray:
    """Columns within reach of column `a`, the nearest years first, its own vintage before others"""
    distance = np.abs(years - years[a])
    inside = np.flatnonzero((distance <= REACH) & (np.arange(len(years)) != a))
    return inside[np.lexsort((vintages[inside] != vintages[a], distance[inside]))]


def _first(gaps: np.ndarray) -> np.ndarray:
    """The gaps to the nearest neighbours that are there, filled up with NaN."""
    there = gaps[~np.isnan(gaps)][:NEIGHBOURS]
    return np.concatenate([there, np.full(NEIGHBOURS - len(there), np.nan)])


def _median(values: np.ndarray) -> np.ndarray:
    """Median over the last axis, NaN (and no warning) where nothing is there."""
    out = np.full(values.shape[:-1], np.nan)
    filled = ~np.isnan(values).all(axis=-1)
    out[filled] = np.nanmedian(values[filled], axis=-1)
    return out


def _sigma(gaps: np.ndarray) -> np.ndarray:
    """Robust standard deviation of each row: its own or that of all rows, the larger."""
    center = _median(gaps)[:, None]
    counts = (~np.isnan(gaps)).sum(axis=1)
    own = np.where(counts >= FEW, 1.4826 * _median(np.abs(gaps - center)), 0.0)
    there = gaps[~np.isnan(gaps)]
    if len(there) < FEW:
        return np.full(len(gaps), SIGMA_UNKNOWN)
    pooled = 1.4826 * np.median(np.abs(there - np.median(there)))
    return np.maximum(np.maximum(own, pooled), SIGMA)


def _units(gaps: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Rows (row, column, log factor) where most neighbours agree on a power of ten.

    Sigma grows with the square root of the years to the nearest neighbour, as in a random walk.
    A single neighbour counts only from the same or the adjacent year: further away it cannot tell
    an error from growth.
    """
    middle = _median(gaps)
    sigma = _sigma(middle)[:, None] * np.sqrt(np.maximum(distance, 1))
    powers = np.log(10.0) * np.array(POWERS)
    power = powers[np.abs(middle[..., None] - powers).argmin(axis=-1)]
    near = np.maximum(NEAR, np.minimum(2 * sigma, NEAR_IN_NOISE))
    agree = (np.abs(gaps - power[..., None]) <= HALF_WAY).sum(axis=-1)
    count = (~np.isnan(gaps)).sum(axis=-1)
    most = (2 * agree > count) & ((count > 1) | (distance <= 1))
    with np.errstate(invalid="ignore"):
        found = most & (np.abs(middle - power) <= near) & (np.abs(middle) >= FAR * sigma)
    i, a = np.nonzero(found)
    return np.column_stack([i, a, middle[i, a]])


def _jumps(logs, years, change, common, trend, order) -> list[tuple]:
    """Changes on the nearest earlier column that stand out, of whole columns and of regions."""
    before = [next((b for b in order[a] if years[b] < years[a] and common[a, b]), None)
              for a in range(len(years))]  # fmt: skip
    whole = np.full((1, len(years)), np.nan)
    own = np.full(logs.shape, np.nan)
    span = np.array([1 if b is None else max(1, years[a] - years[b])
                     for a, b in enumerate(before)])  # fmt: skip
    for a, b in enumerate(before):
        if b is None:
            continue
        whole[0, a] = change[a, b] - trend * (years[a] - years[b])
        if common[a, b] >= FEW:
            own[:, a] = logs[:, a] - logs[:, b] - change[a, b]
    own -= _median(own)[:, None]
    found = []
    for gaps, is_whole in ((whole, True), (own, False)):
        if (~np.isnan(gaps)).sum() < FEW:
            continue
        least = np.maximum(FAR * _sigma(gaps)[:, None] * np.sqrt(span), LEAST_JUMP)
        with np.errstate(invalid="ignore"):
            rows = np.argwhere(np.abs(gaps) >= least)
        found += [(None if is_whole else int(i), int(a), gaps[i, a]) for i, a in rows]
    return found


def _row(kind, block, place, i, a, gap) -> tuple:
    where = place[:, a][place[:, a] >= 0] if i is None else place[[i], a]
    rows = block.iloc[where]
    one, factor = rows.iloc[0], float(np.exp(gap))
    value = float(rows["value"].median())
    several = len(rows) > 1
    if kind == "unit":
        power = 10.0 ** abs(round(gap / np.log(10)))
        times = f"{power:,.0f} times" if gap > 0 else f"1/{power:,.0f} of"
        words = f"suspected unit error: about {times} its neighbours"
    else:
        words = f"jump: {factor:.2g} times what its other years and the other regions let expect"
        if one["nation"] or several:
            words = f"jump: {factor:.2g} times what its other years let expect"
    return (
        kind,
        one["series"],
        f"{len(rows)} regions" if several else one["region"],
        int(one["year"]),
        one["vintage"],
        f"{one['cell']} and {len(rows) - 1} more" if several else one["cell"],
        value,
        value / factor,
        factor,
        words,
    )
