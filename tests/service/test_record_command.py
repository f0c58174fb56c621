"""`callcenter record`: what a PBX says in a file, or a sentence that says why there is none."""

import asyncio
import sys
from pathlib import Path

from callcenter.ami import record, wire
from callcenter.simulator.server import Simulator


async def recorded(folder: Path, port: int, secret: str, seconds: float) -> tuple[int, str]:
    """Record into `transcript.jsonl`; the exit code, and what was said."""
    (folder / "callcenter.toml").write_text(f'[[pbx]]\nport = {port}\nsecret = "{secret}"\nregion = "GB"\n')
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter", "record", "transcript.jsonl", "--seconds", str(seconds)),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_what_a_pbx_says_is_in_the_file(tmp_path: Path) -> None:
    async with Simulator() as pbx:
        code, said = await recorded(tmp_path, pbx.port, pbx.secret, 2)
    assert code == 0, said
    assert "connected to Asterisk 22" in said and "events in transcript.jsonl" in said
    names = [wire.name(block) for block in record.read(tmp_path / "transcript.jsonl")]
    assert b"FullyBooted" in names


async def test_why_nothing_is_recorded_is_said_once_and_no_empty_file_is_left(tmp_path: Path) -> None:
    async with Simulator() as pbx:
        port = pbx.port
    code, said = await recorded(tmp_path, port, "x", 3)
    assert code == 1
    assert said.count("is Asterisk running") == 1
    assert "no event came: transcript.jsonl is not written" in said
    assert not (tmp_path / "transcript.jsonl").exists()
