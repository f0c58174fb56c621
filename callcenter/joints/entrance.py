"""What the screen-pop and the accounts need of each other: tickets in, ended sessions out."""

from collections.abc import Collection

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
        )


class Eviction:
    """`callcenter.accounts.access.SessionListener`: with a session its pages' connections end."""

    def __init__(self, tenant: str, screenpop: ScreenpopServer) -> None:
        self._tenant = tenant
        self._screenpop = screenpop

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        """Close the connections of the session's pages; one that is still logged in comes back by itself."""
        self._screenpop.evict(self._tenant, agent, session)

    def connected(self) -> Collection[Grant]:
        """Whom the connected pages were opened for."""
        return [
            Grant(tenant_id=who.tenant_id, agent=who.agent, role=Role(who.role), session=who.session)
            for who in self._screenpop.pages(self._tenant)
        ]
