"""Halves of each entity's years, for jackknives against the bias of entity effects."""

import numpy as np


def half_panels(rows: np.ndarray) -> list[np.ndarray]:
    """First and second half twice: an odd year goes to the second, then to the first.

    Parameters
    ----------
    rows : array (N, T) of bool
        Years in use.

    Returns
    -------
    list of four arrays (N, T) of bool

    References
    ----------
    Dhaene & Jochmans (2015), Review of Economic Studies 82, 991-1030.
    """
    place, count = rows.cumsum(axis=1), rows.sum(axis=1, keepdims=True)
    cuts = (count // 2, count - count // 2)
    return [half for cut in cuts for half in (rows & (place <= cut), rows & (place > cut))]
