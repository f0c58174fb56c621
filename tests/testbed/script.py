"""What one side of an answered call does, step by step: the rest of a SIPp scenario, written for the occasion.

    script.told(), script.refers("1002"), script.waits(0.3), script.hangs_up()

Steps that wait for the test go on at `Sipp.tell`; the others go on by themselves. In between, a NOTIFY or an OPTIONS
is answered by SIPp, and anything else that was not expected fails the call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent, indent

_SDP = """
v=0
o=- 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a={direction}
"""
_MESSAGE = """
<send{retransmitted}><![CDATA[
  {first_line}
  {headers}
  Max-Forwards: 70
{body}
]]></send>
"""
_ACCEPTED = '<recv response="202"/>\n'
_OK = """
<send><![CDATA[
  SIP/2.0 200 OK
  [last_Via:]
  [last_From:]
  [last_To:]
  [last_Call-ID:]
  [last_CSeq:]
  Content-Length: 0

]]></send>
"""
_REFERRED_TO = """
<recv request="INFO">
  <action>
    <ereg regexp="[^ ].*" search_in="hdr" header="X-Refer-To:" assign_to="referto"/>
  </action>
</recv>
"""


@dataclass
class Side:
    """One side of a dialog while its steps are written down."""

    local: str
    """The own From header, with its tag, as the scenario can write it."""
    cseq: int
    """The CSeq of the last request sent."""

    def request(self, method: str, *headers: str, body: str = "") -> str:
        """A request within the dialog."""
        if method != "ACK":
            self.cseq += 1
        lines = [
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            f"From:{self.local}",
            "To:[$remote]",
            "Call-ID: [call_id]",
            f"CSeq: {self.cseq} {method}",
            "Contact: <sip:[local_ip]:[local_port]>",
            *headers,
        ]
        length = "Content-Type: application/sdp\n  Content-Length: [len]\n" if body else "Content-Length: 0\n"
        return _MESSAGE.format(
            first_line=f"{method} [$target] SIP/2.0",
            headers="\n  ".join(lines),
            body=f"  {length}{indent(body, '  ')}",
            retransmitted="" if method == "ACK" else ' retrans="500"',
        )

    def offer(self, direction: str) -> str:
        """A re-INVITE that changes which way the sound goes."""
        invite = self.request("INVITE", body=_SDP.format(version=self.cseq + 1, direction=direction))
        return invite + '<recv response="100" optional="true"/>\n<recv response="200"/>\n' + self.request("ACK")


Step = Callable[[Side], str]


def waits(seconds: float) -> Step:
    """Let some time pass."""
    return lambda side: f'<pause milliseconds="{round(seconds * 1000)}"/>\n'


def told() -> Step:
    """Wait for the test's word."""
    return lambda side: '<recv request="INFO"/>\n'


def speaks() -> Step:
    """Send sound from now on; without it a phone of SIPp is silent, and sends no RTP at all."""
    return lambda side: '<nop><action><exec rtp_stream="[speech],-1,8"/></action></nop>\n'


def holds() -> Step:
    """Put the other side on hold (re-INVITE)."""
    return lambda side: side.offer("sendonly")


def resumes() -> Step:
    """Take the other side off hold (re-INVITE)."""
    return lambda side: side.offer("sendrecv")


def refers(target: str) -> Step:
    """Transfer the other side blindly (REFER). The PBX accepts it always, and says by NOTIFY how it went."""
    refer_to = f"Refer-To: <sip:{target}@[remote_ip]:[remote_port]>"
    return lambda side: side.request("REFER", refer_to) + _ACCEPTED


def joins() -> Step:
    """Transfer the other side to a call that the test names when it says so (REFER with Replaces)."""
    return lambda side: _REFERRED_TO + side.request("REFER", "Refer-To: <sip:[$referto]>") + _ACCEPTED


def hangs_up() -> Step:
    """Hang up."""
    return lambda side: side.request("BYE") + '<recv response="200"/>\n'


def is_hung_up() -> Step:
    """Stay until the other side hangs up."""
    return lambda side: '<recv request="BYE"/>\n' + _OK


def written(side: Side, steps: tuple[Step, ...]) -> str:
    """The steps as the part of a scenario that comes after the answer."""
    return indent(dedent("".join(step(side) for step in steps)), "  ")
