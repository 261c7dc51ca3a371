"""Stocks of research, and the division of labour among an industry's fields."""

import numpy as np
import pandas as pd

from tandem.errors import TandemError
from tandem.indices import capital_stock, field_entropy, herfindahl, services_share
from tandem.panel.formula import evaluate, names_in
from tandem.study import Study


def research_stock(study: Study, published: pd.DataFrame) -> pd.DataFrame:
    """Stock of R&D by perpetual inventory, in both timings.

    Parameters
    ----------
    published : DataFrame (entity-years, base series)

    Returns
    -------
    DataFrame (entity-years, 3)
        investment; stock, in which it counts at once; stock_lagged, in which it counts a year
        later; all in the unit of ``dynamics.research``.

    Raises
    ------
    TandemError
        If the study gives no R&D at constant prices, or its formula reads a series that nothing
        else in the study reads; what `capital_stock` refuses.
    """
    research = study.dynamics.research
    if research is None:
        raise TandemError("The study gives no R&D expenditure at constant prices.")
    absent = [name for name in names_in(research.formula) if name not in published]
    if absent:
        raise TandemError(
            f"dynamics.research reads '{absent[0]}', which no indicator or control of the study "
            "reads; add one that does, or take another series."
        )
    flow = evaluate(research.formula, published).rename("R&D expenditure")
    stocks = {
        name: capital_stock(flow, research.depreciation, lagged=late)
        for name, late in (("stock", False), ("stock_lagged", True))
    }
    return pd.DataFrame({"investment": flow, **stocks})


def division_of_labour(counts: pd.DataFrame) -> pd.DataFrame:
    """Entropy and concentration of enterprises over fields, within services, products and all.

    Parameters
    ----------
    counts : DataFrame
        Columns kind (services or products), field, enterprises.

    Returns
    -------
    DataFrame (3, 7)
        kind, enterprises, share of all (that of services is the industry's advancement), fields,
        entropy in nats, evenness (entropy over its maximum, the log of the number of fields) and
        herfindahl.
    """
    kinds = {kind: rows["enterprises"].to_numpy(float) for kind, rows in counts.groupby("kind")}
    services, products = kinds["services"], kinds["products"]
    advanced = float(services_share(services.sum(), products.sum()))
    rows = []
    for kind, values, share in (
        ("services", services, advanced),
        ("products", products, 1 - advanced),
        ("all", np.concatenate([services, products]), 1.0),
    ):
        entropy = float(field_entropy(values))
        row = (kind, int(values.sum()), share, len(values), entropy, entropy / np.log(len(values)))
        rows.append((*row, float(herfindahl(values))))
    columns = ["kind", "enterprises", "share", "fields", "entropy", "evenness", "herfindahl"]
    return pd.DataFrame(rows, columns=columns)
