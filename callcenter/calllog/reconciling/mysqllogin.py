"""A connection to MariaDB that tells nobody the password who only asks for it.

The driver sends a password as it is to a server that asks for that, and goes on in clear where TLS was wanted and the
server has none. Who stands between the two could have either.
"""

import ssl
from typing import Any, Final

import aiomysql
from aiomysql.connection import CLIENT

SCRAMBLED: Final = frozenset({"", "mysql_native_password"})
"""Ways to log in that show who listens nothing of use; without a name it is the first one."""
UNDER_TLS: Final = SCRAMBLED | {"caching_sha2_password", "sha256_password"}
"""Ways that are good once it is certain who the server is: they encrypt with a key that it names itself."""


class GuardedConnection(aiomysql.Connection):  # type: ignore[misc]
    """A connection that logs in by safe ways only, and under TLS where a context was given."""

    async def _request_authentication(self) -> None:
        if self._ssl_context and not self.server_capabilities & CLIENT.SSL:
            raise aiomysql.OperationalError("it offers no TLS, which ?ssl=true asks for")
        if not self.server_capabilities & CLIENT.PLUGIN_AUTH:
            raise aiomysql.OperationalError("it is too old to log in safely")
        self._refuse_unsafe(self._server_auth_plugin)
        await super()._request_authentication()

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        self._refuse_unsafe(plugin_name.decode("ascii", "replace"))
        return await super()._process_auth(plugin_name, auth_packet)

    def _refuse_unsafe(self, plugin: str) -> None:
        if plugin in (UNDER_TLS if self._ssl_context else SCRAMBLED):
            return
        raise aiomysql.OperationalError(
            f"it asks for the password by {plugin[:40]!r}, which could give it away:"
            " let the user log in by mysql_native_password, or encrypt with ?ssl=true by caching_sha2_password"
        )


async def connect(**options: Any) -> GuardedConnection:
    """An open connection; takes what `aiomysql.connect` takes."""
    connection = GuardedConnection(**options)
    await connection._connect()
    return connection


def trust(authority: str | None) -> ssl.SSLContext:
    """What checks the server's certificate and name: the system's authorities, or those of a PEM file.

    Raises:
        OSError: the file cannot be read, or has no certificate.
    """
    return ssl.create_default_context(cafile=authority)
