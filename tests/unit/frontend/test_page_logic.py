"""The agent's page tests its own logic with vitest; this makes `make test` run it."""

import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, run

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(600)
def test_logic_of_the_page() -> None:
    done = run([sys.executable, "hatch_build.py", "test"], cwd=ROOT, stdout=PIPE, stderr=STDOUT, text=True, timeout=590)
    assert done.returncode == 0, done.stdout
