"""Numbers read by the rules of each PBX, for whoever has a number from one."""

from collections.abc import Iterable

from callcenter.errors import NotFound
from callcenter.joints.directory import reader_of
from callcenter.matching.number import PhoneNumber, Reader
from callcenter.settings import PbxSettings

NO_PBX = PbxSettings()
"""Rules by which numbers are read where no PBX is configured yet."""


class Numbers:
    """One reader per PBX; the first PBX's rules count where none is named."""

    def __init__(self, pbxs: Iterable[PbxSettings]) -> None:
        self._readers = {settings.id: reader_of(settings) for settings in pbxs} or {NO_PBX.id: reader_of(NO_PBX)}

    def reader(self, pbx: str | None = None) -> Reader:
        """The rules of a PBX.

        Raises:
            NotFound: there is no such PBX.
        """
        if pbx is None:
            return next(iter(self._readers.values()))
        if pbx not in self._readers:
            raise NotFound(f"there is no PBX {pbx!r}: the configured ones are {', '.join(self._readers)}")
        return self._readers[pbx]

    def read(self, text: str, pbx: str | None = None) -> PhoneNumber:
        """What a text means at a PBX; raises `NotFound` like `reader`."""
        return self.reader(pbx).read(text)
