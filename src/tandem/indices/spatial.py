"""Neighbours and spatial correlation: contiguity, spatial lag, global and local Moran.

Panel functions take a Series indexed (entity, year) and a DataFrame of weights between the same
entities, and match them by name. Every year draws its permutations from its own stream, so neither
the order of rows nor the other years change a result. Own code, as esda and giddy bring geopandas,
numba and scikit-learn along for what fits a page; the tests hold it to their numbers.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

from tandem.errors import TandemError
from tandem.indices._inputs import complete

PAIRS = ["code_a", "code_b", "province_a", "province_b", "by"]
BORDERS = ("land", "strait")


def read_contiguity(path: str | Path) -> pd.DataFrame:
    """Pairs of neighbours, each once, from a table such as ``data/contiguity.csv``.

    That table has the 31 provinces of the codebook. Its 68 pairs by land were written from memory
    and are the same as the pairs with a common border in the map "China, admin 1" of the Highcharts
    map collection 2.3.3. Hainan is an island: its one pair is Guangdong, across the strait.

    Parameters
    ----------
    path : str or Path
        CSV with the columns code_a, code_b (the smaller code first), province_a, province_b and
        by: land, or strait where a pair meets across the sea.

    Returns
    -------
    DataFrame
        The same columns, all text. Without the strait: ``pairs[pairs["by"] == "land"]``.

    Raises
    ------
    TandemError
        On a missing column or cell, an unknown border, a pair that is given twice or out of
        order, or a code with two names.
    """
    pairs = pd.read_csv(path, dtype=str, keep_default_na=False)
    absent = [column for column in PAIRS if column not in pairs]
    if absent:
        raise TandemError(f"{path} has no column {absent[0]}: add it.")
    names = {}
    for line, row in enumerate(pairs[PAIRS].itertuples(index=False), start=2):
        where = f"{path}, line {line} ({row.province_a}, {row.province_b})"
        if not all(row):
            raise TandemError(f"{where} has an empty cell: fill it.")
        if row.by not in BORDERS:
            raise TandemError(f"{where} meets by '{row.by}': write {' or '.join(BORDERS)}.")
        if row.code_a >= row.code_b:
            raise TandemError(f"{where} must have the smaller code first: swap the two.")
        for code, name in ((row.code_a, row.province_a), (row.code_b, row.province_b)):
            if names.setdefault(code, name) != name:
                raise TandemError(f"{where} calls {code} {name}, a line above {names[code]}.")
    twice = pairs[pairs.duplicated(["code_a", "code_b"])]
    if len(twice):
        a, b = twice.iloc[0][["province_a", "province_b"]]
        raise TandemError(f"{path} has {a} and {b} twice: keep one line.")
    return pairs[PAIRS]


def contiguity_weights(pairs: pd.DataFrame, entities: Iterable[str]) -> pd.DataFrame:
    """Binary weights: 1 between neighbours, else 0.

    Parameters
    ----------
    pairs : DataFrame
        Columns province_a, province_b; pairs with an entity that is not asked for are left out.
    entities : iterable of str (n,)

    Returns
    -------
    DataFrame (n, n)
        Symmetric, 0 on the diagonal, in the order of `entities`.

    Raises
    ------
    TandemError
        If an entity is asked for twice or has no neighbour among the others.
    """
    entities = pd.Index(entities, name="entity")
    if not entities.is_unique:
        raise TandemError(f"{entities[entities.duplicated()][0]} is asked for twice.")
    weights = pd.DataFrame(0.0, index=entities, columns=entities.rename(None))
    for a, b in zip(pairs["province_a"], pairs["province_b"], strict=True):
        if a in entities and b in entities:
            weights.loc[a, b] = weights.loc[b, a] = 1.0
    alone = entities[weights.sum(axis=1) == 0]
    if len(alone):
        raise TandemError(
            f"{alone[0]} has no neighbour among the entities: keep its pair by strait, add a pair, "
            "or leave it out."
        )
    return weights


def row_standardise(W: pd.DataFrame) -> pd.DataFrame:
    """Weights with rows that sum to 1, so that a spatial lag is the mean of the neighbours.

    Parameters
    ----------
    W : DataFrame (n, n)

    Returns
    -------
    DataFrame (n, n)

    Raises
    ------
    TandemError
        On a negative weight or a row of zeros.
    """
    values = complete(W, "spatial weights must all be given")
    if (values < 0).any():
        raise TandemError("Spatial weights cannot be below 0: correct them.")
    alone = W.index[values.sum(axis=1) == 0]
    if len(alone):
        raise TandemError(f"{alone[0]} has no neighbour: give it one or leave it out.")
    return W.div(values.sum(axis=1), axis=0)


def spatial_lag(x: pd.Series, W: pd.DataFrame) -> pd.Series:
    """Weighted sum over the neighbours in the same year, ``sum_j W_ij x_jt``.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Every entity in every year.
    W : DataFrame (n, n)
        Spatial weights between the entities; row-standardised, the lag is a mean.

    Returns
    -------
    Series like `x`

    Raises
    ------
    TandemError
        On a missing value, an entity without weights, or weights that do not fit.
    """
    wide, w = _by_year(x, W)
    return _long(wide.to_numpy() @ w.T, wide, x.index).rename(x.name)


def moran(x: np.ndarray, W: np.ndarray) -> tuple[np.ndarray | float, float]:
    """Moran's I and its expectation without spatial correlation, ``-1 / (n - 1)``.

    ``I = n / sum W * z'W z / z'z`` with z the deviations from the mean (Moran 1950, Biometrika
    37(1/2):17-23).

    Parameters
    ----------
    x : array (..., n)
        Values of n places, for instance one row a year, none missing.
    W : array (n, n)
        Spatial weights of 0 or more, 0 on the diagonal, in the order of `x`.

    Returns
    -------
    statistic : array (...)
    expected : float

    Raises
    ------
    TandemError
        On a missing value, values that are all the same, or weights that do not fit.
    """
    values = complete(x, "Moran's I needs every place, so fill it or leave the place out")
    w = _weights(W, values.shape[-1])
    return _moran(_deviations(values), w), -1 / (len(w) - 1)


def moran_test(x: pd.Series, W: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Moran's I of each year with its analytic and its permutation test.

    The variances under normality and under randomisation are those of Cliff and Ord (1981,
    Spatial Processes, ch. 2; from memory, equal to esda's). The permutation p-value is the share
    of draws at least as far from the expectation as I, I itself among them.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Every entity in every year, four entities or more.
    W : DataFrame (n, n)
        Spatial weights between the entities.
    draws : int
        Permutations a year.
    seed : int

    Returns
    -------
    DataFrame (years, 8)
        statistic, expected, variance_normal, variance (under randomisation), z and p_value (of
        the latter), p_permutation, n. All p-values are two-sided.

    Raises
    ------
    TandemError
        On a missing value, fewer than four entities, values that are all the same in a year, or
        weights that do not fit.
    """
    wide, w = _by_year(x, W)
    n = len(w)
    if n < 4:
        raise TandemError(f"The variance of Moran's I needs at least four entities, not {n}.")
    expected = -1 / (n - 1)
    z = _deviations(wide)
    found = pd.DataFrame({"statistic": _moran(z, w), "expected": expected}, index=wide.index)
    found["variance_normal"], found["variance"] = _moran_variances(z, w)
    found["z"] = (found["statistic"] - expected) / np.sqrt(found["variance"])
    found["p_value"] = 2 * scipy.stats.norm.sf(found["z"].abs())
    distance = (found["statistic"] - expected).abs().to_numpy()
    shares = []
    for year, row, seen in zip(wide.index, z, distance, strict=True):
        mixed = np.random.default_rng([seed, year]).permuted(np.tile(row, (draws, 1)), axis=1)
        # Equal statistics must tie whatever the rounding of their sums.
        as_far = np.abs(_moran(mixed, w) - expected) >= seen - 1e-12
        shares.append((1 + as_far.sum()) / (1 + draws))
    return found.assign(p_permutation=shares, n=n)


def local_moran(x: pd.Series, W: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Local Moran's I: where high or low values cluster.

    ``I_i = z_i / m2 sum_j W_ij z_j`` with ``m2 = z'z / n`` (Anselin 1995, Geographical Analysis
    27(2):93-115, eq. 12; esda divides by n - 1), so the sum over i is ``I sum W``. For the p-value
    the other places are permuted around place i; it is twice the smaller tail, at most 1.

    Parameters
    ----------
    x : Series indexed (entity, year)
        Every entity in every year.
    W : DataFrame (n, n)
        Spatial weights between the entities.
    draws : int
        Permutations a place and year.
    seed : int

    Returns
    -------
    DataFrame, index of `x`
        statistic; quadrant: high-high, low-low, high-low or low-high, first the place, then its
        neighbours, against the mean of the year (high is above it); p_value; q_value: p adjusted
        for the n tests of a year (Benjamini and Hochberg 1995).

    Raises
    ------
    TandemError
        As `moran_test`, but for the number of entities.
    """
    wide, w = _by_year(x, W)
    z = _deviations(wide)
    lag = z @ w.T
    local = z * lag / (z * z).mean(axis=1, keepdims=True)
    p = np.array([_local_p(*year, w, draws, seed) for year in zip(wide.index, z, lag, strict=True)])
    side = np.array(["low", "high"])
    quadrant = np.char.add(np.char.add(side[(z > 0).astype(int)], "-"), side[(lag > 0).astype(int)])
    columns = {
        "statistic": local,
        "quadrant": quadrant.astype(object),
        "p_value": p,
        "q_value": scipy.stats.false_discovery_control(p, axis=1),
    }
    return pd.DataFrame({name: _long(v, wide, x.index) for name, v in columns.items()})


def _local_p(year: int, z: np.ndarray, lag: np.ndarray, w: np.ndarray, draws: int, seed: int):
    """Two-sided conditional permutation p-values of one year."""
    rng = np.random.default_rng([seed, year])
    p = np.empty(len(z))
    for i in range(len(z)):
        others = np.arange(len(z)) != i
        mixed = rng.permuted(np.tile(z[others], (draws, 1)), axis=1) @ w[i, others]
        tails = (mixed >= lag[i] - 1e-12).sum(), (mixed <= lag[i] + 1e-12).sum()
        p[i] = min(1.0, 2 * (1 + min(tails)) / (1 + draws))
    return p


def _by_year(x: pd.Series, W: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Years x entities, and the weights between them, both in the order of entities' names."""
    wide = x.unstack(level=0).sort_index().sort_index(axis=1)
    absent = wide.columns.difference(W.index.intersection(W.columns))
    if len(absent):
        raise TandemError(f"The spatial weights lack {absent[0]}: add its row and column.")
    complete(wide, "spatial measures need every entity in every year, so fill it or leave it out")
    return wide, _weights(W.loc[wide.columns, wide.columns], len(wide.columns))


def _long(values: np.ndarray, wide: pd.DataFrame, index: pd.MultiIndex) -> pd.Series:
    """Years x entities back on the rows of the panel."""
    frame = pd.DataFrame(values, index=wide.index, columns=wide.columns)
    return frame.T.stack().reindex(index)


def _weights(W, n: int) -> np.ndarray:
    w = complete(W, "spatial weights must all be given")
    if w.shape != (n, n) or (w < 0).any() or np.diag(w).any() or not w.any():
        raise TandemError(
            f"Spatial weights must be a {n} x {n} table of values of 0 or more, not all 0, with 0 "
            "on the diagonal."
        )
    return w


def _deviations(x) -> np.ndarray:
    values = np.asarray(x, dtype=float)
    same = np.ptp(values, axis=-1) == 0
    if same.any():
        year = f" in {x.index[same.argmax()]}" if isinstance(x, pd.DataFrame) else ""
        raise TandemError(f"All places have the same value{year}, so Moran's I is undefined.")
    return values - values.mean(axis=-1, keepdims=True)


def _moran(z: np.ndarray, w: np.ndarray) -> np.ndarray:
    return len(w) / w.sum() * ((z @ w) * z).sum(axis=-1) / (z * z).sum(axis=-1)


def _moran_variances(z: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Variance of Moran's I under normality, and of each row under randomisation."""
    n, s0 = len(w), w.sum()
    s1 = ((w + w.T) ** 2).sum() / 2
    s2 = ((w.sum(axis=0) + w.sum(axis=1)) ** 2).sum()
    normal = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2)
    kurtosis = (z**4).mean(axis=-1) / (z**2).mean(axis=-1) ** 2
    free = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    tied = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    randomised = (free - tied) / ((n - 1) * (n - 2) * (n - 3) * s0**2)
    return normal - 1 / (n - 1) ** 2, randomised - 1 / (n - 1) ** 2


def border_steps(W: pd.DataFrame) -> pd.DataFrame:
    """Weights that fall with the square of the number of borders between two entities.

    Parameters
    ----------
    W : DataFrame (n, n)
        Neighbours, from `contiguity_weights`.

    Returns
    -------
    DataFrame (n, n)
        1 / steps^2, 0 on the diagonal and between entities that no chain of neighbours joins.
    """
    near = W.to_numpy() > 0
    steps = np.where(near, 1.0, np.inf)
    reached = near | np.eye(len(W), dtype=bool)
    for distance in range(2, len(W)):
        further = (reached.astype(float) @ near > 0) & ~reached
        if not further.any():
            break
        steps[further] = distance
        reached |= further
    return pd.DataFrame(1 / steps**2, W.index, W.columns)


def nearness(values: pd.Series) -> pd.DataFrame:
    """Weights that fall with the difference in a variable, such as mean GDP per head.

    Parameters
    ----------
    values : Series (n,)
        By entity.

    Returns
    -------
    DataFrame (n, n)
        1 / |v_i - v_j|, 0 on the diagonal.

    Raises
    ------
    TandemError
        A missing value, or two entities with the same value.
    """
    if values.isna().any():
        raise TandemError(f"{values.index[values.isna()][0]} has no value to be near by.")
    if values.duplicated().any():
        raise TandemError(
            f"{values.index[values.duplicated()][0]} has the value of another entity."
        )
    v = values.to_numpy(float)
    apart = np.abs(v[:, None] - v[None, :])
    np.fill_diagonal(apart, np.inf)
    return pd.DataFrame(1 / apart, values.index, values.index.rename(None))
