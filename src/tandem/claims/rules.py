"""The rule of each kind of test, and the words of a verdict."""

RULES = {
    "two_way": "supported if the 95 % intervals of the first two-way regression and of the first "
    "panel VAR both lie on the claimed side of zero, contradicted if both lie on the other",
    "link": "supported if the 95 % intervals of the two-way regression and of difference GMM with "
    "the effect's own past both lie on the claimed side of zero, contradicted if both lie on the "
    "other",
    "stages": "supported if more moves between stages of D go up than down, 95 % interval over "
    "entities above zero; contradicted if below",
    "spillover": "supported if the indirect effect of the spatial Durbin model by borders has a "
    "95 % interval on the claimed side of zero, contradicted if on the other",
    "threshold": "supported if the effect has a threshold at 5 % whose 95 % set holds the claimed "
    "value and is larger above it, contradicted if it has one elsewhere or is smaller above",
    "bound": "supported if every year from the first to the last has a published value and none "
    "of any vintage passes the bound, contradicted if every vintage has one that does",
    "none": "cannot be tested with the figures at hand",
}
SUPPORTED, CONTRADICTED, UNDETERMINED, NO_DATA = (
    "supported", "contradicted", "undetermined", "no data",
)  # fmt: skip
