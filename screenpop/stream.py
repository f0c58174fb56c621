"""One agent's numbered messages: what is on their screen, what a client that comes back has missed.

A `Stream` keeps two things: the state that a client who saw every message would have (for the snapshot), and
the last few messages (for a resume). Both are bounded; a client that was away for longer gets the snapshot,
which is always right. All tabs of an agent share the stream, so a number means the same message in each.
"""

from collections import deque
from uuid import UUID

import msgspec

from screenpop import messages
from screenpop.messages import (
    AgentState,
    CallChanged,
    CallView,
    Notice,
    Numbered,
    Pop,
    PopAcknowledged,
    PopUpdate,
    PopWithdrawn,
    Resume,
    Snapshot,
    Welcome,
)

MAX_POPS = 16
"""Pops kept for one agent; the oldest goes when there are more."""
KEPT_MESSAGES = 64
KEPT_BYTES = 8 * 1024
"""How much is kept for a resume: the last few calls. Who was away for longer gets the snapshot."""


class Opening(msgspec.Struct, frozen=True):
    """How to greet a client: its session, the welcome, and what it missed."""

    session: str
    welcome: bytes
    missed: tuple[bytes, ...]


class Stream:
    """The messages of one agent. `epoch` names this stream, so that another server's numbers never fit."""

    __slots__ = ("_bytes", "_epoch", "_kept", "_state", "calls", "pops", "seq", "used")

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._kept: deque[bytes] = deque()
        self._bytes = 0
        self._state: AgentState | None = None
        self.seq = 0
        """Number of the last message."""
        self.used = False
        """Whether a client was ever greeted: until then nothing is kept for a resume."""
        self.calls: dict[UUID, CallView] = {}
        self.pops: dict[UUID, tuple[int, Pop]] = {}

    def append(self, message: Numbered, body: bytes | None = None) -> list[bytes]:
        """Number a message and keep it; returns the texts to send, none where the screen shows it already.

        `body` is the encoded message, where somebody encoded it before for others.
        """
        if type(message) is Notice:  # what is broadcast most leaves nothing on the screen
            return [self._number(messages.encode(message) if body is None else body)]
        texts: list[bytes] = []
        match message:
            case Pop(call_id=call_id):
                if call_id in self.pops:
                    return []
                if len(self.pops) >= MAX_POPS:
                    texts += self.append(PopWithdrawn(call_id=next(iter(self.pops)), reason="ended"))
                self.pops[call_id] = (self.seq + 1, message)
            case PopUpdate(call_id=call_id):
                if call_id in self.pops:
                    seq, pop = self.pops[call_id]
                    self.pops[call_id] = (seq, msgspec.structs.replace(pop, match=message.match))
            case PopWithdrawn(call_id=call_id) | PopAcknowledged(call_id=call_id):
                self.pops.pop(call_id, None)
            case CallChanged(call=call):
                if call.state == "ended":
                    self.calls.pop(call.call_id, None)
                else:
                    self.calls[call.call_id] = call
            case AgentState():
                self._state = message
        texts.append(self._number(messages.encode(message) if body is None else body))
        return texts

    def ack(self, seq: int) -> list[bytes]:
        """Note that the person is done with the pop that has this number; returns what to tell all tabs.

        A number that is no shown pop's changes nothing: the pop may have been withdrawn meanwhile.
        """
        for call_id, (shown, _) in self.pops.items():
            if shown == seq:
                return self.append(PopAcknowledged(call_id=call_id))
        return []

    def open(self, tab: str, resume: Resume | None = None) -> Opening:
        """Greet a client: what it missed if that is still kept, else a snapshot under a new session.

        `tab` is a fresh random name for the session of a client that starts anew.
        """
        self.used = True
        first = self.seq - len(self._kept)
        if resume is not None and self.is_ours(resume.session) and first <= resume.seq <= self.seq:
            missed = tuple(
                messages.number(seq, body) for seq, body in enumerate(self._kept, first + 1) if seq > resume.seq
            )
            welcome = Welcome(session=resume.session, seq=resume.seq, resumed=True, snapshot=None)
            return Opening(resume.session, messages.encode(welcome), missed)
        session = f"{self._epoch}.{tab}"
        welcome = Welcome(session=session, seq=self.seq, resumed=False, snapshot=self.snapshot())
        return Opening(session, messages.encode(welcome), ())

    def is_ours(self, session: str) -> bool:
        """Whether a session was given out for this stream."""
        return session.partition(".")[0] == self._epoch

    def snapshot(self) -> Snapshot:
        """What a client that saw every message would show now."""
        return Snapshot(
            agent=self._state,
            calls=tuple(self.calls.values()),
            pops=tuple(msgspec.Raw(messages.number(seq, messages.encode(pop))) for seq, pop in self.pops.values()),
        )

    def _number(self, body: bytes) -> bytes:
        self.seq += 1
        if self.used:
            kept = self._kept
            kept.append(body)
            self._bytes += len(body)
            while len(kept) > KEPT_MESSAGES or self._bytes > KEPT_BYTES:
                self._bytes -= len(kept.popleft())
        return messages.number(self.seq, body)
