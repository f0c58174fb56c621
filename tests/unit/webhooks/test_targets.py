"""Where a webhook may go: URLs and addresses."""

from ipaddress import ip_network

import pytest

from callcenter.errors import BadInput
from crm_bridge.webhooks.targets import check_url, refusal
from crm_bridge.webhooks.values import TargetRules

STRICT = TargetRules()


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/calls",
        "https://crm.example.com:8443/calls?tenant=1",
        "https://xn--bcher-kva.example/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/calls",
        "https://a_b.example.com./",
    ],
)
def test_public_https_is_allowed(url: str) -> None:
    check_url(url, STRICT)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://crm.example.com/", "https is needed"),
        ("ftp://crm.example.com/", "must look like"),
        ("//crm.example.com/", "must look like"),
        ("https:///calls", "must look like"),
        ("crm.example.com", "must look like"),
        ("https://user:secret@crm.example.com/", "user and password"),
        ("https://@crm.example.com/", "user and password"),
        ("https://crm.example.com/#top", "begins with #"),
        ("https://crm.example.com:22/", "port 22"),
        ("https://crm.example.com:0/", "port 0"),
        ("https://crm.example.com:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://crm example.com/", "plain characters"),
        ("https://crm.example.com/\n", "plain characters"),
        ("https://crm.example.com\\@127.0.0.1/", "plain characters"),
        ("https://bücher.example/", "plain characters"),
        ("https://１２７.0.0.1/", "plain characters"),
        ("https://127.0.0.1/", "not a public address"),
        ("https://10.1.2.3/", "not a public address"),
        ("https://169.254.169.254/latest/meta-data", "not a public address"),
        ("https://[::1]/", "not a public address"),
        ("https://[::ffff:10.0.0.1]/", "not a public address"),
        ("https://[fe80::1%25eth0]/", "neither a name nor an address|not a public address"),
        ("https://2130706433/", "neither a name nor an address"),
        ("https://0x7f.0x0.0x0.0x1/", "neither a name nor an address"),
        ("https://0x7f000001/", "neither a name nor an address"),
        ("https://0177.0.0.01/", "neither a name nor an address"),
        ("https://127.1/", "neither a name nor an address"),
        ("https://127.0.0.1./", "neither a name nor an address"),
        ("https://crm..example.com/", "neither a name nor an address"),
        ("https://crm.example.com/" + "x" * 2000, "2000 characters"),
    ],
)
def test_everything_else_is_refused_with_what_to_change(url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        check_url(url, STRICT)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.255"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1"),
        *("203.0.113.5", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:a00:1", "::127.0.0.1", "64:ff9b::7f00:1", "100::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "ff02::1", "ff0e::1", "2001::1", "2001:db8::1"),
        *("2002:7f00:1::", "3fff::1", "nonsense", ""),
    ],
)
def test_special_addresses_are_refused(address: str) -> None:
    assert refusal(address, STRICT) is not None


@pytest.mark.parametrize("address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert refusal(address, STRICT) is None


def test_a_network_that_is_allowed_is_allowed_in_every_spelling() -> None:
    rules = TargetRules(allow_networks=(ip_network("10.20.0.0/16"), ip_network("fd00::/8")))
    assert refusal("10.20.3.4", rules) is None
    assert refusal("::ffff:10.20.3.4", rules) is None
    assert refusal("fd00::1", rules) is None
    assert refusal("10.21.0.1", rules) is not None
    assert refusal("127.0.0.1", rules) is not None


def test_http_and_ports_are_allowed_by_setting() -> None:
    check_url("http://crm.example.com:9000/", TargetRules(allow_http=True, ports=frozenset({9000})))
    with pytest.raises(BadInput, match="port 80"):
        check_url("http://crm.example.com/", TargetRules(allow_http=True, ports=frozenset({9000})))
