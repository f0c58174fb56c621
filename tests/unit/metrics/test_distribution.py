"""Buckets, percentiles and rates."""

from datetime import timedelta

import pytest

from callcenter.metrics import ratios
from callcenter.metrics.distribution import BUCKETS, EDGES_S, Percentile, bucket_of, percentile, within
from callcenter.metrics.service_level import Tally


@pytest.mark.parametrize(("seconds", "bucket"), [(0, 0), (5, 0), (5.001, 1), (20, 3), (2_400, 13), (90_000, 14)])
def test_an_edge_is_part_of_the_bucket_below_it(seconds: float, bucket: int) -> None:
    assert bucket_of(timedelta(seconds=seconds)) == bucket


def test_what_took_at_most_so_long_is_known_at_the_edges() -> None:
    counts = [1] * BUCKETS
    assert [within(counts, edge) for edge in EDGES_S] == list(range(1, BUCKETS))
    with pytest.raises(ValueError, match="not in tuple"):
        within(counts, 25)


def test_a_percentile_is_told_with_the_bucket_that_it_lies_in() -> None:
    counts = [0] * BUCKETS
    assert percentile(counts, 0.5) is None
    counts[0], counts[3], counts[-1] = 1, 8, 1
    assert percentile(counts, 0.0) == Percentile(0, 5)
    assert percentile(counts, 0.5) == Percentile(15, 20)
    assert percentile(counts, 0.9) == Percentile(15, 20)
    assert percentile(counts, 1.0) == Percentile(2_400, None)


def test_rates_know_their_parts_and_divide_by_nothing_never() -> None:
    tally = Tally(offered=10, answered=6, abandoned=4, short_abandons=2)
    assert ratios.abandon_rate(tally) == ratios.Ratio(2, 8)
    assert ratios.abandon_rate(tally).value == 0.25
    assert ratios.asa(timedelta(seconds=30), 6).value == 5
    assert ratios.aht(timedelta(minutes=5), 0).value is None
    assert ratios.occupancy(timedelta(minutes=30), timedelta(hours=1)).value == 0.5
