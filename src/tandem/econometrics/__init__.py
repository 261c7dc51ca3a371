"""Estimators and tests for panels; they know nothing of studies, files or Snakemake."""

from tandem.econometrics.dumitrescu_hurlin import dumitrescu_hurlin, standardise_wbar
from tandem.econometrics.hausman import hausman, hausman_robust
from tandem.econometrics.panel_var import PanelVAR, PanelVARResults, select_lags
from tandem.econometrics.transforms import first_difference, forward_orthogonal
from tandem.econometrics.wild_bootstrap import wild_cluster_p

__all__ = [
    "PanelVAR",
    "PanelVARResults",
    "dumitrescu_hurlin",
    "first_difference",
    "forward_orthogonal",
    "hausman",
    "hausman_robust",
    "select_lags",
    "standardise_wbar",
    "wild_cluster_p",
]
