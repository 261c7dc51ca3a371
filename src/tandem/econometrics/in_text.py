"""One `summary` for every result that has no words of its own."""

from dataclasses import fields, is_dataclass

import pandas as pd


def in_text(result) -> str:
    """The public fields of a result in plain text: tables under each other, the rest a line each.

    Parameters
    ----------
    result : dataclass or named tuple
        Fields of a dataclass with ``repr=False`` are left out.
    """
    if is_dataclass(result):
        names = [f.name for f in fields(result) if f.repr and not f.name.startswith("_")]
    else:
        names = result._fields
    return _lines({name: getattr(result, name) for name in names})


def _lines(values: dict) -> str:
    lines = []
    for name, value in values.items():
        if isinstance(value, pd.DataFrame | pd.Series):
            lines += ["", str(name), value.to_string(float_format="%.5g"), ""]
        elif hasattr(value, "_asdict"):
            lines.append(_lines({f"{name}.{key}": part for key, part in value._asdict().items()}))
        elif isinstance(value, dict):
            lines.append(_lines(value))
        elif isinstance(value, float):
            lines.append(f"{name:<18}{value:.5g}")
        elif isinstance(value, str | int | list | tuple):
            lines.append(f"{name:<18}{value}")
    return "\n".join(lines).strip("\n")
