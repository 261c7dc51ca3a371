"""The part of a study file that names a table of any size as its panel, and what that excludes."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tandem.study_parts import Strict

TableFile = Annotated[str, Field(pattern=r"^data/[^\\]+\.(parquet|csv|csv\.gz)$")]


class TableSource(Strict):
    """A panel of any size in Parquet or CSV, of firms say."""

    file: TableFile = Field(description="below data/; * stands for any text")
    entity: str = Field(description="column that names the entity")
    year: str = Field(description="column of the year")
    join: list[TableFile] = Field(
        [], description="further tables with one or both of these columns"
    )
    several: Literal["refuse", "sum", "mean"] = Field(
        "refuse", description="what is done with several rows of an entity and year"
    )
    chunk: int = Field(100_000, ge=1, description="entities held at once")

    @model_validator(mode="after")
    def _stays_inside(self):
        for file in (self.file, *self.join):
            if ".." in Path(file).parts:
                raise ValueError(f"'{file}' leads out of the project's folder data/")
        if self.entity == self.year:
            raise ValueError(f"'{self.entity}' cannot be both entity and year")
        return self


# keys that ask for what is not made of a table
TABLE_CARRIES_NOT = (
    "vintage", "vintages", "descriptions", "structure", "employment", "dynamics", "published",
    "seed_paper", "claims", "diagrams", "variants",
)  # fmt: skip


def beyond_table(study) -> str:
    """What a study of a table asks for that is not made of one, in words; empty if nothing."""
    models = study.models
    asked = {name: getattr(study, name) for name in TABLE_CARRIES_NOT}
    asked |= {f"models.{name}": getattr(models, name) for name in ("var", "robustness", "verdict")}
    asked["coupling.ensemble"] = study.coupling.ensemble
    for name, regression in models.regressions.items():
        within = regression.effects in ("entity", "two-way") and regression.se == "clustered"
        asked[f"models.regressions.{name} (not within, or errors not clustered)"] = not within
    if wanted := [name for name, value in asked.items() if value]:
        return (
            "panel.scope: table carries descriptions, within regressions with clustered errors and "
            f"panel VARs; take out {', '.join(wanted)}"
        )
    several = [k for k, s in study.systems.items() if len(s.indicators) > 1]
    if several and study.coupling.weights != "equal":
        return (
            f"the indicators of '{several[0]}' get equal weights where panel.scope is table: "
            "write coupling: {weights: equal}"
        )
    if both := set(study.systems) & set(study.series):
        return f"'{min(both)}' is a system and a series; rename one"
    return ""
