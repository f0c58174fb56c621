"""What /metrics says about the screen-pops."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 5.0)


class Telemetry:
    """The counters of one server, in the registry that the service shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.latency = Histogram(
            "callcenter_pop_seconds",
            "From the arrival of the ringing event to the pop handed to the agent's socket.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.clients = Gauge("callcenter_screenpop_clients", "Pages connected.", registry=registry)
        self.agents = Gauge("callcenter_screenpop_agents", "Agents who are present.", registry=registry)
        self.refused = Counter(
            "callcenter_screenpop_refused", "Connections refused or cut off, by reason.", ["reason"], registry=registry
        )
        self.lookups = Counter(
            "callcenter_screenpop_lookups", "Look-ups of callers, by outcome.", ["outcome"], registry=registry
        )
