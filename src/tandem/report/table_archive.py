"""Office files that are the same bytes whenever they are written."""

import io
import re
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip entry can carry
DATE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def fixed_archive(content: bytes) -> bytes:
    """The same zip archive with sorted entries and every date inside it fixed.

    Parameters
    ----------
    content
        A .docx or .xlsx file, whose libraries stamp it with the time of writing.
    """
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == "docProps/core.xml":
                data = DATE.sub(rb"\g<1>2000-01-01T00:00:00Z", data)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # otherwise the operating system is written into the file
            target.writestr(entry, data)
    return out.getvalue()
