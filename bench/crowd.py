"""A crowd of pages for the benches: plain sockets in a process of their own, upgraded by hand, always read.

Run by the benches as `python bench/crowd.py PORT COUNT {raw,bare,hello} [FILE]`; says `ready` when all are connected,
and leaves at the end of its input. FILE has the first message of each page in a line.
"""

import base64
import os
import selectors
import socket
import struct
import sys
from pathlib import Path

BROWSER = (
    "GET /screenpop HTTP/1.1\r\nHost: calls.example.com\r\nConnection: Upgrade\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nOrigin: https://calls.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"
    "Cookie: callcenter_session=0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


def frame(payload: bytes) -> bytes:
    """A masked text frame (the mask is zero)."""
    return struct.pack("!BB", 0x81, 0x80 | len(payload)) + bytes(4) + payload


def connect(port: int, kind: str, hello: bytes) -> socket.socket:
    """One page: `raw` is a bare socket, `bare` a WebSocket, `hello` one that also logs in."""
    page = socket.create_connection(("127.0.0.1", port))
    if kind == "raw":
        return page
    page.sendall(BROWSER.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += page.recv(4096)
    if b" 101 " not in answer:
        raise SystemExit(f"no upgrade: {answer[:200]!r}")
    if kind == "hello":
        page.sendall(frame(hello))
        if b"welcome" not in page.recv(4096):
            raise SystemExit("no welcome")
    return page


def main() -> None:
    """Connect, say so, and read everything until the input ends."""
    port, count, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    selector = selectors.DefaultSelector()
    hellos = [b'{"type":"hello","ticket":"agent%d"}' % number for number in range(count)]
    if len(sys.argv) > 4:
        hellos = Path(sys.argv[4]).read_bytes().splitlines()[:count]
    pages = [connect(port, kind, hello) for hello in hellos]
    for page in pages:
        page.setblocking(False)
        selector.register(page, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    buffer = bytearray(1 << 18)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv_into(buffer):
                selector.unregister(key.fileobj)


if __name__ == "__main__":
    main()
