"""The proxies of the documentation, run as it shows them, on a free port and with a certificate of their own."""

import asyncio
import os
import re
import shutil
import socket
import ssl
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ROOT / ".cache" / "proxies"
"""Where `scripts/test-parts` unpacks them."""
HOST = "calls.example.com"
START_S = 20.0


def program(name: str) -> str:
    """Path of a proxy; skips where there is none, and fails where CI says that all parts are there."""
    places = (str(PARTS / "usr" / "sbin"), str(PARTS / "usr" / "bin"), os.environ.get("PATH", ""), "/usr/sbin")
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is not None:
        return found
    reason = f"no {name} here: scripts/test-parts gets it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def sample(language: str) -> str:
    """The sample of the documentation, as people copy it."""
    text = (ROOT / "docs" / "rest-api.md").read_text(encoding="utf-8")
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None, f"docs/rest-api.md has no sample in {language}"
    return found.group(1)


def configuration(name: str, directory: Path, port: int, web_port: int, screenpop_port: int) -> str:
    """A whole configuration around the sample, for `port`."""
    text = sample("caddyfile" if name == "caddy" else "nginx")
    for documented, real in (("127.0.0.1:8080", web_port), ("127.0.0.1:8081", screenpop_port)):
        assert documented in text
        text = text.replace(documented, f"127.0.0.1:{real}")
    if name == "caddy":
        site = f"https://{HOST}:{port} {{\n    bind 127.0.0.1\n    tls cert.pem key.pem\n"
        assert f"{HOST} {{\n" in text
        return "{\n    admin off\n    auto_https disable_redirects\n}\n" + text.replace(f"{HOST} {{\n", site)
    temporary = "".join(
        f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr;
events {{}}
http {{
access_log off;
{temporary}
server {{
listen 127.0.0.1:{port} ssl;
server_name {HOST};
ssl_certificate {directory}/cert.pem;
ssl_certificate_key {directory}/key.pem;
{text}
}}
}}
"""


async def make_certificate(directory: Path) -> ssl.SSLContext:
    """A certificate of HOST, and what a client needs to believe it."""
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"),
        *("-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "key.pem", "-out", "cert.pem"),
        cwd=directory,
        stderr=DEVNULL,
    )
    assert await made.wait() == 0
    return ssl.create_default_context(cafile=directory / "cert.pem")


@asynccontextmanager
async def proxy(name: str, directory: Path, web_port: int, screenpop_port: int) -> AsyncIterator[int]:
    """A proxy that runs while the block does; gives its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    place = directory / "configuration"
    place.write_text(configuration(name, directory, port, web_port, screenpop_port), encoding="utf-8")
    path = program(name)
    arguments = (
        (path, "run", "--adapter", "caddyfile", "--config", str(place))
        if name == "caddy"
        else (path, "-p", str(directory), "-c", str(place))
    )
    environment = {**os.environ, "HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    running = await asyncio.create_subprocess_exec(*arguments, cwd=directory, env=environment, stderr=PIPE)
    try:
        async with asyncio.timeout(START_S):
            await _until_listening(running, port)
        yield port
    finally:
        if running.returncode is None:
            running.terminate()
        await running.communicate()


async def _until_listening(running: asyncio.subprocess.Process, port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if running.returncode is not None:
                _, said = await running.communicate()
                pytest.fail(said.decode())
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
