"""Metrics are pulled: each is read at the moment somebody asks."""

import pytest
from prometheus_client import generate_latest

from callcenter.web.telemetry import Meter, Readings, Sources, build_registry, one, service_meters


def test_values_are_those_of_the_moment() -> None:
    values = {"pbx-1": 1.0}
    registry = build_registry(
        [
            Meter(
                name="ami_events",
                kind="counter",
                help="Events.",
                labels=("pbx",),
                read=lambda: [((pbx,), value) for pbx, value in values.items()],
            )
        ]
    )
    assert 'callcenter_ami_events_total{pbx="pbx-1"} 1.0' in generate_latest(registry).decode()
    values["pbx-1"] = 5.0
    values["pbx-2"] = 7.0
    text = generate_latest(registry).decode()
    assert 'callcenter_ami_events_total{pbx="pbx-1"} 5.0' in text
    assert 'callcenter_ami_events_total{pbx="pbx-2"} 7.0' in text


def test_one_name_twice_is_refused() -> None:
    meter = Meter(name="pops", kind="gauge", help="Pops.", read=lambda: one(1))
    with pytest.raises(ValueError, match="pops"):
        build_registry([meter, meter])


def test_the_service_s_metrics_have_their_labels() -> None:
    def pbx() -> Readings:
        return [(("pbx",), 1.0)]

    sources = Sources(
        ami_events=pbx,
        ami_connected=pbx,
        ami_lag_s=pbx,
        calls_in_progress=pbx,
        calls_ended=lambda: [(("pbx", "answered"), 2.0)],
        anomalies=pbx,
        pops=lambda: one(3),
        screenpop_clients=lambda: one(4),
        screenpop_dropped=lambda: [(("too_slow",), 5.0)],
        outbox_waiting=lambda: one(6),
    )
    text = generate_latest(build_registry(service_meters(sources))).decode()
    assert 'callcenter_calls_ended_total{pbx="pbx",status="answered"} 2.0' in text
    assert 'callcenter_screenpop_dropped_total{reason="too_slow"} 5.0' in text
    assert "callcenter_outbox_waiting 6.0" in text
    assert "callcenter_screenpop_clients 4.0" in text
