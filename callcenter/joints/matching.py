"""The customers' index, for the screen-pop and for the web."""

from typing import Any

from callcenter.customers.index import CustomerIndex
from callcenter.joints.numbers import Numbers
from callcenter.joints.recognition import Recognition
from callcenter.matching.rank import Candidate
from callcenter.web.schemas import customers as web
from screenpop import messages as pop


class PopMatcher:
    """`screenpop.contracts.Matcher`: what was recognized when the call began."""

    def __init__(self, recognition: Recognition) -> None:
        self._recognition = recognition

    async def match(self, tenant_id: int, number: str, pbx: str, trunk: str | None) -> pop.Match:
        """Whose number it is, as it came over a trunk of a PBX."""
        found = await self._recognition.match(tenant_id, number, pbx, trunk)
        return pop.Match(
            status=found.status.value,
            number=found.number.e164 or found.number.raw or None,
            candidates=tuple(pop.Candidate(**_shown(one)) for one in found.candidates),
        )


class WebMatcher:
    """`callcenter.web.services.Matcher` on the index."""

    def __init__(self, index: CustomerIndex, numbers: Numbers) -> None:
        self._index = index
        self._numbers = numbers

    async def match(self, tenant_id: int, number: str, pbx: str | None, agent: str | None) -> web.Match:
        """Whose number it is, in any spelling; raises `NotFound` for an unknown PBX."""
        found = await self._index.match(tenant_id, self._numbers.read(number, pbx), agent)
        return web.Match(
            status=web.MatchStatus(found.status.value),
            number=found.number.e164 or found.number.raw,
            candidates=tuple(web.Candidate(**_shown(one)) for one in found.candidates),
        )


def _shown(one: Candidate) -> dict[str, Any]:
    """The fields that both show of a candidate, by their names, which are the same in both."""
    return {
        "customer_id": one.customer_id,
        "name": one.name,
        "company": one.company,
        "email": one.email,
        "phone": one.phone,
        "phone_label": one.phone_label,
        "tags": one.tags,
        "owner": one.owner,
        "last_call_at": one.last_call_at,
        "reason": one.reason.value,
        "reasons": tuple(reason.code.value for reason in one.reasons),
        "score": one.score,
    }
