"""Chooses by the settings where the channel events of a PBX are read from."""

from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcenter.calllog.reconciling.csvfiles import CsvCel
from callcenter.calllog.reconciling.mariadb import MariaCel
from callcenter.calllog.reconciling.postgres import PostgresCel
from callcenter.calllog.reconciling.run import CelSource
from callcenter.db.engine import Database
from callcenter.errors import SettingsError
from callcenter.settings import PbxSettings

OWN = "postgresql"


def cel_of(settings: PbxSettings, database: Database) -> CelSource | None:
    """Where the channel events of a PBX are; None where the settings name no place.

    Raises:
        SettingsError: they name one that cannot be.
    """
    place = settings.cel.get_secret_value()
    if not place:
        return None
    if place == OWN:
        return PostgresCel(database)
    scheme, separator, _ = place.partition("://")
    if scheme == "mysql":
        return MariaCel(place, zone_of(settings))
    if separator:
        raise SettingsError(f"[[pbx]] cel of {settings.id}: {scheme}:// is no place for channel events")
    return CsvCel(Path(place))


def zone_of(settings: PbxSettings) -> tzinfo:
    """The time zone of a PBX's records that have local times.

    Raises:
        SettingsError: there is no such zone.
    """
    if not settings.timezone:
        here = datetime.now().astimezone().tzinfo
        assert here is not None
        return here
    try:
        return ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"[[pbx]] timezone of {settings.id}: there is no zone {settings.timezone!r}") from None
