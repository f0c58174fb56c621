"""Pure modules touch no event loop, socket, clock, logging, randomness or database: read from their syntax trees."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = [
    "callcenter/model.py",
    "callcenter/events.py",
    "callcenter/changes.py",
    "callcenter/errors.py",
    "callcenter/callrecord.py",
    "callcenter/tracking/*.py",
    "callcenter/metrics/*.py",
    "callcenter/matching/*.py",
    "callcenter/ami/wire.py",
    "callcenter/ami/parse.py",
    "callcenter/ami/actions.py",
    "callcenter/ami/transfers.py",
    "callcenter/ami/filters.py",
    "callcenter/ami/scrub.py",
    "callcenter/ami/snapshot.py",
    "callcenter/ami/backoff.py",
    "callcenter/live/alerts.py",
    "callcenter/live/board.py",
    "callcenter/accounts/guessable.py",
    "callcenter/accounts/roles.py",
    "callcenter/accounts/scope.py",
    "callcenter/softphone/credential.py",
    "callcenter/live/day.py",
    "callcenter/live/line.py",
    "callcenter/desk/fieldvalues.py",
    "callcenter/desk/missedrule.py",
    "callcenter/live/agents.py",
    "callcenter/live/board.py",
    "callcenter/engagement.py",
    "callcenter/backfill/*.py",
    "callcenter/reports/numbers.py",
    "callcenter/reports/summing.py",
    "callcenter/web/spreadsheet.py",
    "screenpop/messages.py",
    "screenpop/audience.py",
    "screenpop/views.py",
    "screenpop/presence.py",
    "screenpop/stream.py",
    "screenpop/rows.py",
    "screenpop/picture.py",
    "crm_bridge/webhooks/values.py",
    "crm_bridge/webhooks/targets.py",
    "crm_bridge/webhooks/verdicts.py",
]
FORBIDDEN = {
    "asyncio", "aiohttp", "asyncpg", "http", "logging", "os", "pathlib", "random", "requests", "select", "socket",
    "sqlalchemy", "sqlmodel", "ssl", "structlog", "subprocess", "threading", "time", "websockets",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today"}
FILES = sorted(path for pattern in PURE for path in ROOT.glob(pattern))


def faults(source: str) -> list[str]:
    """What a pure module may not do, by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            found.append(f"line {line}: reads a clock ({node.func.attr})")
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
            found.append(f"line {line}: waits")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print"):
            found.append(f"line {line}: does I/O ({node.func.id})")
        found += [f"line {line}: imports {n}" for n in names if n.partition(".")[0] in FORBIDDEN]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_module_is_pure(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


def test_every_pattern_names_something() -> None:
    assert [pattern for pattern in PURE if not list(ROOT.glob(pattern))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "from time import time",
        "import os.path",
        "x = datetime.now(UTC)",
        "async def f(): ...",
        "open(x)",
    ],
)
def test_the_check_finds_what_it_looks_for(source: str) -> None:
    assert faults(source) != []
