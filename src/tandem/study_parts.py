"""What every part of a study file is made of."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]
# columns of panels, regressors, the cause "all" of Granger tests and a set of records
RESERVED = ("entity", "year", "const", "trend", "all", "panel_var")

MOST_DRAWS = 10**5  # still fits a laptop, and minutes: docs/scale.md


class Strict(BaseModel):
    """Base of every part of a study: no unknown keys, no later changes, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Text(Strict):
    """A text in English and, if wanted, Chinese."""

    en: str
    zh: str = ""


def refuse_reserved(names: Iterable[str]) -> None:
    """Refuse names of series and systems that tables of results use themselves.

    Raises
    ------
    ValueError
        With the first such name.
    """
    for name in names:
        if name in RESERVED:
            raise ValueError(
                f"no series and no system can be called '{name}', as the tables of results use "
                "that name themselves; rename it"
            )
