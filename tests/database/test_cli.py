"""`callcenter db`, run as a person runs it."""

import asyncio
import os
import sys

from callcenter.db import migrations


async def callcenter(url: str, *arguments: str) -> tuple[int, str, str]:
    """Run the command on the database at `url`; its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from callcenter.cli.main import main; main()", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"CALLCENTER_DATABASE_URL": url},
    )
    async with asyncio.timeout(60):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def test_an_empty_database_is_told_of_and_brought_up_to_date(empty_url: str) -> None:
    code, said, _ = await callcenter(empty_url, "db", "status")
    assert code == 1 and "is empty: run `callcenter db upgrade`" in said
    for _ in range(2):
        code, said, _ = await callcenter(empty_url, "db", "upgrade")
        assert code == 0 and f"is at revision {migrations.head()}" in said
    code, said, _ = await callcenter(empty_url, "db", "status")
    assert code == 0 and f"revision {migrations.head()}: up to date" in said
    code, said, complained = await callcenter(empty_url, "db", "url")
    assert (code, said.strip(), complained) == (0, empty_url, "")


async def test_a_server_that_is_not_there_is_a_sentence_and_no_traceback() -> None:
    code, said, complained = await callcenter("postgresql://u:secret@127.0.0.1:1/none", "db", "status")
    assert (code, said) == (1, "")
    assert complained.startswith("callcenter: cannot connect to PostgreSQL at")
    assert "secret" not in complained and "Traceback" not in complained
