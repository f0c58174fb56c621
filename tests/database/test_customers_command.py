"""`callcenter import customers` as a person runs it: a process of its own."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.matching.number import Reader

Command = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    """Runs the command with these arguments; gives its exit code and what it printed."""

    async def command(*arguments: str, answer: bytes = b"") -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from callcenter.cli.main import main; main()", "import", "customers"),
            *arguments,
            cwd=tmp_path,
            env={**os.environ, "CALLCENTER_DATABASE_URL": database_url, "COLUMNS": "200"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            printed, _ = await process.communicate(answer)
        assert process.returncode is not None
        return process.returncode, printed.decode()

    return command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text("Kunde;Tel;Ort\nLi [bold]Wei[/bold];020 7946 0001;London\nWang;hello;York\n;;\n", encoding="utf-8")
    return path


MAPPED = ("--map", "name=Kunde", "--map", "phone=Tel", "--map", "fields.city=Ort", "--region", "GB")


async def test_a_file_is_imported_and_the_account_given(
    command: Command, file: Path, database: Database, tenant_id: int
) -> None:
    code, printed = await command(str(file), *MAPPED, "--yes")
    assert code == 3
    assert "1 added, 0 changed, 0 unchanged, 0 merged into another row, 2 rejected" in printed
    assert "customers.csv.rejects.csv" in printed
    [card] = (await CustomerStore(database, Reader("GB")).page(tenant_id)).items
    assert (card.name, card.fields, card.phones[0].e164) == ("Li [bold]Wei[/bold]", {"city": "London"}, "+442079460001")


async def test_the_preview_shows_rows_and_changes_nothing(
    command: Command, file: Path, database: Database, tenant_id: int
) -> None:
    code, printed = await command(str(file), *MAPPED, "--preview")
    assert code == 0
    assert "Li [bold]Wei[/bold]" in printed
    assert "added" in printed
    assert "'hello' is no phone" in printed
    assert "delimiter ;" in printed
    assert not (await CustomerStore(database, Reader("GB")).page(tenant_id)).items
    assert not file.with_name("customers.csv.rejects.csv").exists()


async def test_without_yes_it_asks(command: Command, file: Path, database: Database, tenant_id: int) -> None:
    code, printed = await command(str(file), *MAPPED, answer=b"n\n")
    assert (code, "Nothing was imported" in printed) == (1, True)
    assert not (await CustomerStore(database, Reader("GB")).page(tenant_id)).items
    code, _ = await command(str(file), *MAPPED, answer=b"y\n")
    assert code == 3
    assert len((await CustomerStore(database, Reader("GB")).page(tenant_id)).items) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing.csv", "--yes"), 1, "nothing.csv cannot be opened"),
        (("customers.csv", "--map", "size=Ort", "--yes"), 1, "TARGET is one of"),
        (("customers.csv", *MAPPED, "--region", "XX", "--yes"), 1, "'XX' is no region"),
        (("customers.csv", *MAPPED, "--match", "luck", "--yes"), 2, "write one of external_ref"),
        (("customers.csv", *MAPPED, "--encoding", "utf-16", "--yes"), 1, "--encoding"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(
    command: Command, file: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    exit_code, printed = await command(*arguments)
    assert (exit_code, said in printed) == (code, True), printed
    assert "Traceback" not in printed
