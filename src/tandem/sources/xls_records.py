"""What calamine does not tell of an .xls workbook: formula errors, percent formats, extents.

The layout of compound files and of the records is from memory of Microsoft's open specifications
[MS-CFB] and [MS-XLS]; the tests hold it against a workbook written by another program.
"""

from dataclasses import dataclass, field
from struct import unpack_from

_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!",
           42: "#N/A"}  # fmt: skip
_END = 0xFFFFFFFA  # sector numbers from here on are marks, not sectors
_FORMULA, _BOOLERR, _XF, _FORMAT, _BOUNDSHEET, _MULRK, _MULBLANK, _FILEPASS = (
    0x06, 0x205, 0xE0, 0x41E, 0x85, 0xBD, 0xBE, 0x2F,
)  # fmt: skip
_CELLS = {_FORMULA, _BOOLERR, _MULRK, _MULBLANK, 0x201, 0x203, 0x204, 0xD6, 0xFD, 0x27E}


@dataclass
class XlsFacts:
    """Of one sheet: error texts and cells shown as percent by (row, column), and the extent."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    percents: set[tuple[int, int]] = field(default_factory=set)
    rows: int = 0
    columns: int = 0


def is_encrypted_package(raw: bytes) -> bool:
    """Whether a compound file is an .xlsx workbook behind a password ([MS-OFFCRYPTO])."""
    return "EncryptedPackage".encode("utf-16-le") in raw


def read_xls_facts(raw: bytes) -> dict[str, XlsFacts]:
    """Facts of each sheet by name.

    Raises
    ------
    ValueError
        If the compound file is cut off or has no workbook stream.
    """
    stream = _workbook_stream(raw)
    sheets, percent_formats, formats_of_xf = {}, {9, 10}, []
    for code, data in _records(stream, 0):
        if code == _FILEPASS:
            return {}  # encrypted from here on
        if code == _BOUNDSHEET:
            sheets[_text(data, 7, data[6])] = unpack_from("<I", data, 0)[0]
        elif code == _FORMAT:
            if "%" in _text(data, 4, unpack_from("<H", data, 2)[0]):
                percent_formats.add(unpack_from("<H", data, 0)[0])
        elif code == _XF:
            formats_of_xf.append(unpack_from("<H", data, 2)[0])
    percent_xfs = {i for i, number in enumerate(formats_of_xf) if number in percent_formats}
    return {name: _sheet_facts(stream, start, percent_xfs) for name, start in sheets.items()}


def _text(data: bytes, flags_at: int, length: int) -> str:
    """A text of `length` characters after its byte of flags, whose bit 0 says two bytes each."""
    wide = data[flags_at] & 1
    text = data[flags_at + 1 : flags_at + 1 + length * (2 if wide else 1)]
    return text.decode("utf-16-le" if wide else "latin-1")


def _sheet_facts(stream: bytes, start: int, percent_xfs: set[int]) -> XlsFacts:
    facts = XlsFacts()
    for code, data in _records(stream, start):
        if code not in _CELLS:
            continue
        row, column, xf = unpack_from("<HHH", data, 0)
        xfs = {column: xf}
        if code == _MULRK:  # runs of (xf, number), then the last column
            xfs = {column + i: unpack_from("<H", data, 4 + 6 * i)[0]
                   for i in range((len(data) - 6) // 6)}  # fmt: skip
        elif code == _MULBLANK:
            xfs = {column: xf, unpack_from("<H", data, len(data) - 2)[0]: xf}
        facts.percents |= {(row, c) for c, x in xfs.items() if x in percent_xfs}
        facts.rows, facts.columns = max(facts.rows, row + 1), max(facts.columns, max(xfs) + 1)
        if code == _BOOLERR and data[7]:
            facts.errors[row, column] = _ERRORS.get(data[6], "#ERROR!")
        if code == _FORMULA and data[12:14] == b"\xff\xff" and data[6] in (2, 3):
            # 2: an error; 3: an empty text, or nothing at all where nobody has calculated
            error = _ERRORS.get(data[8], "#ERROR!")
            facts.errors[row, column] = error if data[6] == 2 else "=formula without a result"
    return facts


def _records(stream: bytes, start: int):
    """Records (code, data) of the substream at `start`, up to its end (0x0A)."""
    at, depth = start, 0
    while at + 4 <= len(stream):
        code, size = unpack_from("<HH", stream, at)
        data = stream[at + 4 : at + 4 + size]
        depth += (code == 0x809) - (code == 0x0A)  # charts are substreams within the sheet
        if depth <= 1 and len(data) == size:
            yield code, data
        if depth == 0:
            return
        at += 4 + size
    raise ValueError("the workbook ends in the middle of a sheet")


def _workbook_stream(raw: bytes) -> bytes:
    if len(raw) < 512:
        raise ValueError("the file ends within its header")
    shift, mini_shift = unpack_from("<HH", raw, 30)
    if shift not in (9, 12) or mini_shift != 6:
        raise ValueError("its header gives no size of a sector that there is")
    size, mini_size = 1 << shift, 1 << mini_shift
    first_directory, cutoff, first_mini_fat = (unpack_from("<I", raw, at)[0] for at in (48, 56, 60))

    def sector(number: int) -> bytes:
        data = raw[(number + 1) * size : (number + 2) * size]
        if len(data) < size and (number + 1) * size >= len(raw):
            raise ValueError("the file ends before its last sector")
        return data.ljust(size, b"\0")

    def chain(first: int, table: list[int]) -> list[int]:
        numbers = []
        while first < _END:
            numbers.append(first)
            if len(numbers) > len(table) or first >= len(table):
                raise ValueError("the chain of sectors is broken")
            first = table[first]
        return numbers

    listed, more = list(unpack_from("<109I", raw, 76)), unpack_from("<I", raw, 68)[0]
    while more < _END and len(listed) < len(raw):
        *numbers, more = unpack_from(f"<{size // 4}I", sector(more), 0)
        listed += numbers
    table = [n for s in listed if s < _END for n in unpack_from(f"<{size // 4}I", sector(s), 0)]
    directory = b"".join(map(sector, chain(first_directory, table)))
    entries = {}
    for at in range(0, len(directory), 128):
        length = unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries[name] = unpack_from("<II", directory, at + 116)
    name = next((n for n in ("Workbook", "Book") if n in entries), None)
    if name is None or "Root Entry" not in entries:
        raise ValueError("there is no workbook in it")
    start, length = entries[name]
    if length >= cutoff:
        return b"".join(map(sector, chain(start, table)))[:length]
    mini = b"".join(map(sector, chain(entries["Root Entry"][0], table)))
    mini_table = [
        n for s in chain(first_mini_fat, table) for n in unpack_from(f"<{size // 4}I", sector(s), 0)
    ]
    parts = (mini[n * mini_size : (n + 1) * mini_size] for n in chain(start, mini_table))
    return b"".join(parts)[:length]
