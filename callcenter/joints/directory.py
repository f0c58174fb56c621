"""What the tracker needs to know of a PBX beforehand, from its settings and from who sits where."""

from collections.abc import Mapping

from callcenter.accounts.values import Extension
from callcenter.matching.number import Reader
from callcenter.settings import PbxSettings
from callcenter.tracking.directory import Device, Directory


def reader_of(settings: PbxSettings) -> Reader:
    """Reads numbers by the rules of a PBX."""
    return Reader(
        region=settings.region,
        extension_digits=settings.extension_digits,
        strip_prefixes=settings.strip_prefixes,
        outside_prefix=settings.outside_prefix,
        ignore=settings.ignore_numbers,
    )


def directory_of(
    settings: PbxSettings,
    *,
    tenant: str,
    seats: Mapping[str, Extension] | None = None,
    names: Mapping[str, str] | None = None,
    reader: Reader | None = None,
) -> Directory:
    """A PBX's directory. `seats` are its extensions by interface, `names` the agents' names by id."""
    reader = reader or reader_of(settings)
    people = names or {}

    def e164(number: str, trunk: str | None) -> str | None:
        return reader.read(number, trunk).e164

    return Directory(
        pbx=settings.id,
        tenant=tenant,
        trunks=frozenset(settings.trunks),
        trunk_contexts=frozenset(settings.trunk_contexts),
        internal_contexts=frozenset(settings.internal_contexts),
        extension_digits=settings.extension_digits,
        outside_prefix=settings.outside_prefix,
        devices={
            interface: Device(
                extension=seat.extension,
                agent=seat.agent,
                name=people.get(seat.agent or "") or seat.name,
            )
            for interface, seat in (seats or {}).items()
        },
        e164=e164,
    )
