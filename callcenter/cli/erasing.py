"""`callcenter erase`: takes a person out of the database, for good."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from callcenter.cli.database import ACTOR, run_with_database
from callcenter.cli.options import Config
from callcenter.errors import BadInput

if TYPE_CHECKING:
    from callcenter.db.engine import Database
    from callcenter.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Take a person out of the database, for good.")


@app.callback()
def _group() -> None:
    """Keeps `customer` a sub-command although it is the only one so far."""


@app.command()
def customer(
    customer_id: Annotated[str, typer.Argument(help="Id of the customer: the last part of their page's address.")],
    config: Config = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a customer: the calls stay as numbers for statistics, the person is gone. It cannot be undone."""
    from rich.console import Console

    from callcenter.customers.store import CustomerStore
    from callcenter.errors import NotFound
    from callcenter.joints.erasure import Erasing
    from callcenter.joints.numbers import Numbers
    from crm_bridge.outbox import CallOutbox

    wanted = read_id(customer_id)

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        # Who is gone already may have been erased in part only: asking again finishes that, or says that nobody was.
        with suppress(NotFound):
            card = await CustomerStore(database, Numbers(settings.pbx).reader()).get(tenant_id, wanted)
            phones = ", ".join(phone.number for phone in card.phones) or "no telephone number"
            typer.echo(f"{card.name}, {phones}")
            if not yes:
                typer.confirm("Erase this person and what is written about them for good?", abort=True)
        with Console(stderr=True).status("erasing …") as status:
            erased = await Erasing(database, [CallOutbox()]).erase(
                tenant_id, wanted, actor=ACTOR, progress=lambda calls: status.update(f"{calls:,} calls …")
            )
        typer.echo(f"erased: {erased.calls:,} calls say no longer who it was")
        if erased.recordings:
            typer.echo("recordings that are still on the PBX:")
            for file in erased.recordings:
                typer.echo(f"  {file}")

    run_with_database(config, work)


def read_id(text: str) -> UUID:
    """The id of a customer.

    Raises:
        BadInput: the text is none.
    """
    try:
        return UUID(text.strip())
    except ValueError:
        raise BadInput(f"{text!r} is no id of a customer: copy it from the address of their page") from None
