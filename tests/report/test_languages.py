"""The two languages say the same things, and labels that are not known stay as they are."""

import re
from pathlib import Path

import pandas as pd
import pytest
from jinja2 import Template

from tandem.errors import TandemError
from tandem.report import languages
from tandem.report.languages import LANGUAGES, glossary, sentences, translate
from tandem.sources import read_codebook
from tandem.study import load_study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def known():
    study = load_study(ROOT / "studies" / "provinces.yaml")
    return glossary(study, read_codebook(ROOT / "data"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_sentence(language):
    found = sentences(language)
    assert found.keys() == sentences("en").keys() and len(found) > 100
    assert all(isinstance(text, str) and text.strip() for text in found.values())


def test_a_sentence_in_one_language_only_is_told(monkeypatch):
    read = languages._read
    monkeypatch.setattr(
        languages, "_read", lambda lang: {"data": {"x": ""}} if lang == "zh" else read(lang)
    )
    with pytest.raises(TandemError, match=r"text\.zh\.yaml and text\.en\.yaml differ in"):
        sentences("zh")


@pytest.mark.parametrize(
    ("label", "chinese"),
    [
        ("Heilongjiang", "黑龙江"),  # a province
        ("gdp", "国内生产总值"),  # the codebook
        ("Patents granted", "专利授权量"),  # the study
        ("undetermined", "未定"),  # the words
        ("technology → upgrading", "技术进步 → 产业升级"),  # patterns, with words in them
        ("Sample: 30 entities, 2012–2019.", "样本：30 个地区，2012–2019。"),
        ("nobody's label", "nobody's label"),
    ],
)
def test_labels(known, label, chinese):
    assert translate(label, known) == chinese


def test_claims_are_said_in_the_language_shown(known):
    assert translate("Capital draws talent.", known) == "资本吸引人才。"
    assert translate("52% of 120", known) == "120 个中 52%"


def test_notes_on_many_columns_are_all_translated(known):
    note = "p-values: t(29) in columns (1), (2); t(7) in column (3); t(9) in column (4)."
    assert translate(note, known) == "p 值：t(29)（列(1), (2)）；t(7)（列(3)）；t(9)（列(4)）。"


def test_the_study_names_its_own_labels(known):
    study = load_study(ROOT / "studies" / "provinces.yaml")
    for one in (*study.series.values(), *study.systems.values()):
        assert translate(one.label.en, known) == one.label.zh


def test_what_changed_is_said_in_chinese(known):
    path = Path(languages.__file__).with_name("changed.html.j2")
    names = sorted(set(re.findall(r"\bn\.(\w+)", path.read_text(encoding="utf-8"))))
    none = pd.DataFrame(columns=["what"])
    changed = dict.fromkeys(("claims", "tables", "terms", "cells"), none)
    changed["summary"] = pd.DataFrame({"what": names, "value": "7"})
    changed["files"] = pd.DataFrame({"part": ["data"]})
    page = Template(path.read_text(encoding="utf-8")).render(changed=changed)
    said = " ".join(page.split("<p>")[1].partition("<a")[0].split())
    assert translate(said, known).startswith("自保存的运行 7 以来的变化：公布值 7 个，面板值 7 个")
