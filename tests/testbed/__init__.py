"""A real Asterisk with SIPp phones and a SIPp trunk, for tests that must see what Asterisk truly does."""

from tests.testbed.ami import AmiLink, Block
from tests.testbed.asterisk import Asterisk, Unavailable, find_chroot
from tests.testbed.pbx import Pbx
from tests.testbed.phones import Phone
from tests.testbed.records import CdrRow, CelRow, QueueLogRow
from tests.testbed.sipp import Sipp, SippFailed, SippRun
from tests.testbed.trunk import Trunk

__all__ = [
    "AmiLink",
    "Asterisk",
    "Block",
    "CdrRow",
    "CelRow",
    "Pbx",
    "Phone",
    "QueueLogRow",
    "Sipp",
    "SippFailed",
    "SippRun",
    "Trunk",
    "Unavailable",
    "find_chroot",
]
