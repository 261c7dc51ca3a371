"""data/aliases.csv: what tables print, beyond the names and codes that the readers know."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tandem.errors import TandemError
from tandem.sources.regions import find_province
from tandem.sources.text import squeezed

COLUMNS = ["kind", "printed", "means", "why"]
_KINDS = ("region", "missing", "subtotal")


@dataclass(frozen=True)
class Aliases:
    """Aliases by what is printed, spaces and case apart.

    `regions` gives (code, English name) of a province; `missing` are codes for no value;
    `subtotals` are rows to leave out.
    """

    regions: dict[str, tuple[str, str]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    subtotals: frozenset[str] = frozenset()


def read_aliases(data: Path) -> Aliases:
    """The aliases of a data folder; none if it has no aliases.csv.

    Raises
    ------
    TandemError
        If a column is missing, or a line has an unknown kind, no reason, or a province unknown.
    """
    path = Path(data) / "aliases.csv"
    if not path.is_file():
        return Aliases()
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.EmptyDataError, pd.errors.ParserError) as err:
        raise TandemError(f"{path} cannot be read ({err}); save it as UTF-8 CSV.") from err
    absent = [name for name in COLUMNS if name not in table.columns]
    if absent:
        raise TandemError(f"{path} lacks the column {', '.join(absent)}; add it to its first line.")
    problems, seen = [], set()
    for line, row in enumerate(table.itertuples(index=False), start=2):
        where = f"aliases.csv line {line} ('{row.printed}')"
        if row.kind not in _KINDS:
            problems.append(f"{where}: kind is '{row.kind}'; write one of {', '.join(_KINDS)}.")
        if not row.printed.strip() or not row.why.strip():
            problems.append(f"{where}: printed or why is blank; fill it in.")
        if row.kind == "region" and find_province(row.means) is None:
            problems.append(f"{where}: '{row.means}' is not a province; write its English name.")
        if (row.kind, squeezed(row.printed)) in seen:
            problems.append(f"{where}: stands twice; delete one of the lines.")
        seen.add((row.kind, squeezed(row.printed)))
    if problems:
        raise TandemError("\n".join(problems[:20]))
    of_kind = {kind: table[table["kind"] == kind] for kind in _KINDS}
    return Aliases(
        {squeezed(r.printed): find_province(r.means) for r in of_kind["region"].itertuples()},
        frozenset(of_kind["missing"]["printed"].str.strip()),
        frozenset(map(squeezed, of_kind["subtotal"]["printed"])),
    )
