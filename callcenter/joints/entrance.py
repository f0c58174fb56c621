"""What the screen-pop and the accounts need of each other: tickets in, ended sessions out."""

from collections.abc import Collection
from functools import lru_cache

from callcenter.accounts.access import Access
from callcenter.accounts.roles import Role
from callcenter.accounts.tickets import Grant
from callcenter.errors import Unauthenticated
from screenpop.contracts import Identity
from screenpop.server import ScreenpopServer


class PopTickets:
    """`screenpop.contracts.Tickets` on the accounts' tickets."""

    def __init__(self) -> None:
        self.access: Access | None = None
        """Set as soon as it is built: accounts and screen-pop know each other."""

    async def redeem(self, ticket: str) -> Identity | None:
        """Use a ticket up; None where it is unknown, used or too old."""
        if self.access is None:
            return None
        try:
            grant = self.access.redeem(ticket)
        except Unauthenticated:
            return None
        return Identity(
            tenant_id=grant.tenant_id,
            agent=grant.agent,
            login=grant.agent,
            role=grant.role.value,
            session=grant.session,
            queues=grant.queues,
        )


class Eviction:
    """`callcenter.accounts.access.SessionListener`: with a session its pages' connections end."""

    def __init__(self, tenant: str, screenpop: ScreenpopServer) -> None:
        self._tenant = tenant
        self._screenpop = screenpop

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        """Close the connections of the session's pages; one that is still logged in comes back by itself."""
        self._screenpop.evict(self._tenant, agent, session)

    def queues_changed(self, agent: str) -> None:
        """Close the connections of an agent's pages, which come back by themselves and see other queues then."""
        for who in self._screenpop.pages(self._tenant):
            if who.agent == agent:
                self._screenpop.evict(self._tenant, agent, who.session)

    def connected(self) -> Collection[Grant]:
        """Whom the connected pages were opened for."""
        return [_grant(who) for who in self._screenpop.pages(self._tenant)]


@lru_cache(4096)
def _grant(who: Identity) -> Grant:
    """Kept, because it is asked for each second of each page."""
    return Grant(tenant_id=who.tenant_id, agent=who.agent, role=Role(who.role), session=who.session)
