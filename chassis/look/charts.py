"""Charts as server-side SVG: stacked bars over time, and a line with its area. No script, no inline style.

Places along the time axis are percentages and text has its own size, so a chart is legible at any width. Colours come
from `charts.css` by class. Each chart has a title, a description and the same values in a table.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from markupsafe import Markup

from chassis.look.axes import CHARACTER_PIXELS, Scale, scale_over, shown_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_BUCKETS = 400
HEIGHT = 220
_TOP, _BOTTOM, _LABELS = 8.0, 192.0, 212
_BAR_SHARE = 0.72
_LAST_PERCENT = 92.0
# What is filled into these is escaped, unless it is markup of our own.
_FIGURE = Markup('<figure class="chart"><figcaption class="chart-caption">{}</figcaption>{}{}{}</figure>')
_FRAME = Markup('<div class="chart-frame">{}{}</div>')
_AXIS = Markup('<svg class="chart-axis" aria-hidden="true" width="{:.0f}" height="{}">{}</svg>')
_DRAWING = Markup(
    '<svg class="chart-drawing" role="img" aria-labelledby="{0}-title {0}-description" width="100%" height="{1}">'
    '<title id="{0}-title">{2}</title><desc id="{0}-description">{3}</desc>{4}{5}{6}</svg>'
)
_STRETCHED = Markup('<svg x="0" y="0" width="100%" height="{}" viewBox="0 0 100 {}" preserveAspectRatio="none">{}{}</svg>')
_PIECE = Markup('<rect class="chart-bar {}" x="{:.3f}%" y="{:.1f}" width="{:.3f}%" height="{:.1f}"><title>{}</title></rect>')
_LEGEND_ROW = Markup(
    '<li><svg class="chart-key" width="12" height="12" aria-hidden="true">'
    '<rect class="chart-bar {}" width="12" height="12"/></svg>{}</li>'
)
_TABLE = Markup(
    '<details class="chart-data"><summary>The same as a table</summary>'
    '<div class="chart-scroll" role="region" tabindex="0" aria-label="{0}"><table><caption>{0}</caption>'
    '<thead><tr><th scope="col">{1}</th>{2}</tr></thead><tbody>{3}</tbody></table></div></details>'
)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")

Number: TypeAlias = float | Decimal


def as_number(value: Number) -> str:
    """Write a value for people: whole numbers without a point, thousands apart."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of values, one for each bucket; `css` is the class that colours it, such as `chart-good`."""

    name: str
    css: str
    values: tuple[Number, ...]

    def __post_init__(self) -> None:
        """Refuse a class that is none, and values that can't be drawn."""
        _require_name(self.css)
        if not all(math.isfinite(value) for value in self.values):
            msg = f"series {self.name!r} holds a value that is not finite"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn. `identity` is unique in its page; `buckets` are the labels of the time axis, oldest first.

    `write` puts a value into words (table, tooltips), `write_tick` does so at the axis; `whole` is for counts.
    """

    identity: str
    title: str
    description: str
    buckets: tuple[str, ...]
    series: tuple[Series, ...]
    bucket_heading: str = "Time"
    nothing: str = "Nothing to show yet."
    write: Callable[[Number], str] = as_number
    write_tick: Callable[[Number], str] | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        """Refuse what would draw nonsense: too much, or rows of different lengths."""
        _require_name(self.identity)
        if len(self.buckets) > MOST_BUCKETS:
            msg = f"a chart of {len(self.buckets)} buckets is not legible: at most {MOST_BUCKETS}"
            raise ValueError(msg)
        for series in self.series:
            if len(series.values) != len(self.buckets):
                msg = f"series {series.name!r} has {len(series.values)} values for {len(self.buckets)} buckets"
                raise ValueError(msg)


def stacked_bars(chart: Chart) -> Markup:
    """Draw one bar for each bucket, the series on top of each other; values below zero hang below the axis.

    A chart whose values are all zero is as empty as one without buckets: it says `nothing`.
    """
    if not any(value for series in chart.series for value in series.values):
        return _empty(chart)
    rows = list(zip(*(series.values for series in chart.series), strict=True))
    lowest = min(sum(float(value) for value in row if value < 0) for row in rows)
    highest = max(sum(float(value) for value in row if value > 0) for row in rows)
    scale = scale_over(lowest, highest, top=_TOP, bottom=_BOTTOM, whole=chart.whole)
    bars = (_bar(chart, scale, index, row) for index, row in enumerate(rows))
    return _figure(chart, _framed(chart, scale, Markup("").join(bars)))


def area_line(chart: Chart) -> Markup:
    """Draw each series as a line from bucket to bucket, the first with its area down to zero."""
    if not chart.buckets or not chart.series:
        return _empty(chart)
    values = [float(value) for series in chart.series for value in series.values]
    scale = scale_over(min(values), max(values), top=_TOP, bottom=_BOTTOM, whole=chart.whole)
    lines = (_line(series, scale, with_area=index == 0) for index, series in enumerate(chart.series))
    points = (_points(chart, series, scale) for series in chart.series)
    return _figure(chart, _framed(chart, scale, Markup("").join([*lines, *points])))


def _bar(chart: Chart, scale: Scale, index: int, row: Sequence[Number]) -> Markup:
    width = 100 / len(chart.buckets)
    x, above, below = width * (index + (1 - _BAR_SHARE) / 2), 0.0, 0.0
    pieces = []
    for series, value in zip(chart.series, row, strict=True):
        start = above if value > 0 else below
        end = start + float(value)
        above, below = (end, below) if value > 0 else (above, end)
        if value:
            said = f"{chart.buckets[index]}, {series.name}: {chart.write(value)}"
            top, bottom = scale.height(max(start, end)), scale.height(min(start, end))
            # Never thinner than a pixel: one refusal among thousands of calls is what the reader looks for.
            pieces.append(_PIECE.format(series.css, x, top, width * _BAR_SHARE, max(bottom - top, 1.0), said))
    return Markup("").join(pieces)


def _line(series: Series, scale: Scale, *, with_area: bool) -> Markup:
    """Return the line in a drawing of its own, which stretches while the width of the stroke stays (charts.css)."""
    places = _places(len(series.values))
    path = "M" + "L".join(f"{x:.2f} {scale.height(float(y)):.1f}" for x, y in zip(places, series.values, strict=True))
    zero = scale.height(0.0)
    area = Markup('<path class="chart-area {}" d="{}"/>').format(
        series.css, f"{path}L{places[-1]:.2f} {zero:.1f}L{places[0]:.2f} {zero:.1f}Z"
    )
    line = Markup('<path class="chart-line {}" d="{}"/>').format(series.css, path)
    return _STRETCHED.format(HEIGHT, HEIGHT, area if with_area else "", line)


def _points(chart: Chart, series: Series, scale: Scale) -> Markup:
    """Return a spot for each value, to be pointed at; a single value is seen by its spot alone."""
    drawn = Markup('<circle class="chart-point {}" cx="{:.3f}%" cy="{:.1f}" r="{}"><title>{}</title></circle>')
    radius = 3 if len(series.values) == 1 else 2
    spots = zip(chart.buckets, _places(len(series.values)), series.values, strict=True)
    return Markup("").join(
        drawn.format(series.css, x, scale.height(float(value)), radius, f"{bucket}, {series.name}: {chart.write(value)}")
        for bucket, x, value in spots
    )


def _places(count: int) -> list[float]:
    return [(index + 0.5) * 100 / count for index in range(count)]


def _framed(chart: Chart, scale: Scale, drawing: Markup) -> Markup:
    """Return the axis and, beside it, the drawing, which takes whatever width is left."""
    labels = _time_labels(chart.buckets)
    image = _DRAWING.format(chart.identity, HEIGHT, chart.title, chart.description, _grid(scale), drawing, labels)
    return _FRAME.format(_axis(chart, scale), image)


def _axis(chart: Chart, scale: Scale) -> Markup:
    write = chart.write_tick or chart.write
    words = [(write(tick), scale.height(tick) + 4) for tick in scale.ticks]
    width = max(len(word) for word, _ in words) * CHARACTER_PIXELS
    drawn = Markup('<text class="chart-tick" x="{:.0f}" y="{:.1f}" text-anchor="end">{}</text>')
    return _AXIS.format(width, HEIGHT, Markup("").join(drawn.format(width, y, word) for word, y in words))


def _grid(scale: Scale) -> Markup:
    drawn = Markup('<line class="chart-grid{}" x1="0" x2="100%" y1="{:.1f}" y2="{:.1f}"/>')
    heights = ((tick, scale.height(tick)) for tick in scale.ticks)
    return Markup("").join(drawn.format("" if tick else " chart-zero", y, y) for tick, y in heights)


def _time_labels(labels: Sequence[str]) -> Markup:
    drawn = Markup('<text class="chart-label" x="{:.3f}%" y="{}" text-anchor="{}">{}</text>')
    places = _places(len(labels))
    return Markup("").join(drawn.format(*_anchored(places[index]), labels[index]) for index in shown_labels(labels))


def _anchored(place: float) -> tuple[float, int, str]:
    """Return place, height and anchor: the last label ends with the drawing, the first has the axis to its left."""
    return (100.0, _LABELS, "end") if place > _LAST_PERCENT else (place, _LABELS, "middle")


def _figure(chart: Chart, framed: Markup) -> Markup:
    return _FIGURE.format(chart.title, _legend(chart.series), framed, _table(chart))


def _legend(series: Iterable[Series]) -> Markup:
    return Markup('<ul class="chart-legend">{}</ul>').format(
        Markup("").join(_LEGEND_ROW.format(one.css, one.name) for one in series)
    )


def _table(chart: Chart) -> Markup:
    heads = Markup("").join(Markup('<th scope="col" class="chart-figure">{}</th>').format(one.name) for one in chart.series)
    rows = Markup("").join(_row(chart, index) for index in range(len(chart.buckets)))
    return _TABLE.format(chart.title, chart.bucket_heading, heads, rows)


def _row(chart: Chart, index: int) -> Markup:
    cells = (Markup('<td class="chart-figure">{}</td>').format(chart.write(one.values[index])) for one in chart.series)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(chart.buckets[index], Markup("").join(cells))


def _empty(chart: Chart) -> Markup:
    return _FIGURE.format(chart.title, Markup('<p class="chart-empty">{}</p>').format(chart.nothing), "", "")


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for a class or an id: small letters, digits and hyphens"
        raise ValueError(msg)
