"""Every exception that this project raises on purpose.

    CallCenterError
    ├── BadInput                 something from outside does not parse; says what to do
    │   ├── ProtocolError        AMI bytes or messages that break the protocol
    │   ├── BadNumber            text that is no phone number
    │   ├── BadFile              an import file that cannot be read
    │   └── Malformed            a request that does not have the declared shape; lists the faults
    ├── NotFound                 no such thing, or not this tenant's
    ├── Conflict                 the thing changed meanwhile, or exists already
    ├── KeyReused                an Idempotency-Key came with another request than before
    ├── Forbidden                the person may not do this
    ├── Unauthenticated          nobody is logged in, or the ticket is used up
    ├── TooMany                  too many attempts or too much at once; says when to try again
    ├── SettingsError            the configuration is wrong; names the key and the mend
    ├── DatabaseError            PostgreSQL cannot be reached or has the wrong schema
    ├── ClaimLost                another process follows a PBX that this one followed
    └── AmiError                 the PBX cannot be used
        ├── AmiUnreachable       no connection, or it was lost
        ├── AmiLoginFailed       the PBX refused user and secret
        ├── AmiMissingRight      the AMI user lacks a right; names it
        ├── AmiActionFailed      Asterisk answered Response: Error
        └── AmiTimeout           Asterisk did not answer in time

Each carries its own sentence, written for the person who can mend it.
"""

from datetime import timedelta


class CallCenterError(Exception):
    """Root of all errors of this project."""


class BadInput(CallCenterError):
    """Something that came from outside does not parse."""


class ProtocolError(BadInput):
    """AMI bytes or messages break the protocol."""


class BadNumber(BadInput):
    """A text is not a phone number."""


class BadFile(BadInput):
    """An import file cannot be read."""


class Malformed(BadInput):
    """A request does not have the declared shape; `faults` are pairs of a path and a sentence."""

    def __init__(self, message: str, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.faults = faults


class NotFound(CallCenterError):
    """The thing does not exist, or belongs to another tenant."""


class Conflict(CallCenterError):
    """The thing changed meanwhile, or exists already."""


class KeyReused(CallCenterError):
    """An Idempotency-Key came with another request than before."""


class Forbidden(CallCenterError):
    """The person is known and may not do this."""


class Unauthenticated(CallCenterError):
    """Nobody is logged in, or the ticket or key is not valid."""


class TooMany(CallCenterError):
    """Too many attempts, or too much at once; `retry_after` says how long to wait."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SettingsError(CallCenterError):
    """The configuration is wrong."""


class DatabaseError(CallCenterError):
    """PostgreSQL cannot be reached or has the wrong schema."""


class ClaimLost(CallCenterError):
    """Another process took a right while PostgreSQL did not know us: both must not work."""


class AmiError(CallCenterError):
    """The PBX cannot be used."""


class AmiUnreachable(AmiError):
    """There is no connection to the PBX, or it was lost."""


class AmiLoginFailed(AmiError):
    """The PBX refused the AMI user and secret."""


class AmiMissingRight(AmiError):
    """The AMI user lacks a right that the service needs."""


class AmiActionFailed(AmiError):
    """Asterisk answered an action with an error."""


class AmiTimeout(AmiError):
    """Asterisk did not answer an action within its deadline."""
