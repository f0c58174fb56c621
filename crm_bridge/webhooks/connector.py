"""Connections that can only lead where webhooks may go.

A name is looked up once for each connection, its addresses are checked, and the connection is made to one of those
very addresses; the socket is checked once more when it is made. So neither a name that changes its address in between
nor an address in an odd spelling leads inside.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from crm_bridge.webhooks.targets import refusal
from crm_bridge.webhooks.values import TargetRules

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the addresses of a name; raises OSError."""

LOOKUP_TIMEOUT_S = 5.0


class NotAllowed(OSError):
    """The address is one that the rules forbid."""


async def system_lookup(name: str) -> Sequence[str]:
    """The addresses that the system's resolver knows for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedResolver(AbstractResolver):
    """Resolves names to allowed addresses; refuses a name of which any address is not."""

    def __init__(self, rules: TargetRules, lookup: Lookup) -> None:
        self._rules = rules
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`; raises `NotAllowed`, or OSError where there are none."""
        async with asyncio.timeout(LOOKUP_TIMEOUT_S):
            addresses = await self._lookup(host)
        if not addresses:
            raise OSError(f"no address is known for {host}")
        for address in addresses:
            _check(address, self._rules)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is kept open."""


def guarded_connector(rules: TargetRules, lookup: Lookup, *, limit: int) -> aiohttp.TCPConnector:
    """A connector for at most `limit` connections; a refused one is an aiohttp error with `os_error` `NotAllowed`."""

    def make_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        _check(str(address[0]), rules)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return aiohttp.TCPConnector(
        resolver=GuardedResolver(rules, lookup),
        use_dns_cache=False,
        limit=limit,
        socket_factory=make_socket,
    )


def _check(address: str, rules: TargetRules) -> None:
    reason = refusal(address, rules)
    if reason is not None:
        raise NotAllowed(reason)
