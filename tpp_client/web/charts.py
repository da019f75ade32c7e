"""The two charts of a month: what came in and went out each day, and the balance at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.look.charts import Chart, Number, Series, area_line, stacked_bars
from tpp_client.web.month import Day, Month, as_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

_MINUS, _SPACE = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"


def month_charts(month: Month, days: Sequence[Day]) -> tuple[Markup, ...]:
    """Return the charts that can be drawn: the balance only where the bank told it of every day."""
    flow = stacked_bars(_flow(month, days))
    return (flow, area_line(_balance(month, days))) if days and all(day.balance for day in days) else (flow,)


def _flow(month: Month, days: Sequence[Day]) -> Chart:
    incoming = tuple(as_decimal(day.incoming) for day in days)
    outgoing = tuple(-as_decimal(day.outgoing) for day in days)
    return Chart(
        identity="flow",
        title=f"In and out, {month.name}",
        description="For each day what came in, above the line, and what went out, below it.",
        buckets=_labels(days),
        bucket_heading="Day",
        series=(
            Series(name="In", css="chart-good", values=incoming),
            Series(name="Out", css="chart-2", values=outgoing),
        ),
        nothing="Nothing was booked in this month.",
        write=_exact,
        write_tick=_round,
    )


def _balance(month: Month, days: Sequence[Day]) -> Chart:
    values = tuple(as_decimal(day.balance) for day in days if day.balance is not None)
    return Chart(
        identity="balance",
        title=f"Balance at the end of each day, {month.name}",
        description="The booked balance of the account, day by day.",
        buckets=_labels(days),
        bucket_heading="Day",
        series=(Series(name="Balance", css="chart-1", values=values),),
        write=_exact,
        write_tick=_round,
    )


def _labels(days: Sequence[Day]) -> tuple[str, ...]:
    return tuple(f"{day.date.day} {day.date:%b}" for day in days)


def _exact(value: Number) -> str:
    return f"{value:,.2f}".replace(",", _SPACE).replace("-", _MINUS)


def _round(value: Number) -> str:
    return f"{value:,.0f}".replace(",", _SPACE).replace("-", _MINUS)
