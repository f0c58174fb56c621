"""Fixtures of the page tests."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.pages.house import LONG_MS, House, open_house

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def page_is_built() -> None:
    """The page as its source is now; at once where it was built before."""
    subprocess.run([sys.executable, "hatch_build.py", "build"], cwd=ROOT, check=True, timeout=900)


@pytest.fixture
async def house(page_is_built: None, database_url: str) -> AsyncIterator[House]:
    """The whole service beside a simulated PBX, and a browser."""
    expect.set_options(timeout=LONG_MS)
    async with open_house(database_url) as house:
        yield house
