"""Technological progress: knowledge stocks, total factor productivity, division of labour."""

import numpy as np
import pandas as pd
import scipy

from tandem.errors import TandemError
from tandem.indices._inputs import along_years, complete, paired, refuse, rows_like, same_kind


def capital_stock(
    investment: np.ndarray | pd.Series,
    delta: float = 0.15,
    growth: float | None = None,
    lagged: bool = False,
) -> np.ndarray | pd.Series:
    """Stock of capital or knowledge by perpetual inventory.

    ``S_t = (1 - delta) S_{t-1} + E_t`` (or ``E_{t-1}``), ``S_0 = E_0 / (growth + delta)``
    (Griliches 1979, Bell Journal of Economics 10(1)).

    Parameters
    ----------
    investment : array (..., years) or Series
        Real investment of consecutive years, none missing; a Series has the index year or
        (entity, year).
    delta : float
        Yearly depreciation.
    growth : float, optional
        Yearly growth before the first year; if left out, the mean growth of `investment` from its
        first to its last year, entity by entity.
    lagged : bool
        Whether investment enters the stock one year later.

    Returns
    -------
    array or Series like `investment`
        Same unit.

    Raises
    ------
    TandemError
        On a missing year, a negative value, no investment in the first year while `growth` is
        left out, or growth + delta of 0 or less.
    """
    if isinstance(investment, pd.Series):
        return along_years(lambda wide: _inventory(wide, delta, growth, lagged), investment)
    return _inventory(investment, delta, growth, lagged)


def _inventory(investment, delta: float, growth: float | None, lagged: bool) -> np.ndarray:
    flow = complete(investment, "a stock needs every year, so fill it or shorten the period")
    refuse(flow < 0, investment, "investment cannot be below 0, so correct the value")
    years = flow.shape[-1]
    if growth is None:
        if years < 2:
            raise TandemError("Mean growth needs at least two years: give the growth rate.")
        none = np.zeros(flow.shape, dtype=bool)
        none[..., 0] = flow[..., 0] == 0
        refuse(none, investment, "mean growth cannot start from 0, so give the growth rate")
        growth = (flow[..., -1] / flow[..., 0]) ** (1 / (years - 1)) - 1
    if np.any(np.asarray(growth) + delta <= 0):
        raise TandemError(
            f"Growth plus depreciation is {np.min(growth) + delta:.3g}, but the first stock needs "
            "it above 0: give another growth rate."
        )
    stock = np.empty_like(flow)
    stock[..., 0] = flow[..., 0] / (growth + delta)
    for t in range(1, years):
        stock[..., t] = (1 - delta) * stock[..., t - 1] + flow[..., t - 1 if lagged else t]
    return stock


def solow_residual(
    output: np.ndarray | pd.Series,
    capital: np.ndarray | pd.Series,
    labour: np.ndarray | pd.Series,
    capital_share: float,
    labour_share: float | None = None,
) -> np.ndarray | pd.Series:
    """Log total factor productivity, ``ln A = ln Y - a ln K - b ln L``.

    Solow (1957, Review of Economics and Statistics 39(3):312-320) in levels. Growth rates are the
    differences between years; levels compare entities only in the units given.

    Parameters
    ----------
    output, capital, labour : array or Series
        Above 0, output and capital at constant prices; Series have the same rows.
    capital_share : float
        a, from 0 to 1.
    labour_share : float, optional
        b, 0 or more; if left out 1 - a, constant returns to scale.

    Returns
    -------
    array or Series like `output`
        Natural logarithm.

    Raises
    ------
    TandemError
        On a missing value or one of 0 or less, other rows, or a share outside its range.
    """
    labour_share = 1 - capital_share if labour_share is None else labour_share
    if not 0 <= capital_share <= 1 or labour_share < 0:
        raise TandemError(
            f"The shares of capital and labour are {capital_share} and {labour_share}: give a "
            "share of capital from 0 to 1 and one of labour of 0 or more."
        )
    paired(output, capital)
    paired(output, labour)
    y, k, n = (_logarithm(values) for values in (output, capital, labour))
    return same_kind(y - capital_share * k - labour_share * n, output, "ln_tfp")


def _logarithm(x) -> np.ndarray:
    values = complete(x, "total factor productivity needs every value, so fill it or drop the row")
    refuse(values <= 0, x, "total factor productivity needs values above 0, so correct it")
    return np.log(values)


def dea_distances(
    outputs: np.ndarray,
    inputs: np.ndarray,
    frontier_outputs: np.ndarray,
    frontier_inputs: np.ndarray,
) -> np.ndarray:
    """Output distances of units to the frontier of other units, with constant returns to scale.

    ``1 / D = max phi`` subject to ``Y'lambda >= phi y``, ``X'lambda <= x``, ``lambda >= 0``
    (Charnes, Cooper and Rhodes 1978; Fare et al. 1994, American Economic Review 84(1):66-83, eqs.
    3 and 12; equations from memory), as one linear programme for all units, solved by HiGHS.

    Parameters
    ----------
    outputs : array (n, p)
    inputs : array (n, q)
        Units to measure, above 0.
    frontier_outputs : array (m, p)
    frontier_inputs : array (m, q)
        Units that span the frontier, above 0.

    Returns
    -------
    array (n,)
        1 on the frontier, less below, more beyond a frontier without the unit.

    Raises
    ------
    TandemError
        If the programme cannot be solved.
    """
    # Goods counted in the frontier's means and, as returns are constant, units brought to one size
    # leave distances as they are and give the solver numbers near 1.
    good = frontier_outputs.mean(axis=0), frontier_inputs.mean(axis=0)
    y, x = _one_size(outputs / good[0], inputs / good[1])
    Y, X = _one_size(frontier_outputs / good[0], frontier_inputs / good[1])
    n, m = len(y), len(Y)
    # Radial output 1, least common share of the inputs: with constant returns this is D itself.
    weights = scipy.sparse.kron(
        np.eye(n), scipy.sparse.csr_array(np.vstack([-Y.T, X.T])), format="csr"
    )
    share = scipy.sparse.block_diag(
        [np.concatenate([np.zeros(y.shape[1]), -row])[:, None] for row in x]
    )
    bound = np.hstack([-y, np.zeros_like(x)]).ravel()
    cost = np.concatenate([np.zeros(n * m), np.ones(n)])
    found = scipy.optimize.linprog(
        cost, A_ub=scipy.sparse.hstack([weights, share], format="csr"), b_ub=bound, method="highs"
    )
    if found.status != 0:
        raise TandemError(f"The distances to the frontier were not found: {found.message}.")
    return found.x[n * m :]


def _one_size(outputs: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = outputs.mean(axis=1, keepdims=True)
    return outputs / size, inputs / size


def malmquist(outputs: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    """Malmquist index of total factor productivity by data envelopment analysis.

    ``M = sqrt(D^t(t+1) / D^t(t) * D^{t+1}(t+1) / D^{t+1}(t)) = EC * TC``: catching up with the
    frontier of the year, ``EC = D^{t+1}(t+1) / D^t(t)``, times the shift of the frontier (Fare,
    Grosskopf, Norris and Zhang 1994, American Economic Review 84(1):66-83, eqs. 5 and 6; equations
    from memory). Frontiers are those of one year each, output-oriented, with constant returns. An
    entity more or less, or one bad figure on the frontier, changes the index of others.

    Parameters
    ----------
    outputs : DataFrame (entity-years, p)
    inputs : DataFrame (entity-years, q)
        Above 0, index (entity, year), the same rows, every entity in every year. Units are free.

    Returns
    -------
    DataFrame (entity-years, 5)
        Without the first year: malmquist, efficiency_change, technical_change, from the year
        before to the year, above 1 for progress; efficiency_before and efficiency, the distances
        to the frontiers of the two years.

    Raises
    ------
    TandemError
        On a missing value or one of 0 or less, other rows, a missing entity-year, a gap between
        years, or fewer than two years.
    """
    paired(outputs, inputs)
    entities, years = _balanced(outputs.index)
    order = pd.MultiIndex.from_product([entities, years], names=outputs.index.names)
    Y, X = (_goods(table).loc[order].to_numpy() for table in (outputs, inputs))
    Y, X = (v.reshape(len(entities), len(years), -1).swapaxes(0, 1) for v in (Y, X))
    own = [dea_distances(y, x, y, x) for y, x in zip(Y, X, strict=True)]
    parts = []
    for t in range(1, len(years)):
        now, before = own[t], own[t - 1]
        now_by_before = dea_distances(Y[t], X[t], Y[t - 1], X[t - 1])
        before_by_now = dea_distances(Y[t - 1], X[t - 1], Y[t], X[t])
        part = {
            "malmquist": np.sqrt(now_by_before / before * now / before_by_now),
            "efficiency_change": now / before,
            "technical_change": np.sqrt(now_by_before / now * before / before_by_now),
            "efficiency_before": before,
            "efficiency": now,
        }
        parts.append(pd.DataFrame(part, index=order[order.get_level_values(1) == years[t]]))
    found = pd.concat(parts)
    return found.reindex(outputs.index[outputs.index.get_level_values(1) > years[0]])


def _balanced(index: pd.MultiIndex) -> tuple[pd.Index, pd.Index]:
    """Entities and years in order, if every entity has every year once."""
    entities, years = (index.get_level_values(level).unique().sort_values() for level in (0, 1))
    absent = pd.MultiIndex.from_product([entities, years]).difference(index)
    if len(absent):
        entity, year = absent[0]
        raise TandemError(f"{entity} has no row for {year}: fill it or leave the entity out.")
    if not index.is_unique:
        entity, year = index[index.duplicated()][0]
        raise TandemError(f"{entity} has {year} twice: keep one row.")
    gap = np.flatnonzero(np.diff(years) != 1)
    if gap.size:
        raise TandemError(
            f"Years jump from {years[gap[0]]} to {years[gap[0] + 1]}: fill the years between or "
            "shorten the period."
        )
    if len(years) < 2:
        raise TandemError("The Malmquist index needs at least two years.")
    return entities, years


def _goods(table: pd.DataFrame) -> pd.DataFrame:
    values = complete(table, "a frontier needs every value, so fill it or leave the entity out")
    refuse(values <= 0, table, "a frontier needs values above 0, so correct it")
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def field_entropy(counts: np.ndarray | pd.DataFrame) -> np.ndarray | float | pd.Series:
    """Division of labour: Shannon entropy of enterprises over fields, ``-sum_i s_i ln s_i``.

    From 0, all in one field, to ln k, equally many in each of k fields (Shannon 1948, Bell System
    Technical Journal 27(3)). It rises when fields are listed more finely, so compare one list.

    Parameters
    ----------
    counts : array (..., k) or DataFrame (rows, k)
        Enterprises (or staff, revenue) by field, 0 or more; a field without any adds 0.

    Returns
    -------
    float, array (...) or Series
        In nats; ``exp`` of it is the number of equally large fields as diverse.

    Raises
    ------
    TandemError
        On a missing or negative value, or if all fields are 0.
    """
    share = _field_shares(counts)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    # Adding 0 turns the -0 of a single field into 0.
    return rows_like(0.0 - (share * logs).sum(axis=-1), counts, "entropy")


def herfindahl(counts: np.ndarray | pd.DataFrame) -> np.ndarray | float | pd.Series:
    """Herfindahl-Hirschman index of enterprises over fields, ``sum_i s_i^2``, from 1/k to 1.

    Hirschman (1964, American Economic Review 54(5):761-762). Arguments and errors as
    `field_entropy`; the lower, the deeper the division of labour.
    """
    return rows_like((_field_shares(counts) ** 2).sum(axis=-1), counts, "herfindahl")


def _field_shares(counts) -> np.ndarray:
    values = complete(counts, "shares of fields need every field, so fill it or leave the row out")
    refuse(values < 0, counts, "a field cannot be below 0, so correct the value")
    total = values.sum(axis=-1, keepdims=True)
    empty = np.broadcast_to(total == 0, values.shape)
    refuse(empty, counts, "all fields are 0, so correct them or leave the row out")
    return values / total


def services_share(
    services: np.ndarray | pd.Series, products: np.ndarray | pd.Series
) -> np.ndarray | pd.Series:
    """Advancement within an industry: services' share of services and products together.

    Parameters
    ----------
    services, products : array or Series
        Revenue, staff or enterprises in one unit, 0 or more; Series have the same rows.

    Returns
    -------
    array or Series
        From 0 to 1.

    Raises
    ------
    TandemError
        On a missing or negative value, both 0, or other rows.
    """
    paired(services, products)
    advice = "the share of services needs both parts, so fill it or leave the row out"
    s, p = complete(services, advice), complete(products, advice)
    for part, given in ((s, services), (p, products)):
        refuse(part < 0, given, "it cannot be below 0, so correct the value")
    refuse(s + p == 0, services, "services and products are both 0, so leave the row out")
    return same_kind(s / (s + p), services, "services_share")
