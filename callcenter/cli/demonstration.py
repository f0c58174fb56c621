"""`callcenter demo`: the whole service on a simulated PBX, with a company in it. Nothing has to be prepared."""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop
from pydantic import SecretStr
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from callcenter import logs
from callcenter.accounts.passwords import hash_once
from callcenter.accounts.roles import Role
from callcenter.accounts.seats import Seats
from callcenter.accounts.store import People
from callcenter.accounts.values import Extension
from callcenter.app import Application
from callcenter.cli.demohistory import add_history
from callcenter.cli.serving import ports_explained, stop_by_signal
from callcenter.customers.sample import sample_customers
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.desk import lists
from callcenter.desk.words import DeskSettings, FieldDefinition, FieldKind
from callcenter.joints.directory import reader_of
from callcenter.settings import DatabaseSettings, LogSettings, PbxSettings, ScreenpopSettings, Settings, WebSettings
from callcenter.simulator.people import Caller
from callcenter.simulator.server import Simulator
from callcenter.simulator.world import World

PASSWORD: Final = "demo-password"
"""Of all people of the demo, which listens on this machine only and holds made-up data only."""
PEOPLE: Final = (
    ("li", "Li Wei", Role.AGENT),
    ("amelia", "Amelia Hart", Role.AGENT),
    ("chen", "陳怡君", Role.AGENT),
    ("sam", "Sam Rivers", Role.SUPERVISOR),
    ("admin", "Ada Min", Role.ADMIN),
)

WRAPUP_S: Final = 20
FIELDS: Final = (
    FieldDefinition(
        code="plan",
        names={"en": "Plan", "zh-CN": "套餐", "zh-TW": "方案"},
        kind=FieldKind.CHOICE,
        choices=("Basic", "Plus", "Premium"),
        place=1,
    ),
    FieldDefinition(
        code="renewal",
        names={"en": "Renewal", "zh-CN": "续约日期", "zh-TW": "續約日期"},
        kind=FieldKind.DATE,
        place=2,
    ),
)


def run(port: int, directory: Path, calls_per_minute: float) -> None:
    """Run the demo until Ctrl-C."""
    logs.configure(LogSettings(level="WARNING"))
    uvloop.run(demonstrate(port, directory, calls_per_minute))


async def demonstrate(port: int, directory: Path, calls_per_minute: float) -> None:
    """Build the company, let calls come, and serve."""
    console = Console()
    customers = sample_customers()
    callers = [Caller(customer.phones[0].number, customer.name) for customer in customers if customer.phones]
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(Simulator(World(customers=callers)))
        settings = _settings(port, directory, pbx)
        with console.status("Starting PostgreSQL, and moving the company in"):
            application = await stack.enter_async_context(Application.open(settings))
            await _move_in(application, settings)
        with ports_explained():
            await _serve(application, pbx, console, calls_per_minute)


async def _serve(application: Application, pbx: Simulator, console: Console, calls_per_minute: float) -> None:
    attended: set[str] = set()

    def attend(seats: Collection[Extension]) -> None:
        """Calls come where somebody sits."""
        taken = {seat.extension for seat in seats}
        for extension in attended - taken:
            pbx.leave(extension)
        for extension in taken - attended:
            pbx.attend(extension)
        attended.clear()
        attended.update(taken)

    application.seating.on_change = attend
    stop_by_signal(application)
    async with asyncio.TaskGroup() as group:
        group.create_task(application.run(), name="service")
        await application.ready.wait()
        if calls_per_minute:
            pbx.traffic(calls_per_minute)
        console.print(_welcome(application))


def _settings(port: int, directory: Path, pbx: Simulator) -> Settings:
    return Settings(
        database=DatabaseSettings(directory=directory / "postgresql"),
        web=WebSettings(port=port),
        screenpop=ScreenpopSettings(port=port + 1 if port else 0),
        pbx=(
            PbxSettings(
                port=pbx.port, username=pbx.username, secret=SecretStr(pbx.secret), region="GB", trunks=("trunk",)
            ),
        ),
        log=LogSettings(level="WARNING"),
    )


async def _move_in(application: Application, settings: Settings) -> None:
    """People, phones and customers, unless a demo before brought them already."""
    database = application.database
    tenant_id = application.tenant_id
    people = People(database)
    known = {person.agent for person in await people.list(tenant_id)}
    hashed = await hash_once(PASSWORD)
    for login, name, role in PEOPLE:
        if login not in known:
            await people.add(tenant_id, login, name, role, hashed, by="system")
    await _add_phones(database, tenant_id, settings.pbx[0])
    async with database.unit(tenant_id) as unit:
        await lists.begin(unit)
        if not await lists.listed(unit, FieldDefinition):
            await lists.configure(unit, DeskSettings(wrapup_s=WRAPUP_S), actor="system")
            for field in FIELDS:
                await lists.put(unit, field, actor="system")
    store = CustomerStore(database, reader_of(settings.pbx[0]))
    if not (await store.page(tenant_id, limit=1)).items:
        for customer in sample_customers():
            await store.create(tenant_id, customer)
    page = await store.page(tenant_id, limit=100)
    numbers = [(one.id, one.phones[0].e164, one.name) for one in page.items if one.phones and one.phones[0].e164]
    await add_history(database, tenant_id, settings.pbx[0].id, numbers, datetime.now(UTC))


async def _add_phones(database: Database, tenant_id: int, pbx: PbxSettings) -> None:
    seats = Seats(database)
    known = {seat.extension for seat in await seats.list(tenant_id)}
    for extension in World().company.phones:
        if extension not in known:
            await seats.add(tenant_id, pbx.id, extension, f"PJSIP/{extension}")


def _welcome(application: Application) -> Panel:
    table = Table("log in as", "password", "is", box=None, header_style="dim")
    for login, name, role in PEOPLE:
        table.add_row(f"[bold]{login}[/]", PASSWORD, f"{name}, {role.value}")
    url = f"http://127.0.0.1:{application.web_port}/"
    outer = Table.grid(padding=(1, 0))
    outer.add_row(f"Open [bold cyan]{url}[/] and choose extension 1001: a call rings within seconds.")
    outer.add_row(table)
    outer.add_row("[dim]The API is described at /api/docs. Ctrl-C ends the demo.[/]")
    return Panel(outer, title="Call center demo", expand=False, padding=(1, 2))
