"""A password is told to no server that only asks for it, and TLS is checked: a real MariaDB, and one that lies."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomysql
import pytest

from callcenter.calllog.reconciling.mariadb import MariaCel
from callcenter.calllog.reconciling.mysqllogin import connect, trust
from callcenter.errors import DatabaseError, SettingsError
from tests.database.mariadb_server import mariadb
from tests.database.test_reconciling import SINCE, UNTIL
from tests.database.test_reconciling_freepbx import ZONE, url

CAPABLE = 1 << 3 | 1 << 9 | 1 << 15 | 1 << 19 | 1 << 21
"""A database in the log-in, protocol 4.1, a salt of 20 bytes, plug-ins, and of any length."""
CLEAR = "mysql_clear_password"
NATIVE = "mysql_native_password"


@pytest.fixture
async def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that it signed itself, beside its `key.pem`."""
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pbx"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"),
        cwd=tmp_path,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    return tmp_path / "cert.pem"


async def read(place: str) -> None:
    async for _ in MariaCel(place, ZONE).pages(SINCE, UNTIL, pytest.fail):
        pass


async def test_a_server_with_tls_is_read_under_tls_when_it_is_the_right_one(tmp_path: Path, certificate: Path) -> None:
    options = (f"--ssl-cert={certificate}", f"--ssl-key={certificate.with_name('key.pem')}")
    async with mariadb(tmp_path, *options, "--require-secure-transport=OFF") as port:
        await read(f"{url(port)}?ssl_ca={certificate}")
        await read(f"{url(port)}?ssl=true&ssl_ca={certificate}")
        await read(url(port))
        with pytest.raises(DatabaseError, match="self-signed certificate; name the PEM file"):
            await read(f"{url(port)}?ssl=true")
        with pytest.raises(DatabaseError, match="localhost"):
            await read(f"{url(port).replace('127.0.0.1', 'localhost')}?ssl_ca={certificate}")

        place = {"host": "127.0.0.1", "port": port, "user": "reader", "password": "secret", "db": "asteriskcdrdb"}
        connection = await connect(**place, ssl=trust(str(certificate)))
        async with connection.cursor() as cursor:
            await cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            [(_, cipher)] = await cursor.fetchall()
        connection.close()
        assert cipher


async def test_a_server_without_tls_is_not_read_in_clear_where_tls_is_asked_for(tmp_path: Path) -> None:
    async with mariadb(tmp_path, "--skip-ssl") as port:
        await read(url(port))
        with pytest.raises(DatabaseError, match="offers no TLS"):
            await read(f"{url(port)}?ssl=true")


@asynccontextmanager
async def liar(plugin: str, switch: str) -> AsyncIterator[tuple[int, bytearray]]:
    """A server that asks to log in by `plugin` and then by `switch`; its port, and all that it was told."""
    told = bytearray()
    gone = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        high, low = divmod(CAPABLE, 1 << 16)
        hello = b"\x0a8.0.36\0" + struct.pack("<I", 1) + b"a" * 8 + b"\0" + struct.pack("<HBHHB", low, 45, 2, high, 21)
        await send(writer, 0, hello + bytes(10) + b"b" * 12 + b"\0" + plugin.encode() + b"\0")
        try:
            await hear(reader)
            await send(writer, 2, b"\xfe" + switch.encode() + b"\0" + b"c" * 20 + b"\0")
            await hear(reader)
        except asyncio.IncompleteReadError:
            pass  # it was refused
        finally:
            writer.close()
            gone.set()

    async def hear(reader: asyncio.StreamReader) -> None:
        header = await reader.readexactly(4)
        told.extend(await reader.readexactly(int.from_bytes(header[:3], "little")))

    async def send(writer: asyncio.StreamWriter, number: int, payload: bytes) -> None:
        writer.write(len(payload).to_bytes(3, "little") + bytes([number]) + payload)
        await writer.drain()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], told
        async with asyncio.timeout(10):
            await gone.wait()


@pytest.mark.parametrize(
    ("plugin", "switch"),
    [
        (CLEAR, NATIVE),
        (NATIVE, CLEAR),
        (NATIVE, "mysql_old_password"),
        (NATIVE, "sha256_password"),
        ("caching_sha2_password", NATIVE),
    ],
)
async def test_a_server_that_asks_for_the_password_itself_does_not_get_it(plugin: str, switch: str) -> None:
    async with liar(plugin, switch) as (port, told):
        with pytest.raises(DatabaseError, match=r"asks for the password by .* encrypt with") as refused:
            await read(url(port))
    assert b"secret" not in told
    assert "secret" not in str(refused.value)


async def test_the_driver_itself_would_tell_it() -> None:
    """Else the test before would prove nothing."""
    async with liar(NATIVE, CLEAR) as (port, told):
        with pytest.raises(aiomysql.OperationalError, match="Lost connection"):
            await aiomysql.connect(host="127.0.0.1", port=port, user="reader", password="secret", db="asteriskcdrdb")
    assert b"secret" in told


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ssl=1", "write \\?ssl=true"),
        ("tls=true", "write \\?ssl=true"),
        ("ssl=false&ssl_ca=/x.pem", "write \\?ssl=true"),
        ("ssl_ca=/nowhere/ca.pem", "ssl_ca /nowhere/ca.pem: No such file"),
    ],
)
def test_what_the_url_may_not_say_is_told_with_the_mend(query: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        MariaCel(f"{url(3306)}?{query}", ZONE)
