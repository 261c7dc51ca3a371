"""A small made-up panel and a study of it; no raw tables."""

import numpy as np
import pandas as pd
import pytest

from tandem.study import Study

INDICATORS = ["research", "patents", "services", "pollution"]


def indicator(name):
    return {"formula": f"raw_{name}", "unit": "u", "label": {"en": name.title()}, "why": "test"}


@pytest.fixture(scope="session")
def raw():
    """A study as it stands in a file; a test changes a copy."""
    return {
        "title": {"en": "Made up"},
        "question": {"en": "Does a pull b?"},
        "seed": 7,
        "panel": {"years": [2001, 2010]},
        "series": {name: indicator(name) for name in [*INDICATORS, "size"]},
        "systems": {
            "tech": {"label": {"en": "Tech"}, "indicators": {"research": "+", "patents": "+"}},
            "upgrade": {
                "label": {"en": "Upgrade"},
                "indicators": {"services": "+", "pollution": "-"},
            },
        },
        "models": {
            "controls": ["size"],
            "regressions": {
                "pooled": {"label": "Pooled", "effects": "none"},
                "random": {"label": "Random", "effects": "random"},
                "two_way": {"label": "Two-way", "effects": "two-way"},
                "own": {"label": "Own lag", "effects": "entity", "lags": 2, "own_lags": 1},
                "bare": {"label": "Bare", "effects": "two-way", "controls": False},
            },
            "panel_var": {
                "lags": 1,
                "instrument_lags": [2, 4],
                "horizon": 4,
                "draws": 99,
                "models": {
                    "fod": {"label": "FOD", "transform": "fod", "steps": 2},
                    "fd": {"label": "FD", "transform": "fd", "steps": 1},
                },
            },
        },
    }


@pytest.fixture(scope="session")
def study(raw):
    return Study.model_validate(raw)


@pytest.fixture(scope="session")
def panel():
    """40 entities, 2001-2010: technology follows upgrading, and the other way round."""
    rng = np.random.default_rng(np.random.SeedSequence(11))
    n, t = 40, 10
    effect = rng.normal(size=(n, 2))
    state = np.zeros((n, 2))
    states = []
    for _ in range(20 + t):
        state = state @ np.array([[0.4, 0.2], [0.2, 0.4]]) + effect + rng.normal(size=(n, 2))
        states.append(state)
    values = np.stack(states[-t:], axis=1).reshape(n * t, 2)
    noise = rng.normal(size=(n * t, 5)) / 4
    years = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(n)], range(2001, 2001 + t)], names=["entity", "year"]
    )
    columns = {
        "research": values[:, 0] + noise[:, 0],
        "patents": np.exp(values[:, 0] / 4) + noise[:, 1],
        "services": values[:, 1] + noise[:, 2],
        "pollution": 5 - values[:, 1] + noise[:, 3],
        "size": noise[:, 4],
    }
    return pd.DataFrame(columns, index=years)


@pytest.fixture(scope="session")
def scores(study, panel):
    from tandem.analysis.scores import score_systems

    return score_systems(study, panel)["scores"]
