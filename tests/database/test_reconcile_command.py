"""`callcenter reconcile`, run as a person runs it."""

import os
from pathlib import Path

from callcenter.accounts.seats import Seats
from callcenter.db.engine import Database
from tests.database.test_cli import callcenter
from tests.database.test_reconciling import CASES, UNTIL
from tests.traces import REPLAY


def configuration(directory: Path) -> Path:
    """A configuration whose PBX writes into the directory; with the rows of some cases there."""
    lines = [line for case in CASES for line in (REPLAY / case / "cel.csv").read_text("utf-8").splitlines()]
    (directory / "cel.csv").write_text("\n".join(lines) + "\n", "utf-8")
    os.utime(directory / "cel.csv", (UNTIL.timestamp(), UNTIL.timestamp()))
    config = directory / "callcenter.toml"
    config.write_text(f'[[pbx]]\nregion = "GB"\ntrunks = ["trunk"]\ncel = "{directory}/cel.csv"\n', "utf-8")
    return config


async def test_it_says_what_was_missing_and_adds_it(
    database: Database, database_url: str, tenant_id: int, tmp_path: Path
) -> None:
    config = configuration(tmp_path)
    await Seats(database).add(tenant_id, "pbx", "1001", "PJSIP/1001", "Amelia")
    times = ("--since", "2026-11-23T00:00+00:00", "--until", "2026-11-23T23:59+00:00")
    command = ("reconcile", *times, "--config", str(config))

    code, said, complained = await callcenter(database_url, *command, "--dry-run")
    assert (code, complained) == (0, "")
    assert "PBX 5 calls, service 0." in said and "would be added" in said
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 0

    code, said, _ = await callcenter(database_url, *command)
    assert code == 0 and "are added" in said
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 5

    code, said, _ = await callcenter(database_url, *command)
    assert "PBX 5 calls, service 5." in said and "are the same in both" in said
    assert await database.pool.fetchval("SELECT count(*) FROM reconciliations") == 3


async def test_what_cannot_be_is_a_sentence(database_url: str, tmp_path: Path) -> None:
    config = configuration(tmp_path)
    for arguments, sentence in (
        (("--since", "yesterday"), "is no time"),
        (("--since", "7d", "--pbx", "other"), "no such [[pbx]]"),
        (("--since", "2099-01-01"), "before `until`"),
    ):
        code, _, complained = await callcenter(database_url, "reconcile", *arguments, "--config", str(config))
        assert code == 1 and sentence in complained, complained
    (tmp_path / "cel.csv").unlink()
    code, said, _ = await callcenter(database_url, "reconcile", "--since", "7d", "--config", str(config))
    assert code == 1 and "there is no file" in said.replace("\n", " ")
