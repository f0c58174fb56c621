"""One frozen, validated settings object: defaults, then a TOML file, then the environment.

Environment names are `CALLCENTER_` and the key, with `__` between levels (`CALLCENTER_WEB__PORT=8080`).
A wrong value raises `SettingsError` that names the key, says what was expected, and never shows a secret.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pydantic_settings
import rphonenumbers
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from callcenter.errors import SettingsError
from callcenter.mistakes import misspelled, sentences
from callcenter.model import CallStatus, Direction

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 asks the system for a free one."""


class Section(BaseModel):
    """A part of the settings: frozen, and unknown keys are refused, so that a typing mistake is found."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Section):
    """Where the data lives. Without `url` the embedded PostgreSQL in `directory` is started."""

    url: SecretStr | None = None
    directory: Path = Path("var/postgresql")
    pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    statement_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    spool: Path | None = None
    """Where calls wait on the disk while PostgreSQL is away; None: `spool` beside `directory`."""
    spool_mb: Annotated[int, Field(ge=1, le=100_000)] = 512
    """Most space that they may take there, in MiB."""

    @property
    def spool_directory(self) -> Path:
        """Where calls wait on the disk."""
        return (self.spool or self.directory.parent / "spool").expanduser().absolute()


class WebSettings(Section):
    """The REST API and the pages. `public_url` is what browsers use, where a proxy stands in front."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Networks of proxies, besides this machine, whose X-Forwarded-For tells who tries to log in."""
    session_hours: Annotated[float, Field(gt=0, le=24 * 31)] = 12.0
    requests_per_minute: Annotated[int, Field(ge=60, le=1_000_000)] = 600
    """Of each person; more are answered 429."""
    key_requests_per_minute: Annotated[int, Field(ge=60, le=1_000_000)] = 3_000
    """Of each API key."""

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("write it with its scheme, for example https://calls.example.com")
        return value.rstrip("/") if value else value


class ScreenpopSettings(Section):
    """The WebSocket server. `public_url` is what browsers use (`wss://…`), where a proxy stands in front."""

    host: str = "127.0.0.1"
    port: Port = 8081
    public_url: str | None = None
    allowed_origins: tuple[str, ...] = ()
    queue_limit: Annotated[int, Field(ge=16)] = 256
    ticket_s: Annotated[float, Field(gt=0, le=600)] = 30.0


class SoftphoneSettings(Section):
    """Phones in the browser, of one PBX: which extensions, where they connect, and how their passwords get there."""

    extensions: Annotated[tuple[str, ...], Field(min_length=1)]
    """Extensions whose endpoints are `webrtc = yes`: `1011`, or a range `1011-1040`."""
    url: Annotated[str, Field(pattern=r"^wss?://[^/?#\s]+(/[^?#\s]*)?$")]
    """The WebSocket of Asterisk (http.conf), as browsers reach it: `wss://calls.example.com/ws`."""
    username: str = "callcenter-phones"
    secret: SecretStr
    """The AMI user that writes the phones' passwords into Asterisk's database, and may do nothing else."""
    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")] = "callcenter"
    family: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "callcenter"
    """Where sorcery.conf looks for passwords: `auth = astdb,callcenter`."""
    secret_s: Annotated[float, Field(ge=60, le=3600)] = 600.0
    """How long a password is good for; the page asks for the next one before that."""
    ice_servers: tuple[Annotated[str, Field(pattern=r"^stuns?:\S+$")], ...] = ()
    """STUN servers for browsers behind other routers than the PBX's."""

    @field_validator("extensions")
    @classmethod
    def _are_extensions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            first, dash, last = text.partition("-")
            if not (first.isascii() and first.isdecimal() and len(first) <= 8):
                raise ValueError(f"{text!r} is no extension: write 1011, or a range 1011-1040")
            if dash and not (last.isascii() and last.isdecimal() and len(last) == len(first) and first <= last):
                raise ValueError(f"{text!r} is no range: write it as 1011-1040, with as many digits on both sides")
            if dash and int(last) - int(first) >= 10_000:
                raise ValueError(f"{text!r} has more than 10000 extensions")
        return value

    def names(self) -> tuple[str, ...]:
        """Every extension, ranges written out."""
        found: dict[str, None] = {}
        for text in self.extensions:
            first, _, last = text.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found[str(number).zfill(len(first))] = None
        return tuple(found)


class PbxSettings(Section):
    """One Asterisk to listen to, and how its numbers and channels are to be read."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$", examples=["pbx-2"])] = "pbx"
    host: str = "127.0.0.1"
    port: Port = 5038
    username: str = "callcenter"
    secret: SecretStr = SecretStr("")
    tls: bool = False
    tls_ca: Path | None = None
    keepalive_s: Annotated[float, Field(gt=0)] = 5.0
    action_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    region: str = "US"
    """ISO 3166 region in which the PBX's national numbers are to be read."""
    trunks: tuple[str, ...] = ()
    """Endpoint names (`trunk`, or with technology `PJSIP/trunk`) that lead outside; empty: recognized by rule."""
    trunk_contexts: tuple[str, ...] = ()
    internal_contexts: tuple[str, ...] = ()
    extension_digits: Annotated[int, Field(ge=2, le=8)] = 6
    """A number of so many digits or fewer is internal, never a customer."""
    strip_prefixes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Trunk name (or `*`) → prefixes that the trunk puts before numbers and that are no part of them."""
    outside_prefix: str = ""
    """What phones dial to get an outside line (`9`), stripped before a number is read."""
    dial_context: str = "from-internal"
    """Context in which click-to-dial looks up the number."""
    queue_context: str = "queues"
    """Where each queue's name is an extension that leads into it: `ext-queues` on FreePBX and Issabel."""
    dial_format: Literal["national", "e164"] = "national"
    """How click-to-dial writes outside numbers: `national` as a phone here would dial them, or `e164` (+44…)."""
    dial_feature_codes: bool = False
    """Whether click-to-dial may dial `*` and `#` codes too, with the rights that `dial_context` has."""
    dial_timeout_s: Annotated[float, Field(ge=5, le=300)] = 30.0
    transfer_context: str = ""
    """Context in which the targets of transfers are looked up; empty: `dial_context`."""
    parking_context: str = ""
    """Context in which a parked call is fetched by its space; empty: `dial_context`."""
    softphone: SoftphoneSettings | None = None
    """Phones in the browser; none: desk phones only."""
    cel: SecretStr = SecretStr("")
    """Where Asterisk writes channel events: `postgresql` (the service's own, by cel_pgsql), a path of the CSV file
    of the sample cel_custom.conf, or `mysql://user:password@host/asteriskcdrdb` of a FreePBX; empty: nowhere."""
    timezone: str = ""
    """Time zone of the PBX (`Europe/London`), for records with local times; empty: this machine's."""
    queue_member: Annotated[str, Field(pattern=r"^[^\r\n]{1,100}$")] = "{interface}"
    """What a queue rings to reach an agent who logs in: `Local/{extension}@from-queue/n` on FreePBX."""
    queue_log: Path | None = None
    """Asterisk's queue_log; what was rotated away is looked for beside it."""
    ignore_numbers: tuple[str, ...] = ()
    """Numbers that never pop a customer (own switchboard, monitoring); a trailing `*` matches a prefix."""

    @field_validator("region")
    @classmethod
    def _is_region(cls, value: str) -> str:
        if value not in rphonenumbers.SUPPORTED_REGIONS:
            raise ValueError(
                f"{value!r} is no country: write the two capitals of ISO 3166, such as US, CN,"
                " or GB for the United Kingdom"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key if value else value
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}: write it like Europe/London") from None

    @field_validator("queue_member")
    @classmethod
    def _has_a_place_for_the_phone(cls, value: str) -> str:
        left = value.replace("{interface}", "").replace("{extension}", "")
        if left == value or "{" in left or "}" in left:
            raise ValueError("write it with {interface} or {extension}, for example Local/{extension}@from-queue/n")
        return value


class RetentionRule(Section):
    """Which calls are deleted how many days after they began; a list that is empty does not matter."""

    keep_days: Annotated[int, Field(ge=1, le=36_500)]
    direction: tuple[Direction, ...] = ()
    status: tuple[CallStatus, ...] = ()
    queue: tuple[str, ...] = ()
    """Calls that were in one of these queues."""
    answered: bool | None = None
    """Whether a person answered; None: both."""

    @field_validator("status")
    @classmethod
    def _has_ended(cls, value: tuple[CallStatus, ...]) -> tuple[CallStatus, ...]:
        if CallStatus.IN_PROGRESS in value:
            raise ValueError("a call in progress is never deleted: leave in_progress out")
        return value


class RetentionSettings(Section):
    """How long calls are kept. The first rule that fits a call decides; what none fits is kept for ever."""

    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["03:30"])] = "03:30"
    """Time of each night's deletion, in UTC."""
    minimum_days: Annotated[int, Field(ge=1, le=36_500)] = 30
    """What the law or a contract asks for: no rule may keep calls for a shorter time."""
    rules: tuple[RetentionRule, ...] = ()
    audit_days: Annotated[int, Field(ge=30, le=36_500)] | None = None
    """After so many days entries of the audit trail are deleted; without it none is."""

    @model_validator(mode="after")
    def _keeps_long_enough(self) -> "RetentionSettings":
        for place, rule in enumerate(self.rules):
            if rule.keep_days < self.minimum_days:
                raise ValueError(
                    f"rules.{place}.keep_days is {rule.keep_days}, and minimum_days is {self.minimum_days}: keep the"
                    " calls longer, or lower minimum_days if nothing obliges you to keep them so long"
                )
        return self


class WebhookSettings(Section):
    """Where webhooks may go, and how they are delivered. Targets are public HTTPS servers unless it says otherwise."""

    allow_http: bool = False
    allow_networks: tuple[IPvAnyNetwork, ...] = ()
    """Private networks to which webhooks may be sent: `10.20.0.0/16`."""
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (80, 443, 8080, 8443)
    timeout_s: Annotated[float, Field(ge=0.5, le=60)] = 10.0
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    attempts: Annotated[int, Field(ge=1, le=100)] = 24
    keep_days: Annotated[float, Field(gt=0, le=366)] = 30.0


class LogSettings(Section):
    """How much is logged and in which shape: `json` for machines, `console` for people."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "console"] = "console"


class Settings(BaseSettings):
    """Everything that can be configured, checked once at the start."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="CALLCENTER_", env_nested_delimiter="__")

    tenant: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["acme-2"])] = "default"
    timezone: str = ""
    """Time zone whose midnight begins a day (`Europe/London`); empty: this machine's."""
    database: DatabaseSettings = DatabaseSettings()
    database_url: SecretStr | None = None
    """Short name for `database.url`: `CALLCENTER_DATABASE_URL`."""
    web: WebSettings = WebSettings()
    screenpop: ScreenpopSettings = ScreenpopSettings()
    pbx: tuple[PbxSettings, ...] = ()
    retention: RetentionSettings = RetentionSettings()
    webhooks: WebhookSettings = WebhookSettings()
    log: LogSettings = LogSettings()
    reconcile_at: Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$", examples=["03:30", ""])] = "03:30"
    """Time of this machine at which each PBX's own records of the last day are compared with the log; empty: never."""
    stop_grace_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    """How long a stop may wait for work in hand."""

    @field_validator("pbx")
    @classmethod
    def _ids_are_unique(cls, value: tuple[PbxSettings, ...]) -> tuple[PbxSettings, ...]:
        ids = [pbx.id for pbx in value]
        if len(set(ids)) != len(ids):
            raise ValueError("each [[pbx]] needs an id of its own")
        return value

    @property
    def stop_grace(self) -> timedelta:
        """How long a stop may wait for work in hand."""
        return timedelta(seconds=self.stop_grace_s)

    @property
    def postgres_url(self) -> str | None:
        """URL of the PostgreSQL to use, or None for the embedded one."""
        url = self.database_url or self.database.url
        return url.get_secret_value() if url else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over explicit values: a container must be able to override a mounted file."""
        return (env_settings, init_settings)


def load(path: Path | None = None) -> Settings:
    """Read settings from `path` (TOML; none: `callcenter.toml` here, if it exists) and the environment.

    Raises:
        SettingsError: the file is missing or no TOML, or a value or a name is wrong.
    """
    if path is None:
        found = Path(os.environ.get("CALLCENTER_CONFIG", "callcenter.toml"))
        path = found if found.exists() or "CALLCENTER_CONFIG" in os.environ else None
    values = _read(path) if path is not None else {}
    slip = misspelled((name for name in os.environ if name != "CALLCENTER_CONFIG"), "CALLCENTER_", Settings)
    if slip is not None:
        raise SettingsError(slip)
    try:
        return Settings(**values)
    except ValidationError as problem:
        raise SettingsError(f"wrong configuration: {sentences(problem, Settings)}") from None
    except pydantic_settings.SettingsError as problem:
        raise SettingsError(
            f"wrong configuration: {problem}: in the environment lists and tables are JSON, see docs/configuration.md"
        ) from None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SettingsError(f"there is no configuration file {path}: write one, or name another with --config")
    try:
        return TomlConfigSettingsSource(Settings, toml_file=path)()
    except (ValueError, OSError) as problem:
        raise SettingsError(f"{path} cannot be read as TOML: {problem}") from problem
