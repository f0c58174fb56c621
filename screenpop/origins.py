"""Which web pages may open a screen-pop connection: the check of the `Origin` header."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit


class Origins:
    """The allowed origins.

    Args:
        allowed: origins such as `https://calls.example.com`.
        page_port: where no public URL is configured, tells the port of the pages: a page from the very host that
            the connection is made to is then allowed, under whatever name people reach it.
    """

    def __init__(self, allowed: Iterable[str], page_port: Callable[[], int] | None = None) -> None:
        self._allowed = frozenset(origin(url) for url in allowed)
        self._page_port = page_port

    def refusal(self, origins: Sequence[str], host: str | None) -> str | None:
        """Say why a request with these `Origin` headers and this `Host` is refused; None if it is not.

        Without the header it is no browser that asks, so no page can abuse it: the ticket decides.
        """
        if not origins:
            return None
        if len(origins) == 1 and (origins[0].lower() in self._allowed or self._is_page(origins[0], host)):
            return None
        return (
            "This page may not connect to the screen-pop server: its origin is not allowed. "
            "The administrator can add it to screenpop.allowed_origins, or set web.public_url.\n"
        )

    def _is_page(self, text: str, host: str | None) -> bool:
        if self._page_port is None or not host:
            return False
        try:
            page, server = urlsplit(text), urlsplit(f"//{host}")
            port = page.port or {"http": 80, "https": 443}.get(page.scheme)
            return page.hostname == server.hostname and port == self._page_port()
        except ValueError:
            return False


def origin(url: str) -> str:
    """The origin of a URL, as browsers write it: lower case, without path and default port."""
    parts = urlsplit(url.lower())
    host = parts.netloc.rpartition("@")[2]
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{host.removesuffix(default) if default else host}"
