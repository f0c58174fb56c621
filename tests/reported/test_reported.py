"""A call that was logged wrong somewhere is logged right ever after.

Each folder holds `transcript.jsonl` (from `callcenter record --scrub`), `callcenter.toml` (how that PBX's numbers and
trunks are read), `expected.jsonl` (what `callcenter replay` must print of it) and a README: what truly happened.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.cli.main import app

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/transcript.jsonl"))


@pytest.mark.parametrize("case", CASES)
def test_replay_prints_what_truly_happened(case: str) -> None:
    folder = HERE / case
    result = CliRunner().invoke(
        app, ["replay", str(folder / "transcript.jsonl"), "--config", str(folder / "callcenter.toml")]
    )
    assert result.exit_code == 0, result.output
    expected = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in result.stdout.splitlines()] == [json.loads(line) for line in expected]


@pytest.mark.parametrize("case", CASES)
def test_the_story_is_told(case: str) -> None:
    assert (HERE / case / "README.md").read_text(encoding="utf-8").startswith(f"# {case}\n")


def test_there_are_cases() -> None:
    assert CASES
