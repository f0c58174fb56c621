"""What a bench measured, as rows of a table."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement: a value in a unit, and how many times `ratio_to` it is."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    ratio_to: str = ""
    budget: str = ""


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
    lines = [f"### {title}", "", "| what | value | ratio | budget |", "| --- | ---: | ---: | --- |"]
    for row in rows:
        ratio = f"{row.ratio:.2f} × {row.ratio_to}" if row.ratio is not None else ""
        lines.append(f"| {row.name} | {row.value:,.1f} {row.unit} | {ratio} | {row.budget} |")
    return "\n".join(lines)
