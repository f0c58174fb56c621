"""`callcenter doctor`: what it makes of a PBX's phones in the browser."""

import asyncio
import ssl
from http import HTTPStatus
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import serve

from callcenter.cli import softphone_findings
from callcenter.cli.findings import Verdict
from callcenter.cli.pbx_kinds import Kind
from callcenter.settings import SoftphoneSettings

MODULES = ("res_http_websocket", "res_pjsip_transport_websocket", "res_srtp", "res_sorcery_astdb")
IN_ORDER = {
    **{f"IFMODULE({name}.so)": "1" for name in MODULES},
    "AST_CONFIG(http.conf,general,enabled)": "yes",
    "AST_CONFIG(sorcery.conf,res_pjsip,auth,0)": "config,pjsip.conf,criteria=type=auth",
    "AST_CONFIG(sorcery.conf,res_pjsip,auth,1)": "astdb, callcenter",
    "AST_CONFIG(manager.conf,callcenter-phones,write)": "system",
    "AST_CONFIG(pjsip.conf,ws,protocol)": "ws",
    **{
        f"PJSIP_ENDPOINT({one},{name})": value
        for one in ("1011", "1012")
        for name, value in (("aors", one), ("auth", one), ("webrtc", "yes"))
    },
}


def settings(url: str = "ws://127.0.0.1:1/ws") -> SoftphoneSettings:
    return SoftphoneSettings(extensions=("1011-1012",), url=url, secret=SecretStr("s"))


async def told(kind: Kind = Kind.ASTERISK, **changed: str) -> str:
    """What is wrong, with the mends."""
    functions = IN_ORDER | changed

    async def read(function: str) -> str:
        return functions.get(function, "")

    found = await softphone_findings.gather(read, settings())
    findings = softphone_findings.judge("pbx", kind, found, settings())
    return "\n".join(f"{one.what} → {one.mend}" for one in findings if one.verdict is not Verdict.GOOD)


@pytest.mark.parametrize("kind", Kind)
async def test_what_is_in_order_is_not_complained_about(kind: Kind) -> None:
    assert await told(kind) == ""


@pytest.mark.parametrize(
    ("function", "value", "complaint"),
    [
        ("AST_CONFIG(http.conf,general,enabled)", "no", "web server is off"),
        ("IFMODULE(res_srtp.so)", "0", "res_srtp.so"),
        ("AST_CONFIG(sorcery.conf,res_pjsip,auth,1)", "astdb,other", "does not look for passwords"),
        ("AST_CONFIG(manager.conf,callcenter-phones,write)", "call,systematic", "write = system"),
        ("AST_CONFIG(pjsip.conf,ws,protocol)", "udp", "no transport"),
        ("PJSIP_ENDPOINT(1012,aors)", "", "no endpoint 1012"),
        ("PJSIP_ENDPOINT(1012,webrtc)", "no", "webrtc = yes is missing for 1012"),
        ("PJSIP_ENDPOINT(1012,auth)", "1012-auth", "not called as the extension for 1012"),
    ],
)
@pytest.mark.parametrize("kind", Kind)
async def test_each_fault_is_told_once_with_its_mend(kind: Kind, function: str, value: str, complaint: str) -> None:
    complaints = await told(kind, **{function: value})
    assert complaint in complaints and complaints.count("→") == 1 and not complaints.endswith("→ ")


async def knocked(url: str) -> str:
    found = await softphone_findings.knock("pbx", Kind.ASTERISK, settings(url))
    return f"{found.verdict} {found.what}"


async def test_a_websocket_that_speaks_sip_is_right_and_anything_else_is_told() -> None:
    async def hold(socket: Any) -> None:
        await socket.wait_closed()

    async with serve(hold, "127.0.0.1", 0, subprotocols=["sip"]) as server:  # type: ignore[list-item]
        port = next(iter(server.sockets)).getsockname()[1]
        assert (await knocked(f"ws://127.0.0.1:{port}/ws")).startswith("ok ")
        assert "cannot be opened" in await knocked(f"wss://127.0.0.1:{port}/ws")
    async with serve(hold, "127.0.0.1", 0, process_request=lambda c, r: c.respond(HTTPStatus.NOT_FOUND, "")) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        assert "answers 404" in await knocked(f"ws://127.0.0.1:{port}/ws")
    assert "cannot be opened" in await knocked(f"ws://127.0.0.1:{port}/ws")


async def test_a_certificate_that_nobody_knows_is_told(tmp_path: Any) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-keyout", str(key), "-out", str(certificate), "-days", "1", "-subj", "/CN=localhost"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def hold(socket: Any) -> None:
        await socket.wait_closed()

    async with serve(hold, "127.0.0.1", 0, ssl=context) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        assert "will not trust the certificate" in await knocked(f"wss://127.0.0.1:{port}/ws")
