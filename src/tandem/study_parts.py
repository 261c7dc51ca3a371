"""What every part of a study file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]


MOST_DRAWS = 10**6


class Strict(BaseModel):
    """Base of every part of a study: no unknown keys, no later changes, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Text(Strict):
    """A text in English and, if wanted, Chinese."""

    en: str
    zh: str = ""
