"""Fixtures of the acceptance tests. A test that fails shows the end of the service's log, and of Asterisk's."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.house import House
from tests.fixtures.database import TEMPLATE, of_database, run_as_admin


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    asterisk_chroot: Path, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """One company for a file of tests; the calls of one test are new ones for the next."""
    name = f"{TEMPLATE}_house"
    await run_as_admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    url = of_database(postgres_url, name)
    async with House(tmp_path_factory.mktemp("house"), asterisk_chroot, database_url=url) as house:
        yield house
    await run_as_admin(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for value in _parts(item):
            report.sections.append(("the service's log", value.service.tail()))
            report.sections.append(("Asterisk's log", value.pbx.asterisk.messages()[-3000:]))
    return report


def _parts(item: pytest.Function) -> list[Any]:
    values = getattr(item, "funcargs", {}).values()
    return [value for value in values if isinstance(value, House) and hasattr(value, "service")]
