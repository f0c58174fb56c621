"""Which pages may connect."""

import pytest

from screenpop.origins import Origins, origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Calls.Example.com/", "https://calls.example.com"),
        ("https://calls.example.com:443/app?x=1", "https://calls.example.com"),
        ("http://calls.example.com:80", "http://calls.example.com"),
        ("http://calls.example.com:443", "http://calls.example.com:443"),
        ("https://user:pw@calls.example.com:8443", "https://calls.example.com:8443"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_the_origin_of_a_url(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([], True),
        (["https://calls.example.com"], True),
        (["HTTPS://CALLS.EXAMPLE.COM"], True),
        (["http://calls.example.com"], False),
        (["https://calls.example.com.evil.example"], False),
        (["https://calls.example.com", "https://evil.example"], False),
        (["null"], False),
        ([""], False),
    ],
)
def test_a_public_url_allows_itself_only(headers: list[str], allowed: bool) -> None:
    refusal = Origins(["https://calls.example.com/desk"]).refusal(headers, "calls.example.com")
    assert (refusal is None) is allowed
    assert allowed or (refusal is not None and "screenpop.allowed_origins" in refusal)


@pytest.mark.parametrize(
    ("page", "host", "allowed"),
    [
        ("http://192.0.2.7:8080", "192.0.2.7:8081", True),
        ("http://localhost:8080", "localhost:8081", True),
        ("http://[::1]:8080", "[::1]:8081", True),
        ("http://localhost:9090", "localhost:8081", False),
        ("http://localhost", "localhost:8081", False),
        ("http://evil.example:8080", "localhost:8081", False),
        ("http://localhost:8080", None, False),
        ("http://localhost:99999", "localhost:8081", False),
        ("http://[broken", "localhost:8081", False),
    ],
)
def test_without_a_public_url_the_pages_of_the_same_host_are_allowed(
    page: str, host: str | None, allowed: bool
) -> None:
    assert (Origins([], page_port=lambda: 8080).refusal([page], host) is None) is allowed
