"""What every part of a study file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]


class Strict(BaseModel):
    """Base of every part of a study: no unknown keys, no later changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Strict):
    """A text in English and, if wanted, Chinese."""

    en: str
    zh: str = ""
