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
