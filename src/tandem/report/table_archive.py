"""Zip archives and office files that are the same bytes whenever they are written."""

import io
import re
import zipfile
from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip entry can carry
DATE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def fixed_archive(content: bytes) -> bytes:
    """The same zip archive with sorted entries and every date inside it fixed.

    Parameters
    ----------
    content
        A .docx or .xlsx file, whose libraries stamp it with the time of writing.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        files = {name: source.read(name) for name in source.namelist()}
    if "docProps/core.xml" in files:
        files["docProps/core.xml"] = DATE.sub(
            rb"\g<1>2000-01-01T00:00:00Z", files["docProps/core.xml"]
        )
    return zipped(files)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of contents by name: sorted entries, no dates, the same bytes anywhere."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # otherwise the operating system is written into the file
            target.writestr(entry, files[name])
    return out.getvalue()
