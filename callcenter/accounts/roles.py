"""Who may do what: the one place that decides. Pure, so that the web layer may read it too."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from callcenter.accounts.scope import Scope
from callcenter.errors import BadInput


class Role(StrEnum):
    """What somebody is in the company. `integration` is a machine: an API key."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    INTEGRATION = "integration"


class Permission(StrEnum):
    """One thing that may be done. The text is also the name of an API key's scope."""

    SESSION = "session"
    """Have a session of one's own: only people log in."""
    SEAT_TAKE = "seat:take"
    SEAT_FORCE = "seat:force"
    """Take the seat of somebody else."""
    SCREENPOP = "screenpop"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    CUSTOMERS_ERASE = "customers:erase"
    """Take a person out of the database for good."""
    CALLS_READ = "calls:read"
    CALLS_WRITE = "calls:write"
    """Note, outcome and customer of a call."""
    CALLS_EXPORT = "calls:export"
    """Take any number of calls away in a file."""
    CALLS_DIAL = "calls:dial"
    CALLS_HANDLE = "calls:handle"
    """Hand one's own calls on, park and fetch them."""
    SOFTPHONE = "softphone"
    """Have a phone in the browser."""
    CALLS_HANGUP_ANY = "calls:hangup_any"
    """End a call in which one has no part."""
    RECONCILE = "reconcile"
    """Compare the call log with what the PBX wrote, and fill in what is missing."""
    AGENTS_READ = "agents:read"
    QUEUES_READ = "queues:read"
    FLOOR_WATCH = "floor:watch"
    """See the floor live: queues, callers, agents and their numbers."""
    QUEUES_STEER = "queues:steer"
    """Move callers, pause agents, change members and limits of queues."""
    CALLS_SUPERVISE = "calls:supervise"
    """Listen to the calls of others, talk into them, and take them over."""
    REPORTS_READ = "reports:read"
    """See the numbers of the past, of everybody."""
    METRICS_READ = "metrics:read"
    STATE_SET = "state:set"
    """Pause, be ready, wrap up, and log in to one's queues."""
    QUEUES_ASSIGN = "queues:assign"
    """Say which queues an agent may log in to."""
    DESK_MANAGE = "desk:manage"
    """Say what agents choose from, and how long a call is wrapped up."""
    WEBHOOKS_MANAGE = "webhooks:manage"
    """Say which other systems are told of calls, and look at what was sent to them."""
    USERS_MANAGE = "users:manage"
    """Add people, change what they are, shut them out, give them new passwords, and end their sessions."""
    KEYS_MANAGE = "keys:manage"
    """Make and revoke API keys."""
    AUDIT_READ = "audit:read"
    """Read who did and saw what."""


_AGENT = frozenset(
    {
        Permission.SESSION,
        Permission.SEAT_TAKE,
        Permission.SCREENPOP,
        Permission.CUSTOMERS_READ,
        Permission.CUSTOMERS_WRITE,
        Permission.CALLS_READ,
        Permission.CALLS_WRITE,
        Permission.CALLS_DIAL,
        Permission.CALLS_HANDLE,
        Permission.SOFTPHONE,
        Permission.QUEUES_READ,
        Permission.STATE_SET,
    }
)
_SUPERVISOR = _AGENT | {
    Permission.SEAT_FORCE,
    Permission.CALLS_EXPORT,
    Permission.CALLS_HANGUP_ANY,
    Permission.RECONCILE,
    Permission.AGENTS_READ,
    Permission.FLOOR_WATCH,
    Permission.REPORTS_READ,
    Permission.QUEUES_STEER,
    Permission.CALLS_SUPERVISE,
    Permission.QUEUES_ASSIGN,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: _SUPERVISOR
    | {
        Permission.METRICS_READ,
        Permission.CUSTOMERS_ERASE,
        Permission.WEBHOOKS_MANAGE,
        Permission.DESK_MANAGE,
        Permission.USERS_MANAGE,
        Permission.KEYS_MANAGE,
        Permission.AUDIT_READ,
    },
    Role.INTEGRATION: frozenset(
        {
            Permission.CUSTOMERS_READ,
            Permission.CUSTOMERS_WRITE,
            Permission.CALLS_READ,
            Permission.CALLS_WRITE,
            Permission.CALLS_EXPORT,
            Permission.AGENTS_READ,
            Permission.QUEUES_READ,
            Permission.REPORTS_READ,
            Permission.METRICS_READ,
        }
    ),
}
"""The whole table. An integration has at most these, and of these only the scopes of its key."""

VERBS: dict[str, Permission] = {
    "dial": Permission.CALLS_DIAL,
    "hangup": Permission.CALLS_DIAL,
    "pause": Permission.STATE_SET,
    "ready": Permission.STATE_SET,
    "extend": Permission.STATE_SET,
    "queues": Permission.STATE_SET,
    "transfer": Permission.CALLS_HANDLE,
    "transfer_cancel": Permission.CALLS_HANDLE,
    "park": Permission.CALLS_HANDLE,
    "fetch": Permission.CALLS_HANDLE,
}
"""What a verb of the screen-pop's WebSocket needs; one that is not here is nobody's."""

SCOPES: tuple[str, ...] = tuple(sorted(PERMISSIONS[Role.INTEGRATION]))
"""What an API key may be given."""

PEOPLE: tuple[Role, ...] = (Role.AGENT, Role.SUPERVISOR, Role.ADMIN)
"""Roles that a user can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who makes a request, once proved. `agent` is the login of a person, None for an API key."""

    tenant_id: int
    role: Role
    name: str
    permissions: frozenset[Permission]
    agent: str | None = None
    language: str | None = None
    session: str | None = None
    """Hash of the session's token, which names the session without being able to open it."""
    queues: Scope = None
    """The queues that this principal may see and steer; None: all."""
    must_change: bool = False
    """Whether somebody else chose the password, so that another must be chosen before anything else."""

    def may(self, permission: Permission) -> bool:
        """Whether this principal may do it."""
        return permission in self.permissions

    @property
    def actor(self) -> str:
        """The name under which a change is noted: the login, or `key:` and the key's name."""
        return self.agent if self.agent is not None else f"key:{self.name}"


def permissions_of(role: Role, scopes: Iterable[str] = ()) -> frozenset[Permission]:
    """What a role may do; of an integration only what its key's `scopes` name. Unknown scopes give nothing."""
    allowed = PERMISSIONS[role]
    if role is not Role.INTEGRATION:
        return allowed
    wanted = set(scopes)
    return frozenset(permission for permission in allowed if permission.value in wanted)


def may_say(role: str, verb: str) -> bool:
    """Whether somebody of this role may say a verb of the screen-pop's WebSocket."""
    permission = VERBS.get(verb)
    return permission is not None and role in [one.value for one in PEOPLE] and permission in PERMISSIONS[Role(role)]


def read_scopes(texts: Iterable[str]) -> tuple[str, ...]:
    """Check the scopes that somebody wants to give to a key.

    Raises:
        BadInput: a scope is unknown, or there is none.
    """
    scopes = tuple(sorted({text.strip() for text in texts if text.strip()}))
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise BadInput(f"{unknown[0]!r} is no scope: choose from {', '.join(SCOPES)}")
    if not scopes:
        raise BadInput(f"a key needs at least one scope: choose from {', '.join(SCOPES)}")
    return scopes


def read_role(text: str) -> Role:
    """Read the role of a person.

    Raises:
        BadInput: the text is no role, or not one that a person can have.
    """
    for role in PEOPLE:
        if role.value == text:
            return role
    raise BadInput(f"{text!r} is no role: choose from {', '.join(PEOPLE)}")
