"""Calls from one desk to another."""

from tests.testbed.ami import AmiLink
from tests.testbed.callees import BUSY
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx


@case()
async def internal_answered(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 1002, who answers after 0.8 s. They talk 1 s and 1001, who called, hangs up.

    Expected: one internal call, answered; one offer to PJSIP/1002, answered; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    callee = await ben.called.answers(after_s=0.8)
    caller = await amelia.dials.hangs_up("1002", after_s=1)
    await pbx.finished(callee, caller)


@case()
async def internal_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 1002, which rings for the 3 s that the dialplan allows; nobody answers.

    Expected: one internal call, no answer; one offer to PJSIP/1002, no answer; hung up by the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    callee = await ben.called.rings()
    caller = await amelia.dials.is_refused("1002")
    await pbx.finished(callee, caller)


@case()
async def internal_busy(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 1002, whose phone says 486 Busy Here at once.

    Expected: one internal call, busy; one offer to PJSIP/1002, busy; hung up by the system, cause 17.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    callee = await ben.called.refuses(BUSY)
    caller = await amelia.dials.is_refused("1002")
    await pbx.finished(callee, caller)
