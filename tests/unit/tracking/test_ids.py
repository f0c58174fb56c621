"""Names of calls and channels."""

import pytest

from callcenter.tracking import ids


@pytest.mark.parametrize(
    ("channel", "interface", "resource"),
    [
        ("PJSIP/1001-0000002a", "PJSIP/1001", "1001"),
        ("PJSIP/acme-trunk-0000002a", "PJSIP/acme-trunk", "acme-trunk"),
        ("Local/200@from-queue-00000007;1", "Local/200@from-queue", "200"),
        ("Local/200@from-queue-00000007;2", "Local/200@from-queue", "200"),
        ("DAHDI/i1/02079460000-5", "DAHDI/i1/02079460000", "i1/02079460000"),
        ("PJSIP/1001", "PJSIP/1001", "1001"),
        ("nonsense", "nonsense", ""),
        ("", "", ""),
    ],
)
def test_interface_is_the_channel_without_its_serial(channel: str, interface: str, resource: str) -> None:
    assert ids.interface(channel) == interface
    assert ids.resource(interface) == resource


def test_a_call_has_the_same_id_at_each_replay_and_another_on_each_pbx() -> None:
    assert ids.call_id("pbx", "1795440551.0") == ids.call_id("pbx", "1795440551.0")
    assert ids.call_id("pbx", "1795440551.0") != ids.call_id("other", "1795440551.0")
    assert ids.call_id("pbx", "1.2") != ids.call_id("pbx", "1.20")
    # The namespace is for ever: this id is in customers' databases.
    assert str(ids.call_id("pbx", "1795440551.0")) == "eee221ed-7eca-5295-847e-74cc3598db98"
