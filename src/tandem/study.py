"""A study file as a typed model: what to measure, how, and how to show it.

A study is one YAML file. Unknown keys are refused with the nearest valid key named; variants in the
same file override parts of it. `schema()` writes the JSON Schema that editors use.
"""

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from tandem.errors import TandemError
from tandem.mechanism import Claim, Diagram
from tandem.panel.formula import names_in
from tandem.plain_yaml import read_yaml
from tandem.sources.description import Description
from tandem.study_parts import MOST_DRAWS, NAME, Name, Strict, Text, refuse_reserved
from tandem.study_table import TableSource, beyond_table

InData = Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]+\.csv)?$")]  # a file in data/, no path
FontFile = Annotated[str, Field(pattern=r"^([A-Za-z0-9_.-]+\.(otf|ttf|ttc))?$")]  # no path


def _rising_from_2(span: tuple[int, int]) -> tuple[int, int]:
    if not 2 <= span[0] <= span[1]:
        raise ValueError(f"lags of instruments run upwards from 2 or more; {list(span)} was given")
    return span


LagSpan = Annotated[tuple[int, int], AfterValidator(_rising_from_2)]
Effects = Literal["none", "random", "entity", "two-way"]
BARE_R2 = re.compile(r"(adj\w*\.?\s*)?R\W*(2|²|squared?)", re.I)
CovType = Literal[
    "unadjusted", "robust", "clustered", "xtreg", "two-way clustered", "driscoll-kraay"
]


class PanelWindow(Strict):
    """Which entities and years the study looks at."""

    scope: Literal["provinces", "nation", "countries", "table"] = "provinces"
    table: TableSource | None = Field(None, description="where scope is table")
    exclude: list[str] = []
    years: tuple[int, int | Literal["latest"]] = Field(
        description="first and last year; latest: the last that every series read reaches"
    )
    groups: dict[str, list[str]] = Field({}, description="entities by region, for figures")

    @model_validator(mode="after")
    def _ordered(self):
        if not all(y == "latest" or 1000 <= y <= 2999 for y in self.years):
            raise ValueError(f"a year has four digits, 1000 to 2999; {list(self.years)} was given")
        if self.years[1] != "latest" and self.years[0] > self.years[1]:
            raise ValueError(f"the first year {self.years[0]} is after the last {self.years[1]}")
        return self

    @model_validator(mode="after")
    def _table_named(self):
        if (self.scope == "table") != (self.table is not None):
            raise ValueError("scope: table and the key table go together")
        if self.table and (self.exclude or self.groups):
            raise ValueError("a table is read whole: take out exclude and groups")
        return self


class Join(Strict):
    """An explicit splice of vintages: for each year, the first in the list that prints it."""

    join: list[str] = Field(min_length=2, description="vintages in order; * stands for any text")
    chain: list[str] = Field(
        [], description="of these, vintages scaled to meet the one used in the nearest common year"
    )
    why: str

    @model_validator(mode="after")
    def _chained_is_joined(self):
        for vintage in self.chain:
            if vintage not in self.join[1:]:
                raise ValueError(f"chain names '{vintage}', which join does not put after another")
        return self


# one vintage's name or a splice; the tags keep an error's location to the branch that was meant
Vintage = Annotated[
    Annotated[str, Tag("=name")] | Annotated[Join, Tag("=join")],
    Discriminator(lambda v: "=join" if isinstance(v, dict | Join) else "=name"),
]


class Series(Strict):
    """A series derived from published ones."""

    formula: str
    unit: str
    label: Text
    why: str = Field(description="one line: what it stands for and why it is measured so")
    plausible: tuple[float, float] | None = Field(
        None, description="smallest and largest value that can be true; beyond it the run stops"
    )

    @model_validator(mode="after")
    def _formula_reads(self):
        names_in(self.formula)
        return self

    @model_validator(mode="after")
    def _plausible_rises(self):
        if self.plausible and self.plausible[0] > self.plausible[1]:
            raise ValueError(f"plausible gives the smallest value first, not {self.plausible[0]}")
        return self


class System(Strict):
    """One of the systems that may pull each other along: indicators with direction."""

    label: Text
    indicators: dict[Name, Literal["+", "-"]] = Field(min_length=1)


class Ensemble(Strict):
    """Random choices of normalisation, weights, shares and model: how far D rests on them."""

    draws: int = Field(2000, ge=1000, le=MOST_DRAWS)
    chunks: int = Field(
        2, ge=1, le=64, description="jobs that share the draws; the results do not depend on it"
    )


class Coupling(Strict):
    """How scores become coupling and coordination degrees."""

    weights: Literal["entropy", "critic", "cv", "sd", "equal"] = "entropy"
    model: Literal["standard", "wang", "fan"] = Field(
        "standard", description="whose D gives levels, stages, maps and means; all three are shown"
    )
    shares: list[float] | None = None
    goalposts: Literal["fixed", "refit"] = Field(
        "fixed",
        description="fixed: those stored beside the study, so that new years leave old scores as "
        "they were; refit: from the present figures",
    )
    ensemble: Ensemble | None = Field(
        None, description="uncertainty of the degrees; none is computed if left out"
    )


class Regression(Strict):
    """One column of the two panel regression tables."""

    label: str
    effects: Effects
    se: CovType = "clustered"
    lags: int = Field(1, ge=1, le=3, description="lags of the other system")
    own_lags: int = Field(0, ge=0, le=3, description="lags of the system itself (Nickell bias!)")
    controls: bool = True
    add: list[Name] = Field([], description="further regressors, with their own gaps")


class PanelVarModel(Strict):
    """One panel VAR by GMM."""

    label: str
    transform: Literal["fod", "fd"] = "fod"
    steps: Literal[1, 2] = 2


class PanelVarBlock(Strict):
    """The panel VARs and what is drawn from the first of them."""

    lags: int = Field(1, ge=1, le=4)
    instrument_lags: LagSpan = (2, 99)
    collapse: bool = True
    time_effects: bool = Field(True, description="partial out year effects")
    models: dict[Name, PanelVarModel] = Field(min_length=1)
    horizon: int = Field(8, ge=1, le=40)
    draws: int = Field(999, ge=99, le=MOST_DRAWS)


class TimeSeriesVar(Strict):
    """The VAR of one entity's yearly series."""

    variables: list[Name] = Field(min_length=2)
    years: tuple[int, int]
    transform: Literal["level", "log-difference"] = "log-difference"
    max_lags: int = Field(3, ge=1, le=6)
    horizon: int = Field(8, ge=1, le=40)
    draws: int = Field(999, ge=99, le=MOST_DRAWS)


class Robustness(Strict):
    """Tests around the regressions, and what the two-way estimate rests on."""

    threshold: Name | None = Field(None, description="series at which the effect may change")
    moderator: Name | None = Field(None, description="series that the effect may depend on")
    mediator: Name | None = Field(None, description="series that the effect may pass through")
    size: Name | None = Field(None, description="series by whose mean entities are halved")
    neighbours: InData = Field("", description="table of neighbours in data/; without it no space")
    near: Name | None = Field(None, description="series whose likeness makes entities near")
    draws: int = Field(999, ge=99, le=MOST_DRAWS)


class LeastSquaresChoices(Strict):
    """Choices of least squares in the specification curve."""

    lags: list[int] = Field([1, 2], description="of the cause")
    own_lags: list[int] = Field([0, 1], description="of the effect")
    effects: list[Literal["entity", "two-way", "difference"]] = ["entity", "two-way", "difference"]


class GmmChoices(Strict):
    """Choices of the panel VARs in the specification curve."""

    lags: list[int] = [1]
    transform: list[Literal["fod", "fd"]] = ["fod", "fd"]
    instrument_lags: list[LagSpan] = [(2, 3), (2, 4)]
    collapse: list[bool] = [True]
    steps: list[Literal[1, 2]] = [1, 2]


class Curve(Strict):
    """The specification curve: every combination of these choices, both ways."""

    weights: list[Literal["entropy", "critic", "cv", "sd", "equal"]] = ["entropy", "equal"]
    windows: list[tuple[int, int]] = Field(
        [], description="first and last year of the effect; none: the whole panel"
    )
    controls: list[bool] = [True, False]
    least_squares: LeastSquaresChoices | None = LeastSquaresChoices()
    gmm: GmmChoices | None = GmmChoices()
    draws: int = Field(199, ge=19, le=MOST_DRAWS, description="permutations")
    chunks: int = Field(
        2,
        ge=1,
        le=64,
        description="jobs that share the specifications; results do not depend on it",
    )


class Verdict(Strict):
    """All methods side by side, both ways."""

    draws: int = Field(
        999, ge=99, le=MOST_DRAWS, description="resamples of entities for Romano and Wolf's p"
    )
    horizon: int = Field(3, ge=1, le=20, description="years of the local projections")
    curve: Curve | None = Field(None, description="the specification curve")


class Models(Strict):
    """What is estimated."""

    controls: list[Name] = []
    regressions: dict[Name, Regression] = {}
    panel_var: PanelVarBlock | None = None
    var: TimeSeriesVar | None = None
    robustness: Robustness | None = None
    verdict: Verdict | None = Field(None, description="all methods side by side, both ways")

    @model_validator(mode="after")
    def _verdict_has_methods(self):
        if self.verdict and not (self.regressions or self.var):
            raise ValueError(
                "models.verdict sets methods side by side: give models.regressions, or for one "
                "entity models.var"
            )
        if self.verdict and self.verdict.curve and not self.regressions:
            raise ValueError("models.verdict.curve needs a panel: give models.regressions")
        return self


class Research(Strict):
    """R&D expenditure at constant prices, from which a stock is made."""

    formula: str = Field(description="of published series that the study reads elsewhere too")
    unit: str
    depreciation: float = Field(0.15, gt=0, lt=1, description="share of the stock lost in a year")

    @model_validator(mode="after")
    def _formula_reads(self):
        names_in(self.formula)
        return self


class Dynamics(Strict):
    """How the coordination degree is spread over entities, and how it moves."""

    stages: tuple[float, float, float] = Field(
        (0.3, 0.5, 0.8), description="cut-offs of D: budding, growth, running-in, mature"
    )
    neighbours: InData = Field("", description="table of neighbours in data/; without it no Moran")
    draws: int = Field(999, ge=99, le=MOST_DRAWS)
    research: Research | None = None

    @model_validator(mode="after")
    def _stages_rise(self):
        if not 0 < self.stages[0] < self.stages[1] < self.stages[2] < 1:
            raise ValueError("the cut-offs of the stages must rise from above 0 to below 1")
        return self


class Group(Strict):
    """A heading over several columns of a table."""

    label: str
    columns: list[str] = Field(min_length=1)


class Table(Strict):
    """A table layout: which records become columns, rows and notes."""

    title: Text
    records: Name = Field(description="the table's name in the results store")
    columns: dict[str, str] = Field(
        min_length=1,
        description="model, model:equation, or table/model for records of another table: heading",
    )
    groups: list[Group] = Field([], description="headings over neighbouring columns")
    rows: dict[str, str] = Field(min_length=1, description="term: label, in order")
    statistics: dict[str, str] = {}
    stars: Literal["none", "10/5/1", "aer"] = "10/5/1"
    brackets: Literal["std_error", "statistic", "interval"] = "std_error"
    decimals: int = Field(3, ge=0, le=8)
    digits: int | None = Field(None, ge=1, le=8, description="significant digits, not decimals")
    notes: list[str] = []

    @model_validator(mode="after")
    def _r2_is_named(self):
        for name, label in self.statistics.items():
            if name.startswith("r2") and BARE_R2.fullmatch(label.strip()):
                raise ValueError(f"statistics.{name} reads '{label}': say which, 'R² within'")
        return self


class Published(Strict):
    """Series drawn as they were published, every vintage its own line, gaps left open."""

    label: Text
    series: list[Name] = Field(min_length=1, description="published series")
    derived: list[Name] = Field([], description="series of this study drawn beside them")
    line: float | None = Field(None, description="a threshold to draw")


class Study(Strict):
    """A whole study."""

    title: Text
    question: Text
    seed: int = Field(ge=0)
    panel: PanelWindow
    vintage: str = Field("", description="for series not under vintages: latest, first or a name")
    vintages: dict[Name, Vintage] = {}
    descriptions: dict[str, Description] = Field(
        {}, description="layout of a raw table (raw/...) that does not follow from its header"
    )
    series: dict[Name, Series] = Field(min_length=1)
    systems: dict[Name, System] = Field(min_length=2)
    coupling: Coupling = Coupling()
    structure: list[Name] = Field(
        [], max_length=3, description="value added of the three industries, in order"
    )
    employment: list[Name] = Field([], max_length=3)
    dynamics: Dynamics | None = None
    models: Models = Models()
    tables: dict[Name, Table] = {}
    published: dict[Name, Published] = {}
    font: FontFile = Field(
        "",
        description="font beside the study file for the Chinese of report.pdf; else a bundled one",
    )
    seed_paper: bool = Field(False, description="show the seed paper's own tables and their checks")
    claims: dict[Name, Claim] = Field({}, description="claims and their tests")
    diagrams: dict[Name, Diagram] = Field({}, description="mechanisms whose arrows are claims")
    variants: dict[Name, dict[str, Any]] = {}

    @model_validator(mode="after")
    def _three_industries(self):
        for name in ("structure", "employment"):
            if len(getattr(self, name)) not in (0, 3):
                raise ValueError(f"{name} takes the three industries in order, or nothing")
        return self

    @model_validator(mode="after")
    def _a_share_for_each_system(self):
        shares = self.coupling.shares
        if shares is None:
            return self
        if len(shares) != len(self.systems) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError(
                f"coupling.shares gives each of the {len(self.systems)} systems its weight in T, "
                f"0 or more and 1 together; {shares} was given"
            )
        return self

    @model_validator(mode="after")
    def _names_known(self):
        refuse_reserved([*self.series, *self.systems])
        known = set(self.series)
        for where, names in self._uses().items():
            for name in names:
                if name not in known:
                    raise ValueError(f"{where} names '{name}', which is {_not_in(name, known)}")
        return self

    @model_validator(mode="after")
    def _table_carries_it(self):
        if self.panel.table and (words := beyond_table(self)):
            raise ValueError(words)
        return self

    @model_validator(mode="after")
    def _causes_are_no_components(self):
        for name, claim in self.claims.items():
            system = self.systems.get(claim.effect)
            if system and claim.test == "link" and claim.cause in system.indicators:
                raise ValueError(
                    f"claims.{name} explains the score of '{claim.effect}' by its own indicator "
                    f"'{claim.cause}'; take another series"
                )
        return self

    @model_validator(mode="after")
    def _models_of_systems_decide(self):
        for name, claim in self.claims.items():
            if claim.test in ("two_way", "spillover"):
                for end in (claim.cause, claim.effect):
                    if end not in self.systems:
                        raise ValueError(
                            f"claims.{name}, decided by '{claim.test}', a model of two systems, "
                            f"names '{end}', which is no system; take one of "
                            f"{', '.join(self.systems)}, or another test"
                        )
        return self

    @model_validator(mode="after")
    def _arrows_are_claims(self):
        for name, diagram in self.diagrams.items():
            for claim in (c for arrow in diagram.arrows for c in arrow.claims):
                if claim not in self.claims:
                    near = _not_in(claim, set(self.claims)).replace("series", "claims")
                    raise ValueError(f"diagrams.{name} names the claim '{claim}', which is {near}")
            for node, spec in diagram.nodes.items():
                if spec.label is None and node not in {*self.systems, *self.series}:
                    raise ValueError(
                        f"diagrams.{name}.nodes.{node} is no system and no series; give it a label"
                    )
        return self

    @model_validator(mode="after")
    def _controls_are_no_components(self):
        parts = {i: s for s, system in self.systems.items() for i in system.indicators}
        formulas = {self.series[i].formula.replace(" ", ""): i for i in parts}
        for where, names in self._regressors().items():
            for name in names:
                part = formulas.get(self.series[name].formula.replace(" ", ""), name)
                if part in parts:
                    raise ValueError(
                        f"{where} names '{name}', which is the indicator '{part}' of the system "
                        f"'{parts[part]}': a score would be explained by what it is made of; take "
                        "it out of the regressors or out of the system"
                    )
        return self

    def _regressors(self) -> dict[str, list[str]]:
        """Series that explain a score, by where the study names them."""
        added = {f"models.regressions.{k}.add": v.add for k, v in self.models.regressions.items()}
        return {"models.controls": self.models.controls} | added | self._robustness("mediator")

    def _robustness(self, *keys: str) -> dict[str, list[str]]:
        """Series that the robustness block names under these keys."""
        named = {k: getattr(self.models.robustness, k, None) for k in keys}
        return {f"models.robustness.{k}": [name] for k, name in named.items() if name}

    def _uses(self) -> dict[str, list[str]]:
        uses = {f"systems.{k}.indicators": list(v.indicators) for k, v in self.systems.items()}
        uses["models.controls"] = list(self.models.controls)
        for k, v in self.models.regressions.items():
            uses[f"models.regressions.{k}.add"] = list(v.add)
        for k, v in self.published.items():
            uses[f"published.{k}.derived"] = list(v.derived)
        uses |= self._robustness("threshold", "moderator", "mediator", "size", "near")
        for k, v in self.claims.items():
            named = (v.cause, v.effect, v.by) if v.test != "bound" else ()
            uses[f"claims.{k}"] = [n for n in named if n and n not in self.systems]
        if self.models.var:
            uses["models.var.variables"] = list(self.models.var.variables)
        return uses

    @property
    def used_series(self) -> dict[str, Series]:
        """Derived series that something in the study reads, in the file's order."""
        wanted = {n for names in self._uses().values() for n in names}
        return {k: v for k, v in self.series.items() if k in wanted}

    @property
    def base_series(self) -> list[str]:
        """Published series that the study's formulas read, sorted."""
        names = {n for s in self.used_series.values() for n in names_in(s.formula)}
        names |= set(self.structure) | set(self.employment)
        return sorted(names)


def _not_in(name: str, known) -> str:
    near = difflib.get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.5)
    return f"not defined; did you mean '{near[0]}'?" if near else "not defined under series."


def _merge(base: Any, change: Any) -> Any:
    """Override `base` by `change`; a null in `change` takes the key away."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    merged = dict(base)
    for key, value in change.items():
        if value is None:
            if key not in merged:
                raise TandemError(f"takes away '{key}', which is {_not_in(key, merged)}")
            del merged[key]
        else:
            merged[key] = _merge(base.get(key), value)
    return merged


def _known_keys(path: tuple) -> list[str]:
    """Keys that the model allows at a validation error's location."""
    model: Any = Study
    for part in path:
        fields = getattr(model, "model_fields", None)
        if fields is None or part not in fields:
            continue
        found = [t for t in _types(fields[part].annotation) if hasattr(t, "model_fields")]
        model = found[0] if found else model
    return list(getattr(model, "model_fields", {}))


def _types(annotation) -> list:
    inner = [t for a in get_args(annotation) for t in _types(a)]
    return [annotation, *inner]


def _sentence(path: Path, error: dict) -> str:
    where = ".".join(p for p in map(str, error["loc"]) if not p.startswith("=")) or "the file"
    if error["type"] == "extra_forbidden":
        key, known = str(error["loc"][-1]), _known_keys(error["loc"][:-1])
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(known)}."
        return f"{path}: unknown key '{where}'; {hint}"
    if error["type"] == "missing":
        return f"{path}: '{where}' is missing; add it."
    message = error["msg"].removeprefix("Value error, ")
    return f"{path}: {where}: {message}"


def study_file(name: str) -> Path:
    """The file of a study, ``studies/<name>.yaml``.

    Raises
    ------
    TandemError
        If the name could lead elsewhere: small letters, digits and _ only.
    """
    if not re.fullmatch(NAME, name):
        raise TandemError(
            f"'{name}' is no name of a study: small letters, digits and _, a letter first."
        )
    return Path("studies") / f"{name}.yaml"


def load_study(path: str | Path, variant: str | None = None) -> Study:
    """Read and validate a study file.

    Parameters
    ----------
    path : file
        YAML, UTF-8.
    variant : str, optional
        Name under `variants` whose overrides apply.

    Raises
    ------
    TandemError
        One sentence with file and key: unknown key (nearest valid one named), missing key, wrong
        value, series not defined, unknown variant.
    """
    path = Path(path)
    if not path.is_file():
        near = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise TandemError(f"There is no study file {path}; studies here: {near or 'none'}.")
    raw = read_yaml(path, str(path))
    if not isinstance(raw, dict):
        raise TandemError(f"{path} is empty or not a mapping; copy studies/provinces.yaml.")
    if variant is not None:
        variants = raw.get("variants") or {}
        if not isinstance(variants, dict) or variant not in variants:
            known = ", ".join(map(str, variants)) if isinstance(variants, dict) else "none"
            raise TandemError(f"{path} has no variant '{variant}'; it has: {known}.")
        try:
            raw = _merge(raw, variants[variant])
        except TandemError as err:
            raise TandemError(f"{path}: the variant '{variant}' {err}") from None
    try:
        return Study.model_validate(raw)
    except ValidationError as err:
        sentences = [_sentence(path, e) for e in err.errors()]
        raise TandemError("\n".join(dict.fromkeys(sentences))) from None


def schema() -> dict:
    """JSON Schema of a study file."""
    return Study.model_json_schema()
