"""The PostgreSQL of our own: shared, stopped by the last, and plain about what is wrong."""
# ruff: noqa: ASYNC240 — a test may look at files while nothing else runs

import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import uvloop

from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.opening import open_database
from callcenter.errors import DatabaseError
from callcenter.settings import DatabaseSettings, Settings
from tests.fixtures.database import FAST


@pytest.fixture
def directory() -> Iterator[Path]:
    """A place of its own; pytest's is closed to the user that PostgreSQL runs as when we are root."""
    made = Path(tempfile.mkdtemp(prefix="callcenter-test-"))
    yield made / "postgresql"
    shutil.rmtree(made)


async def answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.CannotConnectNowError):
        return False
    await connection.close()
    return True


async def test_it_starts_is_shared_and_is_stopped_by_the_last(directory: Path) -> None:
    first, second = EmbeddedPostgres(directory, FAST), EmbeddedPostgres(directory, FAST)
    urls = await asyncio.gather(first.start(), second.start())
    assert urls[0] == urls[1] == await first.start()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    await first.stop()
    assert await answers(urls[0]), "the second still uses it"
    await second.stop()
    await second.stop()
    assert not await answers(urls[0])
    with pytest.raises(DatabaseError, match="has not been started"):
        first.url()


def test_it_starts_on_the_loop_that_the_service_uses(directory: Path) -> None:
    async def start() -> bool:
        async with EmbeddedPostgres(directory, FAST) as server:
            return await answers(server.url())

    assert uvloop.run(start())


async def test_data_outlives_a_stop(directory: Path) -> None:
    settings = Settings(database=DatabaseSettings(directory=directory))
    for expected in (1, 2):
        async with open_database(settings) as database:
            await database.pool.execute("INSERT INTO tenants (slug) VALUES ($1)", f"tenant-{expected}")
            assert await database.pool.fetchval("SELECT count(*) FROM tenants") == expected


HOLD = """
import asyncio, sys
from pathlib import Path
from callcenter.db.embedded import EmbeddedPostgres
async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"})
    print(await server.start(), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
        print("stopped", flush=True)
asyncio.run(main())
"""


@asynccontextmanager
async def holding_process(directory: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A process of its own, in a process group of its own, that uses the server; and the server's URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(directory)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_ctrl_c_reaches_us_and_not_the_server(directory: Path) -> None:
    ours = EmbeddedPostgres(directory, FAST)
    async with holding_process(directory) as (process, url):
        await ours.start()
        # what a terminal does on Ctrl-C: the whole process group is told
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"stopped\n"
        await process.wait()
        assert await answers(url)
    await ours.stop()
    assert not await answers(url)


async def test_a_server_whose_user_was_killed_is_taken_over_and_stopped(directory: Path) -> None:
    async with holding_process(directory) as (process, url):
        process.kill()
        await process.wait()
    assert await answers(url), "kill -9 leaves the server"
    async with EmbeddedPostgres(directory, FAST) as next_one:
        assert next_one.url() == url
    assert not await answers(url)


async def test_a_path_too_long_for_a_socket_works(directory: Path) -> None:
    long = directory.with_name("x" * 120) / "data, 'quoted'"
    async with EmbeddedPostgres(long, FAST) as server:
        assert await answers(server.url())
        socket = Path(server.url().rsplit("host=", 1)[1].replace("%2F", "/"))
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    socket.rmdir()


async def test_a_directory_with_other_things_is_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / "thesis.odt").write_text("two years of work")
    with pytest.raises(DatabaseError, match=r"'thesis\.odt' is in it"):
        await EmbeddedPostgres(directory).start()
    assert (directory / "thesis.odt").read_text() == "two years of work"


async def test_data_of_another_version_is_not_touched(directory: Path) -> None:
    directory.mkdir()
    (directory / "PG_VERSION").write_text("14\n")
    with pytest.raises(DatabaseError, match="made by PostgreSQL 14"):
        await EmbeddedPostgres(directory).start()


async def test_why_it_does_not_start_is_said(directory: Path) -> None:
    with pytest.raises(DatabaseError, match="nonsense"):
        await EmbeddedPostgres(directory, {"nonsense": "1"}).start()


async def test_a_file_in_place_of_the_directory_is_said(directory: Path) -> None:
    directory.write_text("")
    with pytest.raises(DatabaseError, match=r"cannot be used: File exists.*set database\.directory"):
        await EmbeddedPostgres(directory).start()
