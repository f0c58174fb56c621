"""Keys that a person presses during a call."""

import asyncio

from tests.testbed.ami import AmiLink

_BEFORE_S = 0.8
"""Asterisk begins to say what it wants; a person listens for a moment, and dials into it."""
_BETWEEN_S = 0.12


async def press(link: AmiLink, channel: str, digits: str) -> None:
    """Press these keys on the phone of a channel: AMI lets them arrive as if the phone had sent them."""
    await asyncio.sleep(_BEFORE_S)
    for digit in digits:
        await link.action("PlayDTMF", Channel=channel, Digit=digit, Duration="80", Receive="true")
        await asyncio.sleep(_BETWEEN_S)
