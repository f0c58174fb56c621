"""Free ports on loopback, for servers that must be told their port before they start."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
_UDP_TABLE = Path("/proc/net/udp")


def free_tcp_port(host: str = LOOPBACK) -> int:
    """Return a TCP port of ``host`` that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_udp_port(host: str = LOOPBACK) -> int:
    """Return a UDP port of ``host`` that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_rtp_range(size: int = 200) -> tuple[int, int]:
    """Return the first and last port of an even-numbered stretch of free UDP ports, below those that the kernel gives
    out.
    """
    for _ in range(100):
        first = random.randrange(12000, 32000 - size, size)
        if all(_is_free(port) for port in range(first, first + size, 20)):
            return first, first + size - 1
    raise OSError("found no free range of UDP ports for RTP")


def udp_port_is_bound(host: str, port: int) -> bool:
    """Tell whether a process of this machine receives UDP at this address."""
    octets = [int(part) for part in host.split(".")]
    address = "".join(f"{octet:02X}" for octet in reversed(octets)) + f":{port:04X}"
    return any(line.split()[1] == address for line in _UDP_TABLE.read_text().splitlines()[1:])


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
