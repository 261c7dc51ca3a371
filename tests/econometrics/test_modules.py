"""What holds for the results of every estimator."""

import dataclasses
import importlib
import pkgutil

import pytest

import tandem.econometrics as ec

# public parts that are long, for figures, and not printed
LONG = {"curve", "drawn", "draws", "lr", "marginal", "moderator", "objective", "regime"}
ARRAYS = ("DataFrame", "Series", "ndarray")


def dataclasses_of_the_room():
    for found in pkgutil.iter_modules(ec.__path__):
        module = importlib.import_module(f"tandem.econometrics.{found.name}")
        for thing in vars(module).values():
            if dataclasses.is_dataclass(thing) and thing.__module__ == module.__name__:
                yield pytest.param(thing, id=f"{found.name}.{thing.__name__}")


@pytest.mark.parametrize("result", list(dataclasses_of_the_room()))
def test_a_result_cannot_be_changed_nor_compared_array_by_array(result):
    options, fields = result.__dataclass_params__, dataclasses.fields(result)
    assert options.frozen
    holds_arrays = any(kind in str(f.type) for f in fields for kind in ARRAYS)
    if holds_arrays and (hasattr(result, "summary") or "Result" in result.__name__):
        assert not options.eq  # two arrays are equal value by value, not as a whole
    if not result.__name__.startswith("_") and hasattr(result, "summary"):
        hidden = {f.name for f in fields if not f.repr}
        private = {f.name for f in fields if f.name.startswith("_")}
        long = {f.name for f in fields} & LONG
        assert hidden == private | (set() if result is ec.SpecificationCurve else long)
