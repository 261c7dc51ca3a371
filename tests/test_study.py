"""A study file is read as it is meant, or refused in one sentence that says where."""

import json
import re
import time
from pathlib import Path

import pytest
import yaml

from tandem.errors import TandemError
from tandem.plain_yaml import read_yaml
from tandem.study import Study, load_study, schema, study_file

VAR = {"fod": {"label": "FOD"}}
RISING = "models.panel_var.instrument_lags: lags of instruments run upwards from 2 or more; "
STUDIES = Path(__file__).parents[1] / "studies"
FILES = sorted(STUDIES.glob("*.yaml"))
SMALL = {
    "title": {"en": "A study"},
    "question": {"en": "Does a pull b?"},
    "seed": 1,
    "panel": {"scope": "nation", "years": [2001, 2010]},
    "vintages": {"gdp": {"join": ["v2", "v1"], "chain": ["v1"], "why": "test"}},
    "series": {
        name: {"formula": formula, "unit": "percent", "label": {"en": name}, "why": "test"}
        for name, formula in {
            "research": "rd / gdp * 100",
            "services": "va_tertiary / gdp",
            "unused": "patents / gdp",
            "control": "log(population)",
        }.items()
    },
    "systems": {
        "technology": {"label": {"en": "Technology"}, "indicators": {"research": "+"}},
        "upgrading": {"label": {"en": "Upgrading"}, "indicators": {"services": "+"}},
    },
    "models": {
        "controls": ["control"],
        "regressions": {"within": {"label": "Within", "effects": "entity"}},
    },
    "variants": {
        "short": {"panel": {"years": [2005, 2010]}},
        "bare": {"models": {"controls": None}},
        "wrong_key": {"panel": {"yaers": [2005, 2010]}},
        "wrong_null": {"models": {"contrls": None}},
    },
}


def changed(*changes):
    """The small study with values put (or, with ..., taken away) at dotted paths."""
    raw = json.loads(json.dumps(SMALL))
    for path, value in changes:
        *parents, last = path.split(".")
        part = raw
        for key in parents:
            part = part[key]
        if value is ...:
            del part[last]
        else:
            part[last] = value
    return raw


@pytest.fixture
def read(tmp_path):
    def load(*changes, variant=None):
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(changed(*changes), sort_keys=False), encoding="utf-8")
        return load_study(path, variant)

    return load


@pytest.fixture
def read_text(tmp_path):
    def load(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return load_study(path)

    return load


def test_there_are_studies():
    assert {"provinces", "nation"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_study_of_the_house_and_its_variants_load(path):
    study = load_study(path)
    assert len(study.systems) >= 2
    for name in study.variants:
        assert load_study(path, name) != study


def test_a_variant_overrides_parts_and_leaves_the_rest():
    study = load_study(STUDIES / "provinces.yaml")
    long = load_study(STUDIES / "provinces.yaml", "from_2007_without_rd")
    assert (study.panel.years, long.panel.years) == ((2011, 2019), (2007, 2019))
    assert long.panel.exclude == study.panel.exclude == ["Tibet"]
    gone = set(study.systems["technology"].indicators) - set(long.systems["technology"].indicators)
    assert gone == {"rd_intensity", "rd_personnel"}
    assert long.vintages["patent_grants"].join == ["nbs-2026", "nbs-2021"]
    assert long.vintages["gdp"] == "census4"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("sead", 1, "unknown key 'sead'; did you mean 'seed'?"),
        ("panel.yeers", [1, 2], "unknown key 'panel.yeers'; did you mean 'years'?"),
        ("vintages.gdp.chian", ["v1"], "unknown key 'vintages.gdp.chian'; did you mean 'chain'?"),
        (
            "models.regressions.within.lag",
            2,
            "'models.regressions.within.lag'; did you mean 'lags'",
        ),
        ("systems.upgrading.indicator", {}, "did you mean 'indicators'?"),
        (
            "panel.zzz",
            1,
            "unknown key 'panel.zzz'; valid keys: scope, table, exclude, years, groups.",
        ),
        ("series.research.unit", ..., "'series.research.unit' is missing; add it."),
        ("systems", ..., "'systems' is missing; add it."),
        ("seed", -1, "seed: "),
        ("panel.scope", "province", "panel.scope: Input should be 'provinces', "),
        ("panel.years", [2010, 2001], "panel: the first year 2010 is after the last 2001"),
        (
            "panel.years",
            [2010, 201100],
            "a year has four digits, 1000 to 2999; [2010, 201100] was given",
        ),
        ("systems.upgrading.indicators.services", "up", "Input should be '+' or '-'"),
        ("vintages.gdp", 2015, "vintages.gdp: Input should be a valid string"),
        ("vintages.gdp.join", ["v1"], "vintages.gdp.join: List should have at least 2 items"),
        ("vintages.gdp.chain", ["v9"], "vintages.gdp: chain names 'v9'"),
        ("vintages.gdp.chain", ["v2"], "vintages.gdp: chain names 'v2'"),  # nothing stands before
        ("models.regressions.within.lags", 9, "models.regressions.within.lags: "),
        ("series.research.formula", "rd ** 2", "series.research: the formula 'rd ** 2' holds"),
        (
            "systems.upgrading.indicators",
            {"servces": "+"},
            "systems.upgrading.indicators names 'servces', which is not defined; "
            "did you mean 'services'?",
        ),
        ("models.controls", ["zzz"], "models.controls names 'zzz', which is not defined under"),
        (
            "models.regressions.within.add",
            ["contrl"],
            "models.regressions.within.add names 'contrl', which is not defined; did you mean "
            "'control'?",
        ),
        (
            "models.regressions.within.add",
            ["services"],
            "models.regressions.within.add names 'services', which is the indicator 'services' of "
            "the system 'upgrading': a score would be explained by what it is made of",
        ),
        (  # under another name, too
            "series.control.formula",
            "rd/gdp * 100",
            "models.controls names 'control', which is the indicator 'research' of the system",
        ),
        ("coupling", {"ensemble": {"draws": 500}}, "coupling.ensemble.draws: "),
        ("coupling", {"ensemble": {"draws": 10**12}}, "coupling.ensemble.draws: "),
        ("models.verdict", {"draws": 10**12}, "models.verdict.draws: "),
        ("coupling", {"shares": [float("nan"), float("inf")]}, "coupling.shares.0: "),
        ("coupling", {"shares": ["nan", 1]}, "coupling.shares.0: "),
        ("coupling", {"shares": [-1, 2]}, "coupling.shares gives each of the 2 systems its"),
        ("coupling", {"shares": [0.2, 0.3, 0.5]}, "coupling.shares gives each of the 2 systems"),
        ("coupling", {"shares": [1, 2]}, "coupling.shares gives each of the 2 systems its"),
        ("series.research.plausible", [float("nan")] * 2, "series.research.plausible.0: "),
        ("series.research.plausible", [2, 1], "plausible gives the smallest value first, not 2"),
        ("models.panel_var", {"instrument_lags": [4, 2], "models": VAR}, RISING + "[4, 2]"),
        ("models.panel_var", {"instrument_lags": [-5, 2], "models": VAR}, RISING + "[-5, 2]"),
        (
            "models.verdict",
            {"curve": {"gmm": {"instrument_lags": [[2, 3], [1, 4]]}}},
            "models.verdict.curve.gmm.instrument_lags.1: lags of instruments run upwards",
        ),
        (
            "series.research.formula",
            "rd ** " * 100,
            "series.research: the formula '" + ("rd ** " * 100)[:40] + "...' cannot be read",
        ),
        ("dynamics", {"stages": [0.5, 0.3, 0.8]}, "the cut-offs of the stages must rise"),
        ("dynamics", {"research": {"formula": "rd **", "unit": "u"}}, "dynamics.research: "),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_do(read, path, value, words):
    with pytest.raises(TandemError) as refused:
        read((path, value))
    assert words in str(refused.value)
    assert all("mine.yaml: " in line for line in str(refused.value).splitlines())


def test_only_the_branch_that_was_meant_is_complained_of(read):
    with pytest.raises(TandemError) as refused:
        read(("vintages.gdp.chian", ["v1"]))
    assert len(str(refused.value).splitlines()) == 1


def test_every_mistake_of_a_file_is_told_at_once(read):
    with pytest.raises(TandemError) as refused:
        read(("sead", 1), ("panel.yeers", 1), ("seed", "x"))
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\ntitle: {en: x}\nseed: 2\n", "line 3: the key 'seed' stands twice"),
        ("panel: {years: [1, 2], years: [3, 4]}", "line 1: the key 'years' stands twice"),
        ("? [a, b]\n: 1\n", "line 1: a key is one word"),
        ("title: [", "is not readable YAML"),
        ("", "is empty or not a mapping"),
        ("- a\n- b\n", "is empty or not a mapping"),
        ("seed: 1\na: !!bool x", "line 2: the tag tag:yaml.org,2002:bool stands before a value"),
        ('a: !!int ""', "line 1: the tag tag:yaml.org,2002:int stands before a value"),
        ("a: !!timestamp x", "line 1: the tag tag:yaml.org,2002:timestamp stands before a value"),
        ("a: {formula: lag(gdp, 2), unit: u}", "'2)' stands where a key should: put a formula"),
        ("a: {en: mean(a, b), zh: mean(a, b)}", "'b)' stands where a key should: put a formula"),
        ("seed: " + "9" * 5000, f"line 1: '{'9' * 40}' is no number that can be read"),
        ("seed: 0x_", "line 1: '0x_' is no number"),
    ],
)
def test_bad_yaml_is_refused_in_words(read_text, text, words):
    with pytest.raises(TandemError, match="mine.yaml") as refused:
        read_text(text)
    assert words in str(refused.value)


def test_a_mapping_can_be_merged_into_others(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {y: 4, <<: [{z: 5}, *a]}\nd: *a\n")
    a = {"x": 1, "y": 2}
    found = {"a": a, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 4, "z": 5}, "d": a}
    assert read_yaml(path, "mine.yaml") == found


def test_dates_and_signs_stay_text(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("[2001-01-31, 2001-99-99, =, lag(gdp, 2)]")
    found = ["2001-01-31", "2001-99-99", "=", "lag(gdp", "2)"]
    assert read_yaml(path, "mine.yaml") == found


def test_many_keys_are_read_at_once(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("".join(f"k{i}: 1\n" for i in range(40_000)))
    started = time.process_time()
    assert len(read_yaml(path, "mine.yaml")) == 40_000
    assert time.process_time() - started < 8  # each key beside all others took a minute


def test_a_file_in_another_encoding_is_refused_in_words(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("title: {zh: 技术}".encode("gb18030"))
    with pytest.raises(TandemError, match="mine.yaml is not readable YAML"):
        load_study(path)


def test_an_absent_file_is_refused_with_the_studies_there_are():
    with pytest.raises(TandemError, match="no study file .*nowhere.yaml; .*nation, provinces"):
        load_study(STUDIES / "nowhere.yaml")


def test_variants(read):
    assert read(variant="short").panel.years == (2005, 2010)
    assert read().models.controls == ["control"]
    assert read(variant="bare").models.controls == []
    with pytest.raises(TandemError, match="unknown key 'panel.yaers'; did you mean 'years'"):
        read(variant="wrong_key")
    with pytest.raises(TandemError, match="'wrong_null' takes away 'contrls'.*mean 'controls'"):
        read(variant="wrong_null")
    with pytest.raises(TandemError, match="no variant 'shrt'; it has: short, bare"):
        read(variant="shrt")


@pytest.mark.parametrize("variants", [[1], {3: {}}])
def test_variants_without_names_are_refused_in_words(read, variants):
    with pytest.raises(TandemError, match="no variant 'short'; it has: "):
        read(("variants", variants), variant="short")


def test_a_null_in_a_variant_takes_an_indicator_away(read):
    two = {"research": "+", "unused": "+"}
    change = {"systems": {"technology": {"indicators": {"research": None}}}}
    study = read(("systems.technology.indicators", two), ("variants.less", change), variant="less")
    assert study.systems["technology"].indicators == {"unused": "+"}


def test_only_series_that_something_reads_are_used(read):
    study = read()
    assert list(study.used_series) == ["research", "services", "control"]
    assert study.base_series == ["gdp", "population", "rd", "va_tertiary"]
    more = read(
        ("structure", ["va_primary", "va_secondary", "va_tertiary"]),
        ("models.regressions.within.add", ["unused"]),
    )
    assert list(more.used_series) == ["research", "services", "unused", "control"]
    assert {"va_primary", "va_secondary", "patents"} <= set(more.base_series)


def test_a_study_cannot_change_after_it_was_read(read):
    with pytest.raises(ValueError, match="frozen"):
        read().seed = 2


def test_the_schema_knows_every_key_of_the_house_studies():
    found = schema()
    json.dumps(found)
    assert found["additionalProperties"] is False
    assert set(found["properties"]) == set(Study.model_fields)
    for path in FILES:
        assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) <= set(found["properties"])


def test_the_committed_schema_is_the_models():
    committed = Path(__file__).parents[1] / "studies/schema.json"
    assert json.loads(committed.read_text(encoding="utf-8")) == schema()


def test_structure_takes_three_industries_or_nothing(tmp_path):
    raw = yaml.safe_load((STUDIES / "nation.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "two.yaml"
    path.write_text(yaml.safe_dump(raw | {"structure": ["va_primary", "va_tertiary"]}))
    with pytest.raises(TandemError, match="structure takes the three industries in order"):
        load_study(path)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "line 5: it holds more than 100,000 values, those that aliases (*name) stand for"),
        ("a: [" + "1, " * 200_000 + "]", "it holds more than 100,000 values"),
        ("a: &a [*a]", "line 1: *a stands for what holds it"),
        ("seed: " + "1" * 1_000_001, "it has more than 1,000,000 characters"),
        ("a: !!python/object/apply:os.system [ls]", "the tag tag:yaml.org,2002:python/object/"),
        *[
            (text, "more than 50 lists and mappings stand inside one another")
            for text in (
                "[" * 40_000,
                "- " * 100_000,
                "".join(f"{' ' * i}a:\n" for i in range(900)),
                "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 60)),
            )
        ],
    ],
    ids=lambda value: value[:20],
)
def test_a_file_made_to_do_harm_is_refused(tmp_path, text, told):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TandemError, match=re.escape(told)):
        load_study(path)


@pytest.mark.parametrize("table", ["../secret.csv", "/etc/passwd", "raw/x.csv", "x.txt", ".csv/.."])
@pytest.mark.parametrize("block", ["dynamics", "models.robustness"])
def test_a_table_of_neighbours_lies_in_data(tmp_path, table, block):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(changed((block, {"neighbours": table}))), encoding="utf-8")
    with pytest.raises(TandemError, match="neighbours"):
        load_study(path)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "", "Ä", "x.yaml"])
def test_a_name_that_leads_elsewhere_is_no_study(name):
    with pytest.raises(TandemError, match="no name of a study"):
        study_file(name)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"verdict": {}}, "give models.regressions, or for one entity models.var"),
        (
            {"verdict": {"curve": {}}, "var": {"variables": ["a", "b"], "years": [2001, 2010]}},
            "models.verdict.curve needs a panel",
        ),
    ],
)
def test_a_verdict_needs_methods_to_set_side_by_side(models, words):
    with pytest.raises(ValueError, match=words):
        Study.model_validate(SMALL | {"models": models})


def test_a_table_is_read_whole_and_its_names_are_unlike(tmp_path):
    raw = changed(("panel.scope", "table"), ("vintages", {}), ("variants", {}))
    raw["panel"]["table"] = {"file": "data/firms.csv", "entity": "firm", "year": "year"}
    raw["models"] = {"controls": ["control"]}
    Study.model_validate(raw)
    for key, value in (("exclude", ["x"]), ("groups", {"g": ["x"]})):
        with pytest.raises(ValueError, match="a table is read whole: take out exclude and groups"):
            Study.model_validate(raw | {"panel": raw["panel"] | {key: value}})
    system = raw["systems"]["technology"] | {"indicators": {"unused": "+"}}
    systems = raw["systems"] | {"control": system}
    with pytest.raises(ValueError, match="'control' is a system and a series; rename one"):
        Study.model_validate(raw | {"systems": systems})


@pytest.mark.parametrize("label", ["R2", "R²", "Adj. R²", "R-squared"])
def test_a_table_says_which_r_squared_it_shows(label):
    table = {
        "title": {"en": "t"}, "records": "upgrading", "columns": {"within": "(1)"},
        "rows": {"L1.technology": "Technology"}, "statistics": {"r2_within": label},
    }  # fmt: skip
    with pytest.raises(ValueError, match="say which, 'R² within'"):
        Study.model_validate(SMALL | {"tables": {"mine": table}})
    table["statistics"] = {"r2_within": "R² within", "n_obs": "R2"}
    Study.model_validate(SMALL | {"tables": {"mine": table}})
