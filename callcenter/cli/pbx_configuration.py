"""The PBX's own configuration, looked at with the rights that the service's AMI user has, and no more.

That user may not read files. But `Getvar` evaluates dialplan functions, and AST_CONFIG reads a value as Asterisk would
(with what its files include), IFMODULE tells whether a module is loaded, FEATUREMAP and DIALPLAN_EXISTS what is in
force. Sources: https://docs.asterisk.org/Latest_API/API_Documentation/Dialplan_Functions/ and experiments with
Asterisk 22 (docs/asterisk-facts.md, "Rights").
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from callcenter.ami import actions
from callcenter.ami.client import AmiClient
from callcenter.cli.findings import Finding, Verdict
from callcenter.cli.pbx_kinds import Kind, Topic, mend
from callcenter.settings import PbxSettings

Read = Callable[[str], Awaitable[str]]
"""The value of a dialplan function; empty where there is none."""

TRUE: Final = frozenset({"yes", "true", "y", "t", "1", "on"})
"""What Asterisk takes for true (`ast_true` in main/utils.c)."""

EVENTS: Final = frozenset(
    {
        *("CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "BRIDGE_ENTER", "BRIDGE_EXIT", "APP_START", "APP_END"),
        *("BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "PARK_START", "PARK_END", "LINKEDID_END"),
    }
)
"""What CEL must write so that a call can be rebuilt from it."""
APPS: Final = frozenset({"dial", "queue"})
"""Applications whose beginning and end CEL must write."""
BACKENDS: Final = ("cel_pgsql", "cel_odbc", "cel_custom")
"""Modules that write CEL where it can be read again."""

LINES: Final = 3
"""How often a list is looked for in cel.conf: once of the distribution's, once of ours, and one more."""

SHORT_MS: Final = 1000
"""With a `writetimeout` below this a machine that pauses, to swap or to be backed up, loses the connection."""
OLDEST: Final = (16, 0)
FILTERING: Final = {18: (18, 26), 20: (20, 11), 21: (21, 6), 22: (22, 1)}
"""First version of each branch that knows the `eventfilter` lines of the sample."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What was read."""

    timestamps: str
    guarded: bool
    """Whether the AMI user is bound to addresses."""
    writetimeout: str
    cel: str
    cel_apps: frozenset[str]
    cel_events: frozenset[str]
    backends: tuple[str, ...]
    queue_log: str
    attended_transfer: str
    queues: bool
    bridging: bool
    context: bool


def reader(client: AmiClient) -> Read:
    """Reads by AMI.

    Raises:
        AmiError: (when called) the user may not, or the connection is gone.
    """

    async def read(function: str) -> str:
        return (await client.action(actions.Getvar(variable=function))).fields.get("Value", "").strip()

    return read


async def recognize(read: Read) -> Kind:
    """Which kind of PBX it is, from what only that kind has."""
    if await read("AST_CONFIG(issabelpbx_module_admin.conf,general,builtin)"):
        return Kind.ISSABEL
    if await read("DIALPLAN_EXISTS(macro-user-callerid)") == "1":
        return Kind.FREEPBX
    return Kind.ASTERISK


async def gather(read: Read, settings: PbxSettings) -> Configuration | None:
    """Read what the checks want; None where Asterisk has no function that reads its configuration."""
    if await read("IFMODULE(func_config.so)") != "1":
        return None
    user = settings.username

    async def config(*names: str) -> str:
        # Of what stands twice the last counts. Older versions cannot count, and know no such name.
        path = ",".join(names)
        return await read(f"AST_CONFIG({path},-1)") or await read(f"AST_CONFIG({path})")

    async def loaded(module: str) -> bool:
        return await read(f"IFMODULE({module}.so)") == "1"

    guards = [await config("manager.conf", user, name) for name in ("deny", "acl")]
    return Configuration(
        timestamps=await config("manager.conf", "general", "timestampevents"),
        guarded=any(guards),
        writetimeout=await config("manager.conf", user, "writetimeout"),
        cel=await config("cel.conf", "general", "enable"),
        cel_apps=frozenset(name.lower() for name in await _listed(read, "apps")),
        cel_events=frozenset(name.upper() for name in await _listed(read, "events")),
        backends=tuple([module for module in BACKENDS if await loaded(module)]),
        queue_log=await config("logger.conf", "general", "queue_log"),
        attended_transfer=await read("FEATUREMAP(atxfer)"),
        queues=await loaded("app_queue"),
        bridging=await loaded("bridge_simple") and await loaded("bridge_builtin_features"),
        context=await read(f"DIALPLAN_EXISTS({settings.dial_context})") == "1",
    )


async def _listed(read: Read, name: str) -> list[str]:
    """The names of a list in cel.conf, which may stand on several lines: each adds to those before."""
    lines = [await read(f"AST_CONFIG(cel.conf,general,{name},{index})") for index in range(LINES)]
    if not any(lines):
        lines = [await read(f"AST_CONFIG(cel.conf,general,{name})")]
    return [one.strip() for line in lines for one in line.split(",") if one.strip()]


def judge(name: str, kind: Kind, found: Configuration, settings: PbxSettings) -> list[Finding]:
    """What is right and what is wrong, each with its mend at this kind of PBX."""

    def finding(verdict: Verdict, what: str, topic: Topic) -> Finding:
        return Finding(name, verdict, what, mend(kind, topic))

    findings: list[Finding] = []
    if not _true(found.timestamps):
        findings.append(finding(Verdict.BAD, "timestampevents is not switched on", Topic.TIMESTAMPS))
    if not found.writetimeout.isdecimal() or int(found.writetimeout) < SHORT_MS:
        spoken = f"is {found.writetimeout} ms" if found.writetimeout else "is not set, which means 100 ms"
        what = f"writetimeout of the AMI user {spoken}: a machine that pauses loses the connection; set it to 5000"
        findings.append(finding(Verdict.DOUBT, what, Topic.USER))
    if not found.guarded:
        what = "the AMI user may log in from any address: give it deny = 0.0.0.0/0.0.0.0 and permit = this machine's"
        findings.append(finding(Verdict.DOUBT, what, Topic.USER))
    if not found.queues:
        what = "the module app_queue.so is not loaded: there are no queues"
        findings.append(Finding(name, Verdict.DOUBT, what, "load it in modules.conf if this PBX is to have queues"))
    if not found.bridging:
        what = "bridge_simple.so or bridge_builtin_features.so is not loaded: calls and transfers will fail"
        findings.append(Finding(name, Verdict.BAD, what, "load them in modules.conf, and restart Asterisk"))
    if not found.attended_transfer:
        what = "no feature code for attended transfers: those from this service and from phones by code do nothing"
        findings.append(finding(Verdict.DOUBT, what, Topic.FEATURES))
    if not found.context:
        what = f"there is no context {settings.dial_context}: click-to-dial cannot work"
        findings.append(finding(Verdict.BAD, what, Topic.CONTEXT))
    findings += _back_fill(finding, found)
    if not findings:
        what = "its configuration has what is needed: time stamps, CEL, queue log, feature codes, dial context"
        findings.append(Finding(name, Verdict.GOOD, what))
    return findings


def _back_fill(finding: Callable[[Verdict, str, Topic], Finding], found: Configuration) -> list[Finding]:
    """What lets calls be rebuilt that went on while the service was away."""
    findings: list[Finding] = []
    if not _true(found.cel):
        what = "CEL is off: calls that went on while the service was away cannot be rebuilt"
        findings.append(finding(Verdict.DOUBT, what, Topic.CEL))
    else:
        missing = sorted(EVENTS - found.cel_events if "ALL" not in found.cel_events else [])
        missing += [f"apps {app}" for app in sorted(APPS - found.cel_apps if "all" not in found.cel_apps else [])]
        if missing:
            what = f"CEL does not write {', '.join(missing)}: what is rebuilt from it has gaps"
            findings.append(finding(Verdict.DOUBT, what, Topic.CEL_CONTENT))
        if not found.backends:
            what = f"CEL is written nowhere it could be read from: none of {', '.join(BACKENDS)} is loaded"
            findings.append(finding(Verdict.DOUBT, what, Topic.CEL_BACKEND))
    if found.queue_log and not _true(found.queue_log):
        what = "the queue log is off: why callers left a queue cannot be rebuilt"
        findings.append(finding(Verdict.DOUBT, what, Topic.QUEUE_LOG))
    return findings


def version_findings(name: str, version: str) -> list[Finding]:
    """Doubts that come of the version alone."""
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers is None:
        return []
    have = (int(numbers[1]), int(numbers[2]))
    if have < OLDEST:
        what = f"Asterisk {have[0]} is older than any that this service was tried with"
        return [Finding(name, Verdict.DOUBT, what, "update it to 18 or newer; 22 is the one of the tests")]
    first = FILTERING.get(have[0], (22, 1))
    if have < first:
        what = f"Asterisk {have[0]}.{have[1]} does not know the sample's eventfilter lines"
        return [
            Finding(name, Verdict.DOUBT, what, "leave them out of its manager.conf: the service drops what it need not")
        ]
    return []


def _true(value: str) -> bool:
    return value.lower() in TRUE
