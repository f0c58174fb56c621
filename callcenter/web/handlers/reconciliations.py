"""The call log against what the PBX wrote down itself: what came of it, and to have it done."""

from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.reconciliations import Asked, NewReconciliation, ReconciliationQuery, Reconciliations


async def list_reconciliations(exchange: Exchange[ReconciliationQuery, Nothing]) -> Reconciliations:
    """What a night or a gap came to is in here too."""
    watch = exchange.services.reconciler
    items = await watch.newest(exchange.query.limit)
    return Reconciliations(items=tuple(items), pbxs=tuple(watch.able()), busy=watch.busy)


async def start_reconciliation(exchange: Exchange[Nothing, NewReconciliation]) -> Asked:
    """Answers at once; years take minutes."""
    body = exchange.body
    exchange.services.reconciler.ask(body.pbx, body.since, body.until, dry_run=body.dry_run)
    return Asked(pbx=body.pbx, dry_run=body.dry_run)
