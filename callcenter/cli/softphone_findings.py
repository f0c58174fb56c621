"""What the doctor says of phones in the browser: Asterisk's WebSocket, its modules and files, and each endpoint.

The files are read as in `pbx_configuration`; PJSIP_ENDPOINT and PJSIP_AOR tell what is in force of an extension. The
WebSocket is opened as a browser does it, certificate and all, which proves proxy, http.conf and modules at once.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from callcenter.cli.findings import Finding, Verdict
from callcenter.cli.pbx_configuration import TRUE, Read
from callcenter.cli.pbx_kinds import Kind, Topic, mend
from callcenter.settings import SoftphoneSettings

MODULES: Final = ("res_http_websocket", "res_pjsip_transport_websocket", "res_srtp", "res_sorcery_astdb")
"""What takes a browser's SIP, its encrypted sound, and its password."""
MOST: Final = 200
"""Extensions that are looked at; more are like these."""
LINES: Final = 4
"""How often `auth` is looked for in sorcery.conf."""
OPEN_S: Final = 5.0
TRANSPORTS: Final = ("ws", "wss", "transport-ws", "transport-wss", "0.0.0.0-ws", "0.0.0.0-wss")
"""Names that pjsip.conf of the sample, of Asterisk's own and of FreePBX give the section of the transport."""
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Endpoint(msgspec.Struct, frozen=True):
    """An extension as PJSIP has it; all empty where it has none of this name."""

    extension: str
    aors: str
    webrtc: str
    auth: str
    transport: str


class Phones(msgspec.Struct, frozen=True, kw_only=True):
    """What was read."""

    http: str
    missing: tuple[str, ...]
    """Modules that are not loaded."""
    passwords: bool
    """Whether sorcery.conf looks for them where the service puts them."""
    user: str
    """`write` of the AMI user that puts them there."""
    transport: bool
    endpoints: tuple[Endpoint, ...]


async def gather(read: Read, settings: SoftphoneSettings) -> Phones:
    """Read what the checks want.

    Raises:
        AmiError: the user may not, or the connection is gone.
    """

    async def config(*names: str) -> str:
        path = ",".join(names)
        return await read(f"AST_CONFIG({path},-1)") or await read(f"AST_CONFIG({path})")

    async def field(extension: str, name: str) -> str:
        return await read(f"PJSIP_ENDPOINT({extension},{name})")

    loaded = {module: await read(f"IFMODULE({module}.so)") == "1" for module in MODULES}
    places = [await read(f"AST_CONFIG(sorcery.conf,res_pjsip,auth,{index})") for index in range(LINES)]
    transports = [await config("pjsip.conf", name, "protocol") for name in TRANSPORTS]
    return Phones(
        http=await config("http.conf", "general", "enabled"),
        missing=tuple(module for module in MODULES if not loaded[module]),
        passwords=any(place.replace(" ", "").startswith(f"astdb,{settings.family}") for place in places),
        user=await config("manager.conf", settings.username, "write"),
        transport=any(protocol in ("ws", "wss") for protocol in transports),
        endpoints=tuple(
            [
                Endpoint(one, *[await field(one, name) for name in ("aors", "webrtc", "auth", "transport")])
                for one in settings.names()[:MOST]
            ]
        ),
    )


def judge(name: str, kind: Kind, found: Phones, settings: SoftphoneSettings) -> list[Finding]:
    """What is right and what is wrong with what was read, each with its mend. Pure."""
    findings: list[Finding] = []

    def bad(what: str, topic: Topic) -> None:
        findings.append(Finding(name, Verdict.BAD, what, mend(kind, topic)))

    if found.http.lower() not in TRUE:
        bad("Asterisk's web server is off: no browser phone can reach it", Topic.HTTP)
    if found.missing:
        modules = ", ".join(f"{module}.so" for module in found.missing)
        bad(f"not loaded, but needed for phones in the browser: {modules}", Topic.PHONE_MODULES)
    if not found.transport:
        bad("pjsip.conf has no transport with protocol = ws", Topic.TRANSPORT)
    if not found.passwords:
        what = f"sorcery.conf does not look for passwords in astdb,{settings.family}: browser phones cannot register"
        bad(what, Topic.SORCERY)
    if not {"system", "all"} & {right.strip() for right in found.user.split(",")}:
        what = f"manager.conf has no user {settings.username} with write = system, who brings the passwords"
        bad(what, Topic.PHONES_USER)
    for what, wrong in (
        ("PJSIP has no endpoint", lambda one: not one.aors),
        ("webrtc = yes is missing for", lambda one: one.aors and one.webrtc.lower() not in TRUE),
        ("the auth is not called as the extension for", lambda one: one.aors and one.auth != one.extension),
    ):
        _endpoints(findings, name, kind, what, found.endpoints, wrong)
    if not findings:
        count = len(found.endpoints)
        findings.append(Finding(name, Verdict.GOOD, f"phones in the browser: {count} endpoints are as they should be"))
    return findings


def _endpoints(
    findings: list[Finding],
    name: str,
    kind: Kind,
    what: str,
    endpoints: tuple[Endpoint, ...],
    wrong: Callable[[Endpoint], object],
) -> None:
    found = [one.extension for one in endpoints if wrong(one)]
    if found:
        shown = ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
        findings.append(Finding(name, Verdict.BAD, f"{what} {shown}", mend(kind, Topic.ENDPOINT)))


async def knock(name: str, kind: Kind, settings: SoftphoneSettings) -> Finding:
    """Open the WebSocket as a browser does."""
    parts = urlsplit(settings.url)
    try:
        async with (
            asyncio.timeout(OPEN_S),
            connect(settings.url, subprotocols=[Subprotocol("sip")], proxy=None) as page,
        ):
            spoken = page.subprotocol
    except ssl.SSLCertVerificationError as problem:
        what = f"browsers will not trust the certificate of {settings.url}: {problem.verify_message}"
        return Finding(name, Verdict.BAD, what, mend(kind, Topic.CERTIFICATE))
    except InvalidStatus as problem:
        what = f"{settings.url} answers {problem.response.status_code} where a WebSocket should open"
        return Finding(name, Verdict.BAD, what, mend(kind, Topic.PROXY))
    except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as problem:
        what = f"{settings.url} cannot be opened: {problem or 'no answer'}"
        return Finding(name, Verdict.BAD, what, mend(kind, Topic.PROXY))
    if spoken != "sip":
        return Finding(name, Verdict.BAD, f"{settings.url} does not speak SIP", mend(kind, Topic.PHONE_MODULES))
    if parts.scheme == "ws" and parts.hostname not in LOCAL:
        what = f"{settings.url} is not encrypted: a page that came by https may not open it"
        return Finding(name, Verdict.BAD, what, mend(kind, Topic.CERTIFICATE))
    return Finding(name, Verdict.GOOD, f"{settings.url} opens, as browsers will see it")
