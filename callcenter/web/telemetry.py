"""Metrics for Prometheus: pulled from the parts when somebody looks, so that no part pays for being watched."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Readings = Iterable[tuple[tuple[str, ...], float]]
"""A value for each tuple of label values; one with an empty tuple where there are no labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One metric: what it is, and where its values are read. A counter's name does not end in `_total` here."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    read: Callable[[], Readings]


class _Meters(Collector):
    def __init__(self, meters: tuple[Meter, ...]) -> None:
        self._meters = meters

    def describe(self) -> Iterator[Metric]:
        for meter in self._meters:
            yield _family(meter)

    def collect(self) -> Iterator[Metric]:
        for meter in self._meters:
            family = _family(meter)
            for labels, value in meter.read():
                family.add_metric(labels, value)
            yield family


def build_registry(meters: Iterable[Meter]) -> CollectorRegistry:
    """A registry of these metrics, and of nothing else in the process.

    Raises:
        ValueError: two metrics have one name.
    """
    registry = CollectorRegistry(auto_describe=False)
    for meter in meters:
        registry.register(_Meters((meter,)))
    return registry


def one(value: float) -> Readings:
    """The reading of a metric without labels."""
    return (((), value),)


def _family(meter: Meter) -> CounterMetricFamily | GaugeMetricFamily:
    name = f"callcenter_{meter.name}"
    if meter.kind == "counter":
        return CounterMetricFamily(name, meter.help, labels=meter.labels)
    return GaugeMetricFamily(name, meter.help, labels=meter.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the service's metrics are read; each gives its value at this moment."""

    ami_events: Callable[[], Readings]
    """By PBX: events received since the start."""
    ami_connected: Callable[[], Readings]
    """By PBX: 1 while connected and logged in."""
    ami_lag_s: Callable[[], Readings]
    """By PBX: seconds between Asterisk's time of the newest event and its arrival."""
    calls_in_progress: Callable[[], Readings]
    """By PBX."""
    calls_ended: Callable[[], Readings]
    """By PBX and status, since the start."""
    anomalies: Callable[[], Readings]
    """By PBX: events that could not be, since the start."""
    pops: Callable[[], Readings]
    """Screen-pops sent since the start, no labels."""
    screenpop_clients: Callable[[], Readings]
    """WebSockets that are open, no labels."""
    screenpop_dropped: Callable[[], Readings]
    """By reason: WebSockets that were cut off since the start."""
    outbox_waiting: Callable[[], Readings]
    """Things to be delivered that wait, no labels."""


def service_meters(sources: Sources) -> tuple[Meter, ...]:
    """The metrics of the service, by name."""
    pbx = ("pbx",)
    return (
        Meter(
            name="ami_events",
            kind="counter",
            help="Events received from the PBX.",
            labels=pbx,
            read=sources.ami_events,
        ),
        Meter(
            name="ami_connected",
            kind="gauge",
            help="1 while the service is logged in to the PBX.",
            labels=pbx,
            read=sources.ami_connected,
        ),
        Meter(
            name="ami_lag_seconds",
            kind="gauge",
            help="Age of the newest event when it arrived.",
            labels=pbx,
            read=sources.ami_lag_s,
        ),
        Meter(
            name="calls_in_progress",
            kind="gauge",
            help="Calls that have not ended.",
            labels=pbx,
            read=sources.calls_in_progress,
        ),
        Meter(
            name="calls_ended",
            kind="counter",
            help="Calls that have ended, by status.",
            labels=("pbx", "status"),
            read=sources.calls_ended,
        ),
        Meter(
            name="anomalies",
            kind="counter",
            help="Events that contradicted what was known.",
            labels=pbx,
            read=sources.anomalies,
        ),
        Meter(name="pops", kind="counter", help="Screen-pops sent to agents.", read=sources.pops),
        Meter(
            name="screenpop_clients",
            kind="gauge",
            help="Screen-pop connections that are open.",
            read=sources.screenpop_clients,
        ),
        Meter(
            name="screenpop_dropped",
            kind="counter",
            help="Screen-pop connections that were cut off, by reason.",
            labels=("reason",),
            read=sources.screenpop_dropped,
        ),
        Meter(
            name="outbox_waiting",
            kind="gauge",
            help="Deliveries to other systems that wait.",
            read=sources.outbox_waiting,
        ),
    )
