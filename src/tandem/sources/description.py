"""How a table is laid out, where its header does not say so itself."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tandem.errors import TandemError
from tandem.plain_yaml import read_yaml

Column = Annotated[str, Field(pattern=r"^[A-Z]{1,3}$")]
Row = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Base: no unknown keys, no later changes, no numbers for texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class InRow(Strict):
    """It stands in a row of the header."""

    row: Row


class InColumn(Strict):
    """It stands in a column of the body."""

    column: Column


class Description(Strict):
    """Where the parts of a table stand; rows and columns are named as a spreadsheet shows them.

    What is left out is found from the header, as in the layouts of data/README.md.
    """

    sheets: Literal["all"] | Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="sheets to read, or all; the first alone, and those named 续表, if absent"
    )
    table: Row | None = Field(None, description="which table of a web page, counted from 1")
    header: Row | Annotated[list[Row], Field(min_length=1)] | None = Field(
        None, description="row or rows of the header"
    )
    region: Column | None = Field(None, description="column of the regions' names")
    code: Column | None = Field(None, description="column of the regions' codes")
    year: int | InRow | InColumn | None = Field(
        None, description="a year, {row: n} in the header or {column: B} in the body"
    )
    unit: str | InRow | InColumn | None = Field(
        None, description="a unit, {row: n} in the header or {column: C} in the body"
    )
    label: Column | None = Field(None, description="column of the series' labels")
    series: str | dict[str, str | None] | None = Field(
        None, description="the one series, or series by printed label; null leaves a label out"
    )
    body: tuple[Row, Row | None] | None = Field(
        None, description="first and last row of the body; last null: to the end", strict=False
    )
    skip: list[Row] = Field([], description="rows of the body to leave out")

    @model_validator(mode="after")
    def _rows_are_in_order(self):
        if isinstance(self.header, list) and self.header != sorted(set(self.header)):
            raise ValueError("header must list its rows from top to bottom")
        if self.body and self.body[1] and self.body[1] < self.body[0]:
            raise ValueError("body must name its first row first")
        return self


def read_description(path: Path, file: str) -> Description:
    """The description in the file beside a raw table (table.xlsx.yaml), the empty one if none.

    Raises
    ------
    TandemError
        If the file is no YAML or has an unknown key or value.
    """
    beside = path.with_name(path.name + ".yaml")
    if not beside.is_file():
        return Description()
    content = read_yaml(beside, f"{file}.yaml")
    try:
        return Description.model_validate(content or {})
    except ValidationError as err:
        raise TandemError(
            "\n".join(
                f"{file}.yaml: {'.'.join(map(str, problem['loc'])) or 'the file'}: "
                f"{problem['msg']}; correct it, the keys are in data/README.md."
                for problem in err.errors()
            )
        ) from err
