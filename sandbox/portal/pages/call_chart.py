"""The chart of calls and refusals over time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from chassis.look.charts import Chart, Series, stacked_bars
from sandbox.calls.model import Outcome

if TYPE_CHECKING:
    from markupsafe import Markup

    from sandbox.calls.model import Bucket, Span, Summary

_SERIES: Final[tuple[tuple[Outcome, str, str], ...]] = (
    (Outcome.ADMITTED, "answered", "chart-good"),
    (Outcome.REFUSED, "refused", "chart-bad"),
    (Outcome.FAILED, "failed", "chart-warn"),
    (Outcome.ABORTED, "broken off", "chart-quiet"),
)
_DAY_SECONDS: Final = 86_400


def chart_of(summary: Summary) -> Markup:
    """Draw a summary, with the outcomes that occur."""
    shown = [each for each in _SERIES if each[0] in {Outcome.ADMITTED, Outcome.REFUSED} or summary.total(each[0])]
    series = tuple(
        Series(name=name, css=css, values=tuple(bucket.counts[outcome] for bucket in summary.buckets))
        for outcome, name, css in shown
    )
    return stacked_bars(
        Chart(
            identity="calls",
            title=f"Calls in {summary.span.words}",
            description=described(summary),
            buckets=tuple(_label(bucket, summary.span) for bucket in summary.buckets),
            series=series,
            bucket_heading="From (UTC)",
            nothing=f"No calls in {summary.span.words}.",
            whole=True,
        )
    )


def described(summary: Summary) -> str:
    """Say what the chart shows, in sentences."""
    refused, failed = summary.total(Outcome.REFUSED), summary.total(Outcome.FAILED)
    counted = f"{summary.all} calls in {summary.span.words}, {refused} refused, {failed} failed."
    most = f" Most often: {summary.causes[0].text}" if summary.causes else ""
    return counted + most


def _label(bucket: Bucket, span: Span) -> str:
    at = datetime.fromtimestamp(bucket.at, UTC)
    return f"{at:%a %H:%M}" if span.seconds > _DAY_SECONDS else f"{at:%H:%M}"
