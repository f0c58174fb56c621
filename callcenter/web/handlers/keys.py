"""API keys, and who did or saw what."""

from callcenter.accounts.roles import SCOPES
from callcenter.accounts.values import AuditQuery
from callcenter.errors import BadInput
from callcenter.web.cursor import read_cursor, write_cursor
from callcenter.web.endpoint import Exchange
from callcenter.web.handlers.calls import in_utc
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.keys import AuditTrail, Keys, MadeKey, NewKey, TrailQuery


async def list_keys(exchange: Exchange[Nothing, Nothing]) -> Keys:
    """Revoked ones too: the audit trail names them."""
    return Keys(items=tuple(await exchange.services.keys.list(exchange.principal.tenant_id)), scopes=SCOPES)


async def create_key(exchange: Exchange[Nothing, NewKey]) -> MadeKey:
    """Answers with the key, which cannot be read again."""
    who, new = exchange.principal, exchange.body
    key = await exchange.services.keys.create(who.tenant_id, new.name, new.scopes, in_utc(new.expires_at), who.actor)
    return MadeKey(key_id=key.split("_")[1], key=key)


async def revoke_key(exchange: Exchange[Nothing, Nothing]) -> None:
    """Useless from the next request on."""
    who = exchange.principal
    await exchange.services.keys.revoke(who.tenant_id, exchange.request.match_info["key"], who.actor)


async def list_audit(exchange: Exchange[TrailQuery, Nothing]) -> AuditTrail:
    """A page begins where the one before ended."""
    query = exchange.query
    given = read_cursor(query.cursor, query)
    if given is not None and not given.isdecimal():
        raise BadInput("the cursor is none that a page before gave: ask for the first page again")
    wanted = AuditQuery(
        actor=query.actor,
        action=query.action,
        subject_type=query.subject_type,
        subject_id=query.subject_id,
        since=in_utc(query.since),
        until=in_utc(query.until),
    )
    found = await exchange.services.trail.page(
        exchange.principal.tenant_id, wanted, before=None if given is None else int(given), limit=query.limit + 1
    )
    items = tuple(found[: query.limit])
    after = str(items[-1].audit_id) if len(found) > query.limit else None
    return AuditTrail(items=items, next_cursor=write_cursor(after, query))
