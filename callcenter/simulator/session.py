"""One AMI client of the simulated PBX: its log-in, its rights, its filters. Does no I/O of its own."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator

import msgspec

from callcenter.ami import wire
from callcenter.errors import BadInput
from callcenter.simulator.answers import Answer, Request
from callcenter.simulator.channels import Headers
from callcenter.simulator.desk import Desk

BANNER = b"Asterisk Call Manager/11.0.0\r\n"

CLASSES = frozenset({"system", "call", "agent", "dialplan"})


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user of manager.conf. The rights are those that `asterisk_conf` gives the service."""

    secret: str
    username: str = "callcenter"
    read: frozenset[str] = CLASSES
    write: frozenset[str] = frozenset({"call", "agent", "originate", "reporting"})

    def __repr__(self) -> str:
        return f"Account(username={self.username!r})"


class Session:
    """Reads the actions of one client and writes what it is to see to `write`; `closing` once it should be
    ended.
    """

    def __init__(self, desk: Desk, account: Account, write: Callable[[bytes], None]) -> None:
        self.closing = False
        self._desk = desk
        self._account = account
        self._write = write
        self._decoder = wire.Decoder(max_block=64 * 1024)
        self._challenge = ""
        self._logged_in = False
        self._classes: frozenset[str] = frozenset()
        self._filters: list[re.Pattern[str]] = []

    def receive(self, data: bytes) -> None:
        """Take what was read from the client, and answer it."""
        for block in self._decoder.feed(data):
            if not block.strip():
                continue
            request = {key.lower(): value for key, value in wire.fields(block).items()}
            try:
                for headers in self._answer(request):
                    self._write(wire.encode(headers))
            except BadInput as problem:
                self._write(wire.encode(_error({}, _plain(str(problem)))))
            if self.closing:
                return

    def tell(self, block: bytes, right: str) -> None:
        """Send an event if this client may and wants to see it."""
        if right not in self._classes:
            return
        if self._filters:
            text = block.decode("utf-8", "replace") + "\r\n"
            if not any(pattern.search(text) for pattern in self._filters):
                return
        self._write(block + b"\r\n\r\n")

    def _answer(self, request: Request) -> Answer:
        name = request.get("action", "")
        own = _OWN.get(name.lower())
        if own is not None:
            yield from own(self, request)
            return
        if not self._logged_in:
            yield _error(request, "Permission denied")
            return
        for known, (rights, act) in self._desk.actions.items():
            if known.lower() == name.lower():
                if rights and not self._account.write.intersection(rights):
                    yield _error(request, "Permission denied")
                else:
                    yield from act(request)
                return
        hint = "Use Action: ListCommands to show available commands."
        yield _error(request, f"Invalid/unknown command: {_plain(name)}. {hint}")

    def _challenges(self, request: Request) -> Answer:
        if request.get("authtype", "").lower() != "md5":
            yield _error(request, "Must specify AuthType")
            return
        self._challenge = str(self._desk.pbx.random.randrange(100_000_000, 1_000_000_000))
        yield _reply(request, ("Challenge", self._challenge))

    def _logs_in(self, request: Request) -> Answer:
        if not self._is_genuine(request):
            self.closing = True
            yield _error(request, "Authentication failed")
            return
        self._logged_in = True
        self._listen(request.get("events", "on"))
        yield _reply(request, ("Message", "Authentication accepted"))
        if "system" in self._classes:
            uptime = str(int(self._desk.pbx.now() - self._desk.pbx.booted_at))
            yield [
                ("Event", "FullyBooted"),
                ("Privilege", "system,all"),
                ("Uptime", uptime),
                ("LastReload", uptime),
                ("Status", "Fully Booted"),
            ]

    def _is_genuine(self, request: Request) -> bool:
        account = self._account
        if "key" in request:
            given = request["key"]
            # The algorithm is AMI's own; the challenge keeps an answer from being used again.
            text = f"{self._challenge}{account.secret}".encode()
            expected = hashlib.md5(text, usedforsecurity=False).hexdigest()
            known = bool(self._challenge)
        else:
            given, expected, known = request.get("secret", ""), account.secret, True
        same = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
        return known and same and request.get("username") == account.username

    def _listen(self, mask: str) -> None:
        wanted = {item.strip().lower() for item in mask.split(",")}
        if wanted & {"on", "all", "true", "yes"}:
            self._classes = self._account.read
        else:
            self._classes = self._account.read & wanted

    def _logs_off(self, request: Request) -> Answer:
        self.closing = True
        goodbye: Headers = [("Response", "Goodbye")]
        action_id = [("ActionID", request["actionid"])] if "actionid" in request else []
        yield [*goodbye, *action_id, ("Message", "Thanks for all the fish.")]

    def _pings(self, request: Request) -> Answer:
        if not self._logged_in:
            yield _error(request, "Permission denied")
            return
        yield _reply(request, ("Ping", "Pong"), ("Timestamp", f"{self._desk.pbx.now():.6f}"))

    def _chooses(self, request: Request) -> Answer:
        if not self._logged_in:
            yield _error(request, "Permission denied")
            return
        self._listen(request.get("eventmask", "on"))
        yield _reply(request, ("Events", "On" if self._classes else "Off"))

    def _filtering(self, request: Request) -> Answer:
        if not self._logged_in or "system" not in self._account.write:
            yield _error(request, "Permission denied")
            return
        try:
            # The one class of POSIX that has no counterpart in Python's expressions.
            expression = request.get("filter", "").replace("[[:cntrl:]]", r"[\x00-\x1f]")
            self._filters.append(re.compile(expression, re.DOTALL))
        except re.error:
            yield _error(request, "Filter format error")
            return
        yield _reply(request, ("Message", "Filter added successfully"))

    def _lists(self, request: Request) -> Answer:
        if not self._logged_in:
            yield _error(request, "Permission denied")
            return
        write = self._account.write
        names = [name for name, (rights, _) in self._desk.actions.items() if not rights or write & set(rights)]
        names += ["Challenge", "Events", "ListCommands", "Login", "Logoff", "Ping"]
        if "system" in write:
            names.append("Filter")
        yield _reply(request, *((name, f"{name}.  (Priv: <none>)") for name in sorted(names)))


def _plain(text: str) -> str:
    return "".join(sign for sign in text[:80] if sign.isprintable())


def _reply(request: Request, *headers: tuple[str, str]) -> Headers:
    action_id = [("ActionID", _plain(request["actionid"]))] if "actionid" in request else []
    return [("Response", "Success"), *action_id, *headers]


def _error(request: Request, message: str) -> Headers:
    action_id = [("ActionID", _plain(request["actionid"]))] if "actionid" in request else []
    return [("Response", "Error"), *action_id, ("Message", message)]


_OWN: dict[str, Callable[[Session, Request], Iterator[Headers]]] = {
    "challenge": Session._challenges,
    "login": Session._logs_in,
    "logoff": Session._logs_off,
    "ping": Session._pings,
    "events": Session._chooses,
    "filter": Session._filtering,
    "listcommands": Session._lists,
}
