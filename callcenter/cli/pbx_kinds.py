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


_MANAGER: Final = "then `asterisk -rx 'manager reload'`"
_CEL: Final = "then `asterisk -rx 'module reload cel'`"
_LOGGER: Final = "then `asterisk -rx 'logger reload'`"
_PLAIN: Final = {
    Topic.TIMESTAMPS: f"set timestampevents = yes in [general] of manager.conf, {_MANAGER}",
    Topic.USER: f"change it in the AMI user's section of manager.conf, {_MANAGER}",
    Topic.CEL: f"set enable = yes in [general] of cel.conf, {_CEL}",
    Topic.CEL_CONTENT: "take apps = and events = of [general] in cel.conf from `callcenter asterisk-conf`, " + _CEL,
    Topic.CEL_BACKEND: "load cel_pgsql.so or cel_custom.so in modules.conf, with a file of its name as in"
    " `callcenter asterisk-conf`, and restart Asterisk",
    Topic.QUEUE_LOG: f"set queue_log = yes in [general] of logger.conf, {_LOGGER}",
    Topic.FEATURES: "set atxfer = *2 in [featuremap] of features.conf, then `asterisk -rx 'module reload features'`",
    Topic.CONTEXT: "name a context of extensions.conf as dial_context in callcenter.toml",
}
_FAMILY: Final = {
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
