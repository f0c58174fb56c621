"""AMI actions that hand a call on, park it, and find it again. Pure; the others are in `actions`."""

from callcenter.ami.actions import Action, Headers


class BlindTransfer(Action, frozen=True):
    """Hand whoever talks with this channel on to another place in the dialplan; the channel itself is hung up."""

    name = "BlindTransfer"
    rights = ("call",)
    channel: str
    context: str
    exten: str

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Context", self.context
        yield "Exten", self.exten


class Atxfer(Action, frozen=True):
    """Have a channel call somebody else while whoever it talks with hears music: an attended transfer.

    Asterisk plays the code `atxfer` of features.conf into the call. Where the call's Dial or Queue lacks the option `t`
    or `T` it answers Success, and nothing happens.
    """

    name = "Atxfer"
    rights = ("call",)
    channel: str
    context: str
    exten: str

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Context", self.context
        yield "Exten", self.exten


class CancelAtxfer(Action, frozen=True):
    """Give an attended transfer up: back to whoever waits."""

    name = "CancelAtxfer"
    rights = ("call",)
    channel: str

    def headers(self) -> Headers:
        yield "Channel", self.channel


class Park(Action, frozen=True):
    """Park a channel. `timeout_channel` is who is rung when nobody fetches it; whom it talked with is hung up."""

    name = "Park"
    rights = ("call",)
    channel: str
    timeout_channel: str

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "TimeoutChannel", self.timeout_channel


class ParkedCalls(Action, frozen=True):
    """List the channels that are parked."""

    name = "ParkedCalls"
    rights = ("call",)
    is_list = True
