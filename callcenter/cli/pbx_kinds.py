"""Kinds of PBX, and where each wants a setting to be written: a mend that works on one is lost on another.

FreePBX and Issabel write most files of /etc/asterisk anew whenever somebody presses "Apply Config"; what an admin adds
belongs into the files that end in `_custom.conf`, which theirs include. Sources: amp_conf/astetc and the modules core
and cel of FreePBX 17, framework, core and cdr of IssabelPBX (both on GitHub).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Who writes the files of /etc/asterisk."""

    ASTERISK = "asterisk"
    FREEPBX = "freepbx"
    ISSABEL = "issabel"

    @property
    def called(self) -> str:
        """The name that people know."""
        return {Kind.ASTERISK: "plain Asterisk", Kind.FREEPBX: "FreePBX", Kind.ISSABEL: "Issabel"}[self]


class Topic(StrEnum):
    """What may have to be mended in the PBX's configuration."""

    TIMESTAMPS = "timestamps"
    USER = "user"
    CEL = "cel"
    CEL_CONTENT = "cel_content"
    CEL_BACKEND = "cel_backend"
    QUEUE_LOG = "queue_log"
    FEATURES = "features"
    CONTEXT = "context"
    HTTP = "http"
    PHONE_MODULES = "phone_modules"
    TRANSPORT = "transport"
    SORCERY = "sorcery"
    PHONES_USER = "phones_user"
    ENDPOINT = "endpoint"
    CERTIFICATE = "certificate"
    PROXY = "proxy"


_MANAGER: Final = "then `asterisk -rx 'manager reload'`"
_CEL: Final = "then `asterisk -rx 'module reload cel'`"
_LOGGER: Final = "then `asterisk -rx 'logger reload'`"
_PHONES: Final = {
    Topic.PHONE_MODULES: "load them in modules.conf (Debian has them in asterisk-modules), and restart Asterisk",
    Topic.SORCERY: "take the section [res_pjsip] of sorcery.conf from `callcenter asterisk-conf`, and restart Asterisk",
    Topic.CERTIFICATE: "let the TLS proxy of the page serve it too, as wss:// (docs/softphone.md), with a certificate"
    " that is in date, of that name, and of an authority that the browsers know; then name that address as url",
    Topic.PROXY: "let the TLS proxy pass this path on to http://127.0.0.1:8088/ws with its Upgrade header, as in"
    " docs/softphone.md; 8088 is bindport of http.conf",
}
"""Phones in the browser, where all kinds are alike."""
_PLAIN: Final = {
    **_PHONES,
    Topic.TIMESTAMPS: f"set timestampevents = yes in [general] of manager.conf, {_MANAGER}",
    Topic.USER: f"change it in the AMI user's section of manager.conf, {_MANAGER}",
    Topic.CEL: f"set enable = yes in [general] of cel.conf, {_CEL}",
    Topic.CEL_CONTENT: "take apps = and events = of [general] in cel.conf from `callcenter asterisk-conf`, " + _CEL,
    Topic.CEL_BACKEND: "load cel_pgsql.so or cel_custom.so in modules.conf, with a file of its name as in"
    " `callcenter asterisk-conf`, and restart Asterisk",
    Topic.QUEUE_LOG: f"set queue_log = yes in [general] of logger.conf, {_LOGGER}",
    Topic.FEATURES: "set atxfer = *2 in [featuremap] of features.conf, then `asterisk -rx 'module reload features'`",
    Topic.CONTEXT: "name a context of extensions.conf as dial_context in callcenter.toml",
    Topic.HTTP: "set enabled = yes in [general] of http.conf, then `asterisk -rx 'module reload http'`",
    Topic.TRANSPORT: "take the section [ws] of pjsip.conf from `callcenter asterisk-conf`, and restart Asterisk",
    Topic.PHONES_USER: "take the section [callcenter-phones] of manager.conf from `callcenter asterisk-conf`, "
    + _MANAGER,
    Topic.ENDPOINT: "make it from the template [browser] in pjsip.conf of `callcenter asterisk-conf` (webrtc = yes,"
    " auth and aors of its own name), then `asterisk -rx 'module reload res_pjsip.so'`; or take it out of `extensions`",
}
_FAMILY_PHONES: Final = {
    **_PHONES,
    Topic.HTTP: "set Settings > Advanced Settings > Enable the mini-HTTP Server to Yes, and Apply Config",
    Topic.TRANSPORT: "set ws or wss to Yes in Settings > Asterisk SIP Settings > PJSIP, Apply Config,"
    " and restart Asterisk",
    Topic.PHONES_USER: "add the section [callcenter-phones] of `callcenter asterisk-conf` to"
    f" /etc/asterisk/manager_custom.conf, {_MANAGER}",
    Topic.ENDPOINT: "make the extension as PJSIP with the WebRTC settings, and its auth in"
    " /etc/asterisk/pjsip.endpoint_custom_post.conf, as in docs/softphone.md;"
    " then `asterisk -rx 'module reload res_pjsip.so'`",
}
_FAMILY: Final = {
    **_FAMILY_PHONES,
    Topic.TIMESTAMPS: "add the lines [general](+) and timestampevents = yes to /etc/asterisk/manager_custom.conf, "
    + _MANAGER,
    Topic.USER: f"change it in the AMI user's section of /etc/asterisk/manager_custom.conf, {_MANAGER}",
    Topic.CEL_CONTENT: "add apps = dial,queue,voicemail,park and events = ALL, with no section before them, to"
    " /etc/asterisk/cel_general_custom.conf, " + _CEL,
    Topic.QUEUE_LOG: "add queue_log = yes, with no section before it, to /etc/asterisk/logger_general_custom.conf, "
    + _LOGGER,
    Topic.CONTEXT: 'set dial_context = "from-internal" in callcenter.toml: what phones dial is looked up there',
}
MENDS: Final[Mapping[Kind, Mapping[Topic, str]]] = {
    Kind.ASTERISK: _PLAIN,
    Kind.FREEPBX: {
        **_FAMILY,
        Topic.CEL: "install the module Call Event Logging (`fwconsole ma downloadinstall cel`), set Settings > Advanced"
        " Settings > Enable CEL Reporting to Yes, and Apply Config",
        Topic.CEL_BACKEND: "load cel_odbc.so: FreePBX writes CEL into the table cel of asteriskcdrdb through it;"
        " Settings > Asterisk Modules must not exclude it",
        Topic.FEATURES: "give Admin > Feature Codes > In-Call Asterisk Attended Transfer a code, and Apply Config",
    },
    Kind.ISSABEL: {
        **_FAMILY,
        Topic.CEL: "install PBX > PBX Configuration > Module Admin > CDR Reports, which switches it on; or"
        f" add enable = yes to /etc/asterisk/cel_general_custom.conf, {_CEL}",
        Topic.CEL_BACKEND: "load cel_odbc.so in /etc/asterisk/modules_custom.conf: Issabel writes CEL into the table"
        " cel of asteriskcdrdb through it; restart Asterisk",
        Topic.FEATURES: "give PBX > PBX Configuration > Feature Codes > In-Call Asterisk Attended Transfer a code, and"
        " Apply Changes",
    },
}


def mend(kind: Kind, topic: Topic) -> str:
    """What to do about a topic at a kind of PBX."""
    return MENDS[kind][topic]
