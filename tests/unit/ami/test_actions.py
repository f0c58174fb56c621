"""Actions and their headers."""

from datetime import timedelta

import pytest

from callcenter.ami import actions, wire
from callcenter.ami.actions import Action


def text(action: Action) -> str:
    return wire.encode([("Action", action.name), *action.headers()]).decode()


def test_originate_knows_both_ids_before_the_first_event() -> None:
    action = actions.Originate(
        channel="Local/1001@from-internal",
        context="from-internal",
        exten="02079460123",
        caller_id='"Sales" <02079460000>',
        timeout=timedelta(seconds=25.5),
        channel_id="a-1",
        other_channel_id="a-2",
        variables={"CALL": "1", "NOTE": 'a,b "c" \\'},
    )
    assert text(action) == (
        "Action: Originate\r\nChannel: Local/1001@from-internal\r\nContext: from-internal\r\n"
        "Exten: 02079460123\r\nPriority: 1\r\nTimeout: 25500\r\nAsync: true\r\n"
        'CallerID: "Sales" <02079460000>\r\nChannelId: a-1\r\nOtherChannelId: a-2\r\n'
        'Variable: CALL=1\r\nVariable: NOTE="a,b \\"c\\" \\\\"\r\n\r\n'
    )


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (actions.Ping(), "Action: Ping\r\n\r\n"),
        (actions.QueueStatus(), "Action: QueueStatus\r\n\r\n"),
        (
            actions.QueueStatus(queue="sales", member="PJSIP/1"),
            "Action: QueueStatus\r\nQueue: sales\r\nMember: PJSIP/1\r\n\r\n",
        ),
        (
            actions.QueuePause(interface="PJSIP/1", paused=True, queue="sales", reason="lunch"),
            "Action: QueuePause\r\nInterface: PJSIP/1\r\nPaused: true\r\nQueue: sales\r\nReason: lunch\r\n\r\n",
        ),
        (
            actions.Redirect(channel="a", context="c", exten="1", extra_channel="b"),
            "Action: Redirect\r\nChannel: a\r\nContext: c\r\nExten: 1\r\nPriority: 1\r\n"
            "ExtraChannel: b\r\nExtraContext: c\r\nExtraExten: 1\r\nExtraPriority: 1\r\n\r\n",
        ),
        (actions.Hangup(channel="a"), "Action: Hangup\r\nChannel: a\r\nCause: 16\r\n\r\n"),
    ],
)
def test_headers(action: Action, expected: str) -> None:
    assert text(action) == expected


def test_a_secret_is_never_shown() -> None:
    shown = repr(actions.Login(username="callcenter", key="k3y", secret="s3cret"))
    assert "callcenter" in shown
    assert "s3cret" not in shown
    assert "k3y" not in shown
