"""Estimators and tests for panels; they know nothing of studies, files or Snakemake."""

from tandem.econometrics.curvature import curve_regression
from tandem.econometrics.dumitrescu_hurlin import dumitrescu_hurlin, standardise_wbar
from tandem.econometrics.dynamic_threshold import dynamic_threshold
from tandem.econometrics.hausman import hausman, hausman_robust
from tandem.econometrics.heterogeneity import (
    compare_groups,
    leave_one_out,
    placebo,
    windows,
    winsorise,
)
from tandem.econometrics.instruments import instrumental_regression
from tandem.econometrics.interactions import interaction_regression
from tandem.econometrics.mediation import mediation
from tandem.econometrics.panel_var import PanelVAR, PanelVARResults, select_lags
from tandem.econometrics.threshold import PanelThreshold, PanelThresholdResults
from tandem.econometrics.transforms import first_difference, forward_orthogonal
from tandem.econometrics.wild_bootstrap import wild_cluster_p

__all__ = [
    "PanelThreshold",
    "PanelThresholdResults",
    "PanelVAR",
    "PanelVARResults",
    "compare_groups",
    "curve_regression",
    "dumitrescu_hurlin",
    "dynamic_threshold",
    "first_difference",
    "forward_orthogonal",
    "hausman",
    "hausman_robust",
    "instrumental_regression",
    "interaction_regression",
    "leave_one_out",
    "mediation",
    "placebo",
    "select_lags",
    "standardise_wbar",
    "wild_cluster_p",
    "windows",
    "winsorise",
]
