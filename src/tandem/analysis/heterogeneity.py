"""Parts of the robustness step: is the effect the same in groups, years, tails, and through m?"""

import numpy as np
import pandas as pd

from tandem.analysis.link import Link, complete, estimate_line, line_of_test, records_of, seed_of
from tandem.econometrics import (
    compare_groups,
    leave_one_out,
    mediation,
    placebo,
    windows,
    winsorise,
)
from tandem.econometrics.coefficient_table import coefficient_table
from tandem.econometrics.static import panel_regression

HALVES = {False: "smaller half", True: "larger half"}


def mediated(link: Link):
    name = link.spec.mediator
    others = (
        link.controls.drop(columns=name, errors="ignore") if link.controls is not None else None
    )
    fit = mediation(
        link.y, link.lagged, link.panel[name], others, draws=link.spec.draws, seed=seed_of(link, 1)
    )
    steps = fit.steps.set_axis([f"{equation}: {term}" for equation, term in fit.steps.index])
    records = [
        records_of(link, "mediation", fit.terms, fit.facts | {"share": fit.share}),
        records_of(
            link,
            "mediation_steps",
            steps,
            {"n_obs": fit.facts["n_obs"], "se_type": "clustered by entity"},
        ),
    ]
    return {"mediation": fit.terms.reset_index()}, records


def regions(link: Link):
    """Region by region with the cause alone, as controls would take more than few entities give."""
    of = {e: g for g, members in link.study.panel.groups.items() for e in members}
    return _groups(link, pd.Series(of, dtype=object), "regions", 2)


def sizes(link: Link):
    """The halves of the entities below and above the median of their means, the cause alone."""
    mean = link.panel[link.spec.size].groupby(level="entity").mean()
    return _groups(link, (mean > mean.median()).map(HALVES), "halves by size", 7)


def _groups(link: Link, of: pd.Series, name: str, stream: int):
    y, x = complete(link.y, link.lagged.to_frame())
    fit = compare_groups(y, x, of, draws=link.spec.draws, seed=seed_of(link, stream))
    null = f"equal effects in all {name}"
    rows = [
        line_of_test("regions", f"Chow, {name}", *fit.chow, null),
        line_of_test("regions", f"permutation, {name}", np.nan, "", fit.permutation_p, null),
    ]
    terms = fit.terms.drop(columns=["n_obs", "n_clusters"])
    facts = fit.facts | {f"chow_{key}": value for key, value in fit.chow._asdict().items()}
    facts |= {"permutation_p": fit.permutation_p, "se_type": "clustered by entity"}
    groups = fit.terms.rename_axis("region").reset_index()
    frames = {"regions": groups, "tests": pd.DataFrame(rows)}
    return frames, [records_of(link, name.replace(" ", "_"), terms, facts)]


def left_out(link: Link):
    fit = leave_one_out(link.y, link.x)
    own = fit[[link.lagged.name]].set_axis(["estimate"], axis=1)
    facts = {"lowest": own["estimate"].min(), "highest": own["estimate"].max()}
    record = records_of(link, "left_out", own.rename("without {}".format), facts)
    return {"left_out": own.rename_axis("entity").reset_index()}, [record]


def dealt_out(link: Link):
    y, x = complete(link.y, link.x)
    fit = placebo(y, x, draws=link.spec.draws, seed=seed_of(link, 3))
    low, high = np.quantile(fit.drawn, [0.025, 0.975])
    row = {
        "estimate": fit.estimate, "mean": fit.drawn.mean(), "low": low, "high": high,
        "p_value": fit.p_value, "draws": len(fit.drawn),
    }  # fmt: skip
    drawn = pd.DataFrame({"draw": range(len(fit.drawn)), "estimate": fit.drawn})
    own = pd.DataFrame({"estimate": fit.estimate, "p_value": fit.p_value}, [link.lagged.name])
    facts = fit.facts | {"drawn_mean": row["mean"], "drawn_low": low, "drawn_high": high}
    frames = {"placebo": pd.DataFrame([row]), "placebo_draws": drawn}
    return frames, [records_of(link, "placebo", own, facts)]


def moving(link: Link, width: int):
    fit = windows(link.y, link.x, width)
    terms = fit.drop(columns=["n_obs", "n_clusters"])
    terms.index = [f"{first}-{last}" for first, last in fit.index]
    facts = {"width": width, "se_type": "clustered by entity"}
    frame = fit.reset_index()
    frame.insert(0, "width", width)
    return {"windows": frame}, [records_of(link, f"windows_{width}", terms, facts)]


def trimmed(link: Link, share: float):
    """Cause and controls winsorised; the effect keeps its values."""
    x, changed = winsorise(link.x, share)
    fit, facts = panel_regression(link.y, x, "two-way")
    terms = coefficient_table(fit.params, fit.std_errors, facts["t_df"])
    name = f"winsorised at {share:.0%} ({changed.sum()} values)"
    facts |= {"n_obs": fit.nobs, "n_changed": int(changed.sum())}
    line = estimate_line(terms.loc[link.lagged.name], name)
    record = records_of(link, f"winsorised_{share * 100:g}", terms, facts)
    return {"alternatives": line}, [record]
