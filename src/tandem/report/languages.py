"""The report in English and Chinese: sentences from text.<language>.yaml, labels from the study."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import yaml
from jinja2 import Environment, pass_context
from markupsafe import Markup

from tandem.errors import TandemError
from tandem.sources.regions import CHINESE_NAMES
from tandem.study import Study

LANGUAGES = ("en", "zh")
FOLDER = Path(__file__).parent


def sentences(language: str) -> dict[str, str]:
    """Sentences of a language by dotted key, e.g. "data.heading"; Jinja expressions as written.

    Raises
    ------
    TandemError
        If the file lacks a sentence that the English one has, or has one more.
    """
    found = _flat(_read(language))
    differing = sorted(set(found) ^ set(_flat(_read("en"))))
    if differing:
        raise TandemError(
            f"text.{language}.yaml and text.en.yaml differ in {differing[0]!r}; "
            "write the sentence in both files."
        )
    return found


def glossary(study: Study, codebook: pd.DataFrame | None = None) -> dict:
    """Chinese for the labels that tables and figures print.

    Parameters
    ----------
    codebook : DataFrame, optional
        Columns series, label_en, label_zh.

    Returns
    -------
    dict
        words {English: Chinese}; patterns [[regular expression, Chinese with \\1 for the group]].
    """
    text = _read("zh")
    words = dict(CHINESE_NAMES) | {str(k): str(v) for k, v in text["words"].items()}
    if codebook is not None:
        labelled = codebook[codebook["label_zh"].notna() & (codebook["label_zh"] != "")]
        for key in ("series", "label_en"):
            words = dict(zip(labelled[key], labelled["label_zh"], strict=True)) | words
    named = {**study.series, **study.systems}
    nodes = [node for d in study.diagrams.values() for node in d.nodes.values() if node.label]
    labels = [one.label for one in (*named.values(), *study.published.values(), *nodes)]
    labels += [claim.claim for claim in study.claims.values()]
    words |= {label.en: label.zh for label in labels if label.zh}
    words |= {key: s.label.zh for key, s in named.items() if s.label.zh and key not in words}
    return {"words": words, "patterns": text["patterns"]}


def translate(text: str, known: Mapping) -> str:
    """Chinese of a label as far as the glossary knows it, the label itself otherwise.

    >>> translate("yes", {"words": {"yes": "是"}, "patterns": []})
    '是'
    """
    if text in known["words"]:
        return known["words"][text]
    for pattern, form in known["patterns"]:
        found = re.fullmatch(pattern, text)
        if found:
            parts = [translate(part, known) for part in found.groups()]
            return re.sub(r"\\(\d+)", lambda m, parts=parts: parts[int(m[1]) - 1], form)
    return text


def speech(environment: Environment, known: Mapping) -> dict[str, Callable]:
    """Functions for the templates of a report in both languages.

    Returns
    -------
    dict
        say(key, ...): a sentence in every language, one span each; plain(key, language, ...): in
        one language, for attributes; both(text): a text of the study in every language.
    """
    ready = {
        language: {key: environment.from_string(text) for key, text in sentences(language).items()}
        for language in LANGUAGES
    }
    choose = {
        "en": lambda x: getattr(x, "en", x),
        "zh": lambda x: getattr(x, "zh", "") or translate(getattr(x, "en", x), known),
    }

    @pass_context
    def plain(context, key, language, **values):
        values = context.get_all() | values | {"word": choose[language]}
        return Markup(ready[language][key].render(values))

    @pass_context
    def say(context, key, **values):
        return _spans({lang: plain(context, key, lang, **values) for lang in LANGUAGES})

    def both(text):
        return _spans({lang: choose[lang](text) for lang in LANGUAGES})

    return {"say": say, "plain": plain, "both": both}


def _spans(texts: Mapping[str, str]) -> Markup:
    return Markup("").join(Markup('<span lang="{}">{}</span>').format(*t) for t in texts.items())


def _read(language: str) -> dict:
    return yaml.safe_load((FOLDER / f"text.{language}.yaml").read_text(encoding="utf-8"))


def _flat(tree: Mapping, above: str = "") -> dict[str, str]:
    flat = {}
    for key, value in tree.items():
        if above or key not in ("words", "patterns"):
            name = f"{above}{key}"
            flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat
