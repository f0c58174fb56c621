"""Reads numbers that people write into filters and dial boxes, through the number reader."""

from callcenter.errors import BadNumber
from callcenter.matching.spelling import dialable
from callcenter.web.services import NumberReader


def read_number(reader: NumberReader, text: str, pbx: str | None = None) -> str:
    """The number as the stores know it: E.164, or the digits of an extension.

    Raises:
        BadNumber: the text is no phone number.
        NotFound: there is no such PBX.
    """
    found = reader.read(text, pbx)
    if found.kind == "public" and found.e164 is not None:
        return found.e164
    if found.kind == "internal":
        # What was read, not every digit of the text: `"Line 2" <1001>` and `1001,1002` both mean 1001.
        return dialable(found.raw)
    raise BadNumber(f"number: {text.strip()[:40]!r} is not a phone number; write it as on a business card")


def read_dialed(reader: NumberReader, text: str, pbx: str) -> str:
    """The number as it can be dialed: as `read_number`, or a local one without its area code.

    Raises:
        BadNumber: the text is no phone number.
        NotFound: there is no such PBX.
    """
    found = reader.read(text, pbx)
    if found.kind == "public" and found.e164 is None:
        return dialable(found.raw)
    return read_number(reader, text, pbx)
