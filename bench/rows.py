"""What a bench measured, as rows of a table."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement: a value in a unit, and how many times `ratio_to` it is.

    `budget` is `≤ 1.5` or `≥ 5`; it bounds the ratio, or where there is none, the value.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    ratio_to: str = ""
    budget: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if not self.budget:
            return None
        kind, bound = self.budget.split()
        measured = self.value if self.ratio is None else self.ratio
        return measured <= float(bound) if kind == "≤" else measured >= float(bound)

    def cells(self) -> tuple[str, str, str, str]:
        """Name, value, ratio and budget as people read them."""
        value = f"{self.value:,.0f}" if abs(self.value) >= 1000 else f"{self.value:,.2f}"
        ratio = f"{self.ratio:,.2f} × {self.ratio_to}" if self.ratio is not None else ""
        verdict = {None: "", True: " ✓", False: " ✗"}[self.met]
        return self.name, f"{value} {self.unit}".strip(), ratio, f"{self.budget}{verdict}"


def against(rows: Iterable[tuple[str, float, str]], limit: str, unit: str) -> list[Row]:
    """Rows from (name, value, budget), each as a ratio to the one called `limit`."""
    measured = list(rows)
    base = next(value for name, value, _ in measured if name == limit)
    return [
        Row(name=name, value=value, unit=unit, ratio=value / base, ratio_to=limit, budget=budget)
        for name, value, budget in measured
    ]


def table(title: str, rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [f"## {title}", "", "| what | value | ratio | budget |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {' | '.join(row.cells())} |" for row in rows]
    return "\n".join(lines)


def quantile_rows(what: str, took: Mapping[str, Sequence[float]]) -> list[Row]:
    """Median and 99th percentile of each way's milliseconds, each against that of the way `bare`."""
    rows: list[Row] = []
    for quantile, place in (("p50", 50), ("p99", 99)):
        found = {way: statistics.quantiles(each, n=100)[place - 1] for way, each in took.items()}
        rows += [
            Row(
                name=f"{what}, {way}, {quantile}",
                value=value,
                unit="ms",
                ratio=value / found["bare"],
                ratio_to="bare",
            )
            for way, value in found.items()
        ]
    return rows
