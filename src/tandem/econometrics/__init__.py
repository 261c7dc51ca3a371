"""Estimators and tests for panels; they know nothing of studies, files or Snakemake."""

from tandem.econometrics.common_correlated import common_correlated_effects
from tandem.econometrics.cross_section import cross_section_tests, heterogeneous_residuals
from tandem.econometrics.curvature import curve_regression
from tandem.econometrics.describe import correlations, describe_panel, variance_inflation
from tandem.econometrics.dumitrescu_hurlin import dumitrescu_hurlin, standardise_wbar
from tandem.econometrics.dynamic_panel import DynamicPanel, DynamicPanelResults
from tandem.econometrics.dynamic_threshold import dynamic_threshold
from tandem.econometrics.error_correction import (
    ErrorCorrection,
    chosen_rank,
    error_correction,
    johansen,
)
from tandem.econometrics.half_panel_jackknife import (
    HalfPanelJackknife,
    half_panel_jackknife_causality,
)
from tandem.econometrics.hausman import hausman, hausman_robust
from tandem.econometrics.hausman_bootstrap import hausman_bootstrap
from tandem.econometrics.heterogeneity import (
    compare_groups,
    leave_one_out,
    placebo,
    windows,
    winsorise,
)
from tandem.econometrics.instruments import instrumental_regression
from tandem.econometrics.interactions import interaction_regression
from tandem.econometrics.joint_links import joint_links
from tandem.econometrics.local_projections import LocalProjections, local_projections
from tandem.econometrics.long_causality import bounds_test, frequency_causality, toda_yamamoto
from tandem.econometrics.long_run import LongRun, dols, fmols
from tandem.econometrics.lsdvc import BiasCorrectedWithin, bias_corrected_within
from tandem.econometrics.mediation import mediation
from tandem.econometrics.multiple_testing import holm, romano_wolf
from tandem.econometrics.multiverse import (
    SpecificationCurve,
    estimate_specifications,
    join_curve,
    specification_curve,
    specifications,
)
from tandem.econometrics.panel_cointegration import (
    Cointegration,
    cointegration_table,
    kao,
    pedroni,
    westerlund,
)
from tandem.econometrics.panel_unit_roots import panel_unit_root, unit_root_table
from tandem.econometrics.panel_var import PanelVAR, PanelVARResults, select_lags
from tandem.econometrics.panel_var_within import FixedEffectsVAR, FixedEffectsVARResults
from tandem.econometrics.pooled_mean_group import (
    compare_mean_groups,
    mean_group,
    pooled_mean_group,
)
from tandem.econometrics.slope_homogeneity import slope_homogeneity
from tandem.econometrics.spatial_panel import SpatialPanel, spatial_panel, spatial_tests
from tandem.econometrics.specification import (
    effects_test,
    random_effects_test,
    serial_correlation_test,
    specification_table,
    unequal_variances_test,
)
from tandem.econometrics.threshold import PanelThreshold, PanelThresholdResults
from tandem.econometrics.transforms import first_difference, forward_orthogonal
from tandem.econometrics.wild_bootstrap import wild_cluster_p

__all__ = [
    "panel_unit_root",
    "unit_root_table",
    "BiasCorrectedWithin",
    "ErrorCorrection",
    "chosen_rank",
    "error_correction",
    "johansen",
    "joint_links",
    "bias_corrected_within",
    "DynamicPanel",
    "DynamicPanelResults",
    "FixedEffectsVAR",
    "FixedEffectsVARResults",
    "LocalProjections",
    "local_projections",
    "SpecificationCurve",
    "HalfPanelJackknife",
    "bounds_test",
    "frequency_causality",
    "half_panel_jackknife_causality",
    "toda_yamamoto",
    "Cointegration",
    "LongRun",
    "cointegration_table",
    "common_correlated_effects",
    "compare_mean_groups",
    "dols",
    "fmols",
    "kao",
    "mean_group",
    "pedroni",
    "pooled_mean_group",
    "westerlund",
    "holm",
    "romano_wolf",
    "estimate_specifications",
    "join_curve",
    "specification_curve",
    "specifications",
    "PanelThreshold",
    "PanelThresholdResults",
    "PanelVAR",
    "SpatialPanel",
    "PanelVARResults",
    "compare_groups",
    "correlations",
    "cross_section_tests",
    "curve_regression",
    "describe_panel",
    "dumitrescu_hurlin",
    "dynamic_threshold",
    "effects_test",
    "first_difference",
    "forward_orthogonal",
    "hausman",
    "hausman_bootstrap",
    "hausman_robust",
    "heterogeneous_residuals",
    "instrumental_regression",
    "interaction_regression",
    "leave_one_out",
    "mediation",
    "placebo",
    "random_effects_test",
    "select_lags",
    "serial_correlation_test",
    "slope_homogeneity",
    "spatial_panel",
    "spatial_tests",
    "specification_table",
    "standardise_wbar",
    "unequal_variances_test",
    "variance_inflation",
    "wild_cluster_p",
    "windows",
    "winsorise",
]
