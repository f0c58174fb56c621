"""Metrics are pulled: each is read at the moment somebody asks."""

import pytest
from prometheus_client import generate_latest

from callcenter.web.telemetry import Meter, build_registry, one


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
