from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.sources.cells import parse_cell, split_unit
from tandem.sources.units import unit_factor, unit_name


@pytest.mark.parametrize(
    ("text", "value", "rules"),
    [
        ("35445.1", "35445.1", []),
        ("-528.82", "-528.82", []),
        ("1,234,567.8", "1234567.8", ["thousands separator removed"]),
        ("１２３．４", "123.4", ["full-width characters"]),
        ("12.3①", "12.3", ["footnote mark stripped"]),
        ("12①", "12", ["footnote mark stripped"]),
        ("12.3*", "12.3", ["footnote mark stripped"]),
        ("12.3 a)", "12.3", ["footnote mark stripped"]),
        ("\u22125.0", "-5.0", ["typographic minus"]),
        (" 7 ", "7", ["spaces trimmed"]),
        ("１，２３４①", "1234",
         ["footnote mark stripped", "full-width characters", "thousands separator removed"]),
    ],
)  # fmt: skip
def test_accepted_spellings(text, value, rules):
    assert parse_cell(text) == (Decimal(value), rules)


@pytest.mark.parametrize("text", ["", "  ", "\u3000"])
def test_blank_is_missing_and_never_zero(text):
    assert parse_cell(text) == (None, ["blank: not published"])


def test_missing_code_counts_only_where_the_codebook_names_it():
    assert parse_cell("not copied", ["not copied"]) == (None, ["missing code: not copied"])
    with pytest.raises(ValueError, match="'not copied' is not a number"):
        parse_cell("not copied")


@pytest.mark.parametrize(
    "text",
    ["12.3x", "1,23", "1,2345", "1.2E+05", "12 345", "1.2.3", "+5", "①", "*", "--", "nan",
     "inf", "1①2", "٣", "½", "²", "1_000", "12.", ".5", "a)"],
)  # fmt: skip
def test_unexplained_text_is_refused(text):
    with pytest.raises(ValueError, match="is not a number"):
        parse_cell(text)


numbers = st.decimals(-(10**9), 10**9, places=2)
full_width = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")


@given(numbers, st.booleans(), st.booleans(), st.sampled_from(["", "①", "⑳", "*", "a)", " b)"]))
def test_any_decoration_gives_back_the_number(number, grouped, wide, mark):
    text = f"{number:,}" if grouped else f"{number}"
    text = (text.translate(full_width) if wide else text) + mark
    value, rules = parse_cell(text)
    assert value == number
    assert ("footnote mark stripped" in rules) == (mark != "")
    assert ("full-width characters" in rules) == wide


@given(st.text(max_size=12))
def test_any_text_is_a_finite_number_a_blank_or_refused(text):
    try:
        value, rules = parse_cell(text)
    except ValueError:
        return
    if value is None:
        assert text.strip() == "" or rules[0].startswith("missing code: ")
    else:
        assert value.is_finite()
        assert rules or text == text.strip() and text.isascii()


@pytest.mark.parametrize(
    ("text", "rule"),
    [("…", "missing code: … (less than the smallest unit of the table)"),
     ("...", "missing code: ... (less than the smallest unit of the table)"),
     ("—", "missing code: — (no such value)"), ("-", "missing code: - (no such value)"),
     ("－", "missing code: － (no such value)"),
     ("#", "missing code: # (mark of a main item without a value)")],
)  # fmt: skip
def test_missing_codes_of_the_yearbooks_stay_distinct(text, rule):
    assert parse_cell(text) == (None, [rule])


def test_a_formula_error_is_named_and_a_long_text_is_not_repeated():
    with pytest.raises(ValueError, match="'#REF!' is not a number but a formula error"):
        parse_cell("#REF!")
    with pytest.raises(ValueError, match="^'a{20}...', a text of 1001 characters, is not"):
        parse_cell("a" * 1001)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("35.2亿元", ("35.2", "亿元")), ("12.5%", ("12.5", "%")), ("1,234 万人", ("1,234", "万人")),
     ("-3.1亿元①", ("-3.1①", "亿元")), ("35.2x", ("35.2x", "")), ("35.2", ("35.2", ""))],
)  # fmt: skip
def test_unit_in_a_cell(text, parts):
    assert split_unit(text) == parts


@pytest.mark.parametrize(
    ("printed", "canonical", "factor"),
    [("亿元", "100M yuan", "1"), ("千元", "10k yuan", "0.1"), ("百万元", "100M yuan", "0.01"),
     ("10 000 yuan", "100M yuan", "0.0001"), ("100 million yuan", "10k yuan", "10000"),
     ("亿元 (100 million yuan)", "100M yuan", "1"), ("千人", "10k persons", "0.1"),
     ("人年", "10k person-years", "0.0001"), ("万人年", "person-years", "10000"),
     ("‰", "percent", "0.1"), ("每千人", "per 10k persons", "10"), ("万件", "piece", "10000"),
     ("per 10,000 persons", "per 1k persons", "0.1"), ("万吨", "tons", "10000"),
     ("平方公里", "10k hectares", "0.01"), ("家", "unit", "1")],
)  # fmt: skip
def test_printed_units_turn_into_the_codebook_s(printed, canonical, factor):
    assert unit_factor(unit_name(printed), canonical) == Decimal(factor)


def test_two_languages_that_contradict_are_no_unit():
    assert unit_factor(unit_name("亿元 (10 000 yuan)"), "100M yuan") is None


def test_units():
    assert unit_name("亿元") == "100M yuan"
    assert unit_factor("10k yuan", "100M yuan") == Decimal("0.0001")
    assert unit_factor("persons", "10k persons") == Decimal("0.0001")
    assert unit_factor("10k persons", "100M yuan") is None
    assert unit_factor("bushel", "piece") is None
    assert unit_factor("bushel", "bushel") == 1
