"""The shape of errors: RFC 9457 problem details, and of the answers to is-it-well."""

from typing import Literal

import msgspec

from callcenter.web.schemas import Answer


class Fault(Answer, frozen=True):
    """One thing that is wrong with what was sent. `at` is a path such as `$.phones[0].number`."""

    at: str
    detail: str


class Problem(Answer, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457). `detail` is a sentence for the person; `type` is stable for programs."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: tuple[Fault, ...] | msgspec.UnsetType = msgspec.UNSET


class Alive(Answer, frozen=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


class PartHealth(Answer, frozen=True):
    """A part that the service needs: whether it works, and a sentence that names no host or secret."""

    name: str
    kind: Literal["database", "pbx", "screenpop", "other"]
    ok: bool
    state: str
    detail: str | None = None


class Readiness(Answer, frozen=True):
    """Whether the service can do its work, and which part cannot."""

    ready: bool
    parts: tuple[PartHealth, ...]
