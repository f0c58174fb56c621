"""A real MariaDB of the tests' own, on loopback, with the tables that FreePBX makes."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomysql
import pytest

from tests.testbed.ports import free_tcp_port

PARTS = Path(__file__).parents[2] / ".cache" / "mariadb"
"""Where `scripts/test-parts` unpacks it."""
START_S = 60.0
SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
FREEPBX = """
CREATE TABLE asteriskcdrdb.cel (
    id INT NOT NULL AUTO_INCREMENT, eventtype VARCHAR(30) NOT NULL, eventtime DATETIME NOT NULL,
    cid_name VARCHAR(80) NOT NULL, cid_num VARCHAR(80) NOT NULL, cid_ani VARCHAR(80) NOT NULL,
    cid_rdnis VARCHAR(80) NOT NULL, cid_dnid VARCHAR(80) NOT NULL, exten VARCHAR(80) NOT NULL,
    context VARCHAR(80) NOT NULL, channame VARCHAR(80) NOT NULL, appname VARCHAR(80) NOT NULL,
    appdata VARCHAR(255) NOT NULL, amaflags INT NOT NULL, accountcode VARCHAR(20) NOT NULL,
    uniqueid VARCHAR(32) NOT NULL, linkedid VARCHAR(32) NOT NULL, peer VARCHAR(80) NOT NULL,
    userdeftype VARCHAR(255) NOT NULL, extra VARCHAR(512) NOT NULL,
    PRIMARY KEY (id), KEY uniqueid_index (uniqueid), KEY linkedid_index (linkedid)
) DEFAULT CHARSET=utf8mb4
"""
CDR = """
CREATE TABLE asteriskcdrdb.cdr (
    calldate DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', clid VARCHAR(80) NOT NULL DEFAULT '',
    src VARCHAR(80) NOT NULL DEFAULT '', dst VARCHAR(80) NOT NULL DEFAULT '',
    duration INT NOT NULL DEFAULT 0, billsec INT NOT NULL DEFAULT 0, disposition VARCHAR(45) NOT NULL DEFAULT '',
    uniqueid VARCHAR(32) NOT NULL DEFAULT '', linkedid VARCHAR(32) NOT NULL DEFAULT '',
    KEY calldate (calldate), KEY uniqueid (uniqueid)
) DEFAULT CHARSET=utf8mb4
"""


def program() -> tuple[str, Path, dict[str, str]]:
    """The server, the directory of its own SQL, and its environment; skips where there is none."""
    unpacked = PARTS / "usr" / "sbin" / "mariadbd"
    if unpacked.is_file():
        libraries = ":".join(str(path) for path in sorted((PARTS / "usr" / "lib").glob("*-linux-gnu")))
        libraries += ":" + ":".join(str(path) for path in sorted((PARTS / "lib").glob("*-linux-gnu")))
        return str(unpacked), PARTS / "usr" / "share" / "mysql", {**os.environ, "LD_LIBRARY_PATH": libraries}
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if found is not None:
        return found, Path("/usr/share/mysql"), dict(os.environ)
    reason = "no mariadbd here: scripts/test-parts gets it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def mariadb(directory: Path, *more: str) -> AsyncIterator[int]:
    """A server with FreePBX's database, users `writer` and `reader` (password `secret`), and its port.

    `more` are options of the server.
    """
    server, share, environment = program()
    data = directory / "data"
    data.mkdir()
    options = ["--no-defaults", f"--datadir={data}", f"--lc-messages-dir={share}", "--innodb-buffer-pool-size=16M"]
    options += ["--user=root"] if os.geteuid() == 0 else []
    made = await asyncio.create_subprocess_exec(
        server, *options, "--bootstrap", stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=environment
    )
    sql = "CREATE DATABASE mysql;\nUSE mysql;\n" + "\n".join((share / name).read_text() for name in SYSTEM_TABLES)
    async with asyncio.timeout(START_S):
        said, _ = await made.communicate(sql.encode())
    assert made.returncode == 0, said.decode()[-2000:]
    init = directory / "init.sql"
    init.write_text(
        "\n".join(
            (
                "CREATE DATABASE asteriskcdrdb;",
                *(" ".join(table.split()) + ";" for table in (FREEPBX, CDR)),
                "CREATE USER writer@'127.0.0.1' IDENTIFIED BY 'secret';",
                "GRANT ALL ON asteriskcdrdb.* TO writer@'127.0.0.1';",
                "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret';",
                "GRANT SELECT ON asteriskcdrdb.* TO reader@'127.0.0.1';",
                "CREATE USER narrow@'127.0.0.1' IDENTIFIED BY 'secret';",
                "GRANT SELECT ON asteriskcdrdb.cel TO narrow@'127.0.0.1';\n",
            )
        )
    )
    port = free_tcp_port()
    options += [f"--init-file={init}", "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve"]
    options += more
    options += [f"--socket={directory / 'socket'}", f"--pid-file={directory / 'pid'}"]
    process = await asyncio.create_subprocess_exec(server, *options, stdout=DEVNULL, stderr=DEVNULL, env=environment)
    try:
        async with asyncio.timeout(START_S):
            while not await _answers(port):
                assert process.returncode is None, f"MariaDB has ended with {process.returncode}"
                await asyncio.sleep(0.1)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _answers(port: int) -> bool:
    try:
        connection = await aiomysql.connect(
            host="127.0.0.1", port=port, user="writer", password="secret", db="asteriskcdrdb"
        )
    except aiomysql.MySQLError:
        return False
    connection.close()
    return True
