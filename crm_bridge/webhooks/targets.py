"""Which URLs and addresses a webhook may go to. Pure; the connector asks again at the time of each connection.

An admin who types a URL must not be able to make the service talk to what only the service can reach: its own
machine, the PBX, a cloud's metadata. A name is no protection, because it may resolve to another address at any time.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from callcenter.errors import BadInput
from crm_bridge.webhooks.values import TargetRules

LONGEST_URL: Final = 2000

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_NUMERIC = re.compile(r"(?:\d+|0[xX][0-9A-Fa-f]*)")

# IANA's special-purpose registries
_SPECIAL_4 = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
_GLOBAL_6 = ip_network("2000::/3")
# these carry other addresses in them (6to4, Teredo), or lead nowhere
_SPECIAL_6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def check_url(url: str, rules: TargetRules) -> None:
    """Check the URL of a subscription.

    Raises:
        BadInput: a webhook may not go there; says what to change.
    """
    if len(url) > LONGEST_URL:
        raise BadInput(f"url: at most {LONGEST_URL} characters are allowed")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise BadInput("url: write it in plain characters; a name in other letters as xn--…, a space as %20")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadInput("url: this is no URL; it looks like https://crm.example.com/calls") from None
    if parts.scheme not in ("https", "http") or not host:
        raise BadInput("url: it must look like https://crm.example.com/calls")
    if parts.scheme == "http" and not rules.allow_http:
        raise BadInput("url: https is needed, or allow http with the setting webhooks.allow_http")
    if parts.username is not None or parts.password is not None:
        raise BadInput("url: leave out user and password; the signature tells who sends")
    if parts.fragment:
        raise BadInput("url: leave out what begins with #; it would never be sent")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if port not in rules.ports:
        allowed = ", ".join(map(str, sorted(rules.ports)))
        raise BadInput(f"url: port {port} is not one of {allowed}; the setting webhooks.ports allows more")
    _check_host(host, rules)


def _check_host(host: str, rules: TargetRules) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        # resolvers take 2130706433, 0x7f.1 and 127.1 as addresses too
        if _NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]) or not _NAME.fullmatch(host):
            raise BadInput("url: this is neither a name nor an address of four numbers or in brackets") from None
    else:
        if (reason := refusal(str(address), rules)) is not None:
            raise BadInput(f"url: {reason}")


def refusal(text: str, rules: TargetRules) -> str | None:
    """Why a webhook may not be sent to an address; None where it may."""
    try:
        address = _plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return f"{text[:60]!r} is no address"
    if any(address.version == network.version and address in network for network in rules.allow_networks):
        return None
    if isinstance(address, IPv4Address):
        special = any(address in network for network in _SPECIAL_4)
    else:
        special = address not in _GLOBAL_6 or any(address in network for network in _SPECIAL_6)
    if special:
        return (
            f"{address} is not a public address; if it is meant, allow its network with the setting"
            " webhooks.allow_networks"
        )
    return None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that `::ffff:127.0.0.1` is another spelling of."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped if mapped is not None else address
