"""What the screen-pop and the accounts need of each other: tickets in, ended sessions out."""

from callcenter.accounts.access import Access
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
        return Identity(tenant_id=grant.tenant_id, agent=grant.agent, login=grant.agent, role=grant.role.value)


class Eviction:
    """`callcenter.accounts.access.SessionListener`: who logs out loses the pages' connections."""

    def __init__(self, tenant: str, screenpop: ScreenpopServer) -> None:
        self._tenant = tenant
        self._screenpop = screenpop

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        """Close the agent's connections; pages that are still logged in elsewhere come back by themselves."""
        self._screenpop.evict(self._tenant, agent)
