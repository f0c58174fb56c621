"""Every deadline of the screen-pop server, in one place."""

import msgspec


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds each."""

    hello_s: float = 5.0
    """For the HTTP request, and again for the hello with its ticket."""
    heartbeat_s: float = 20.0
    """Between pings; a client from which nothing came for two of them is dead."""
    write_s: float = 10.0
    """For a client to read what was written to it."""
    close_s: float = 3.0
    """For a closing handshake."""
    sweep_s: float = 1.0
    """Between two looks after all connections."""
    patience_s: float = 0.8
    """That a pop waits for its match."""
    lookup_s: float = 10.0
    """For a look-up to answer, if only as an update of the pop."""
    verb_s: float = 15.0
    """For the PBX to take an order of an agent."""
    absent_s: float = 60.0
    """Without a page, after which an agent counts as offline: a reload takes less."""
    forget_s: float = 900.0
    """Without a page, after which unacknowledged pops of calls that are over are dropped."""
