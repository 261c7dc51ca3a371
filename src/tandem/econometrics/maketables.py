"""Results in the plug-in format of the package maketables (0.2): ``ETable([fit, other_fit])``."""

from dataclasses import dataclass

import pandas as pd

COLUMNS = {"estimate": "b", "std_error": "se", "statistic": "t", "p_value": "p"}
INTERVAL = {"conf_low": "ci95l", "conf_high": "ci95u"}
KEYS = {"N": "n_obs"}  # maketables' names of statistics that have another one here
EFFECTS = {"entity": "entity", "two-way": "entity + year"}
LABELS = {
    "n_entities": "Entities",
    "r2_within": "R² within",
    "n_instruments": "Instruments",
    "effective_f": "Effective F",
    "hansen_p": "Hansen J, p",
    "ar2_p": "AR(2), p",
    "log_likelihood": "Log-likelihood",
    "se_type": "Standard errors",
}


class ForMaketables:
    """What maketables asks of a result that has ``terms`` and ``statistics``."""

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Columns b, se, t, p, and ci95l, ci95u where the intervals are known to be of 95 %."""
        is_95 = self.statistics.get("conf_level") == 0.95
        names = COLUMNS | (INTERVAL if is_95 else {})
        return self.terms[list(names)].rename(columns=names).rename_axis("Coefficient")

    def __maketables_stat__(self, key: str):
        """A statistic by its name here, or ``N``; None if the model does not have it."""
        return self.statistics.get(KEYS.get(key, key))

    @property
    def __maketables_depvar__(self) -> str:
        return str(self.statistics["dependent"])

    @property
    def __maketables_fixef_string__(self) -> str | None:
        found = self.statistics
        kinds = {"entity": found.get("entity_effects"), "year": found.get("time_effects")}
        named = " + ".join(kind for kind, there in kinds.items() if there)
        return EFFECTS.get(found.get("effects")) or named or None

    @property
    def __maketables_vcov_info__(self) -> dict[str, str]:
        return {"vcov_type": self.statistics["se_type"]}

    @property
    def __maketables_stat_labels__(self) -> dict[str, str]:
        return LABELS

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return ["N", *(key for key in LABELS if key in self.statistics)]


@dataclass(frozen=True, eq=False)
class Equation(ForMaketables):
    """One equation of a system, a column of a table.

    Attributes
    ----------
    terms : DataFrame
        estimate, std_error, statistic, p_value, conf_low, conf_high by regressor.
    statistics : dict
    """

    terms: pd.DataFrame
    statistics: dict
