"""The call log against what the PBX wrote down itself: what came of it, and to have it done."""

from callcenter.backfill.report import Reconciliation
from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.reconciliations import Asked, NewReconciliation, ReconciliationQuery, Reconciliations


async def list_reconciliations(exchange: Exchange[ReconciliationQuery, Nothing]) -> Reconciliations:
    """What a night or a gap came to is in here too."""
    watch = exchange.services.reconciler
    items = await watch.newest(exchange.query.limit)
    nightly = watch.nightly_at
    return Reconciliations(
        items=tuple(items),
        pbxs=tuple(watch.able()),
        current=watch.current,
        nightly_at=None if nightly is None else nightly.isoformat("minutes"),
    )


async def show_reconciliation(exchange: Exchange[Nothing, Nothing]) -> Reconciliation:
    """One that waits or goes on has no end yet."""
    return await exchange.services.reconciler.get(exchange.id)


async def start_reconciliation(exchange: Exchange[Nothing, NewReconciliation]) -> Asked:
    """Answers at once; years take minutes."""
    body = exchange.body
    made = exchange.services.reconciler.ask(body.pbx, body.since, body.until, dry_run=body.dry_run)
    exchange.headers["Location"] = f"/api/v1/reconciliations/{made}"
    return Asked(reconciliation_id=made, pbx=body.pbx, dry_run=body.dry_run)
