"""What differs from machine to machine in the sample configuration."""

import secrets

import msgspec

PHONES = tuple(str(number) for number in range(1001, 1011))
"""Extensions of the sample desk phones. Each has an endpoint, an auth and an aor of this name in ``pjsip.conf``."""

BROWSER_PHONES = ("1011", "1012")
"""Extensions of the sample browser phones, whose passwords the service makes."""


def _new_secret() -> str:
    return secrets.token_urlsafe(24)


def _new_phone_secrets() -> dict[str, str]:
    return {phone: _new_secret() for phone in PHONES}


def _new_pin() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What fills the gaps of the samples; the defaults suit a Debian machine that the service shares with Asterisk.

    Names ending in ``_s`` are whole seconds. Passwords that are not given are made up, each its own: no two machines
    have the same, and none has a known one.
    """

    etc_dir: str = "/etc/asterisk"
    lib_dir: str = "/var/lib/asterisk"
    spool_dir: str = "/var/spool/asterisk"
    run_dir: str = "/var/run/asterisk"
    log_dir: str = "/var/log/asterisk"

    system_name: str = ""
    """Prefix of every uniqueid; empty for none."""

    ami_host: str = "127.0.0.1"
    ami_port: int = 5038
    ami_permit: str = "127.0.0.1/255.255.255.255"
    ami_secret: str = msgspec.field(default_factory=_new_secret)
    ami_phones_secret: str = msgspec.field(default_factory=_new_secret)
    """Of the AMI user that writes the passwords of browser phones."""

    sip_host: str = "0.0.0.0"
    sip_port: int = 5060
    identifier_order: str = "ip,username,anonymous"
    http_enabled: bool = False
    http_host: str = "127.0.0.1"
    http_port: int = 8088
    rtp_start: int = 10000
    rtp_end: int = 20000

    trunk_host: str = "192.0.2.10"
    """Address of the provider; the default is an address for documentation, which nobody has."""
    trunk_port: int = 5060
    trunk_qualify_s: int = 60
    phone_qualify_s: int = 60
    main_number: str = "02079460990"

    extension_ring_s: int = 25
    trunk_ring_s: int = 60
    menu_wait_s: int = 5
    queue_ring_s: int = 15
    queue_retry_s: int = 5
    queue_wait_s: int = 600
    park_timeout_s: int = 60
    transfer_ring_s: int = 15
    transfer_pause_s: int = 10

    cel_to_postgresql: bool = False
    """Whether channel events go into the service's PostgreSQL too, as user `cel_user`, who may only add rows."""
    cel_host: str = "127.0.0.1"
    cel_port: int = 5432
    cel_database: str = "callcenter"
    cel_user: str = "asterisk_cel"
    cel_password: str = msgspec.field(default_factory=_new_secret)

    voicemail_pin: str = msgspec.field(default_factory=_new_pin)
    phone_secrets: dict[str, str] = msgspec.field(default_factory=_new_phone_secrets)
    """Password of each phone in :data:`PHONES`."""

    def by_name(self) -> dict[str, str]:
        """Return what stands for each ``{{name}}``, as text."""
        texts: dict[str, str] = {}
        for name, value in msgspec.structs.asdict(self).items():
            if name == "phone_secrets":
                texts.update({f"phone_secret_{phone}": secret for phone, secret in value.items()})
            elif name == "cel_to_postgresql":
                texts["cel_pgsql_load"] = "load" if value else "noload"
            elif isinstance(value, bool):
                texts[name] = "yes" if value else "no"
            else:
                texts[name] = str(value)
        return texts
