"""Who hears whom: RTP as Asterisk counts it, as it is on the wire, and as a browser has decoded it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.async_api import Page

from tests.acceptance.service import until
from tests.testbed import AmiLink, Asterisk

_COUNT_RECEIVED, _COUNT_SENT = 4, 8
"""Columns of `pjsip show channelstats`."""
_RISE = 20
"""Packets, of which a phone sends 50 a second."""
_IPV4 = 0x0800
_HEADERS = 14 + 20 + 8 + 12
"""Of Ethernet, IP, UDP and RTP, before the sound."""
_LOUD = 4
"""The exponent of an A-law sample, 0 to 7: silence is 0, the testbed's tone 6."""
AUDIBLE = 0.001
"""Of `energy`: what the testbed's tone brings in a moment, and silence never."""
KEEPS_PEERS = """
window.peers = [];
const Own = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Own {
  constructor(...parts) { super(...parts); window.peers.push(this); }
};
"""
"""Runs in a page before its own scripts, so that `energy` can ask its connections."""
_ENERGY = """async () => {
  let found = 0;
  for (const peer of window.peers)
    for (const one of (await peer.getStats()).values())
      if (one.type === "inbound-rtp") found += one.totalAudioEnergy ?? 0;
  return found;
}"""


async def sound_both_ways(asterisk: Asterisk, extension: str) -> None:
    """Wait until Asterisk counts sound from and to a phone that goes on rising."""
    before = await counted(asterisk, extension)

    async def flows() -> bool:
        now = await counted(asterisk, extension)
        return now[0] > before[0] + _RISE and now[1] > before[1] + _RISE

    try:
        await until(flows, f"sound from and to {extension}", deadline_s=12, every_s=0.3)
    except AssertionError as problem:
        stats = await asterisk.console("pjsip show channelstats")
        raise AssertionError(f"{problem}; {before} at first, then\n{stats}") from None


async def counted(asterisk: Asterisk, extension: str) -> tuple[int, int]:
    """Packets that came from and went to a phone, of its newest channel."""
    text = await asterisk.console("pjsip show channelstats")
    rows = [row for line in text.splitlines() if f" {extension}-" in line and len(row := line.split()) > _COUNT_SENT]
    if not rows:
        return 0, 0
    return _count(rows[-1][_COUNT_RECEIVED]), _count(rows[-1][_COUNT_SENT])


def _count(text: str) -> int:
    return int(text.removesuffix("K")) * (1000 if text.endswith("K") else 1)


async def heard(port: int, *, for_s: float = 1) -> tuple[int, int]:
    """Plain RTP packets to a port, and how many carry more than silence; the loopback shows each twice."""
    packets = loud = 0
    loop = asyncio.get_running_loop()
    with _wire() as taken:
        over = loop.time() + for_s
        while (left := over - loop.time()) > 0:
            try:
                data = await asyncio.wait_for(loop.sock_recv(taken, 2048), left)
            except TimeoutError:
                break
            if len(data) > _HEADERS and data[23] == socket.IPPROTO_UDP and int.from_bytes(data[36:38]) == port:
                packets += 1
                loud += max((sample ^ 0x55) >> 4 & 7 for sample in data[_HEADERS:]) >= _LOUD
    return packets // 2, loud // 2


@contextmanager
def _wire() -> Iterator[socket.socket]:
    """All packets of the loopback; only root may look at them, who may have the testbed too."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_IPV4)) as taken:
        taken.bind(("lo", 0))
        taken.setblocking(False)
        yield taken


async def port_of(link: AmiLink, channel: str) -> int:
    """Where Asterisk sends the sound of a channel to."""
    answer = await link.action("Getvar", Channel=channel, Variable="CHANNEL(rtp,dest)")
    return int(answer["Value"].rpartition(":")[2])


async def energy(page: Page) -> float:
    """What all calls of a page's phone have sounded like so far: it rises while something is heard.

    The page must have been opened with `KEEPS_PEERS`.
    """
    return float(await page.evaluate(_ENERGY))
