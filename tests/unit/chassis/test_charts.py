"""Charts: true to their values, legible when narrow, nothing inline, nothing unescaped."""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from chassis.look.axes import CHARACTER_PIXELS, NARROWEST_PIXELS, scale_over, shown_labels
from chassis.look.charts import HEIGHT, MOST_BUCKETS, Chart, Number, Series, area_line, stacked_bars


def _chart(*rows: tuple[Number, ...], buckets: tuple[str, ...] | None = None, **more: object) -> Chart:
    series = tuple(Series(name=f"Row {index}", css=f"chart-{index + 1}", values=row) for index, row in enumerate(rows))
    labels = buckets or tuple(f"{index:02}:00" for index in range(len(rows[0]) if rows else 0))
    given = {"identity": "calls", "title": "Calls", "description": "Calls by hour", **more}
    return Chart(buckets=labels, series=series, **given)  # type: ignore[arg-type]


def _parsed(markup: str) -> ET.Element:
    return ET.fromstring(f"<div>{markup}</div>")  # noqa: S314 - our own drawing, which must be well formed


def _bars(markup: str) -> list[ET.Element]:
    drawing = _parsed(markup).find(".//svg[@class='chart-drawing']")
    assert drawing is not None
    return drawing.findall("rect")


def test_a_bar_is_as_high_as_its_value() -> None:
    """Twice the calls, twice the height."""
    low, high = _bars(stacked_bars(_chart((10, 20))))

    assert float(high.attrib["height"]) == pytest.approx(2 * float(low.attrib["height"]), abs=0.2)


def test_series_of_one_bucket_stand_on_each_other() -> None:
    """The second series begins where the first ends."""
    first, second = _bars(stacked_bars(_chart((3,), (5,))))

    assert float(second.attrib["y"]) + float(second.attrib["height"]) == pytest.approx(float(first.attrib["y"]), abs=0.2)


def test_values_below_zero_hang_below_the_axis() -> None:
    """What came in stands above the line, what went out hangs below the same line."""
    incoming, outgoing = _bars(stacked_bars(_chart((100,), (-40,))))

    assert float(outgoing.attrib["y"]) == pytest.approx(float(incoming.attrib["y"]) + float(incoming.attrib["height"]), abs=0.2)


def test_one_among_thousands_is_still_seen() -> None:
    """A single refusal is at least a pixel high."""
    bars = _bars(stacked_bars(_chart((100_000,), (1,))))

    assert float(bars[1].attrib["height"]) >= 1


def test_everything_stays_inside_the_drawing() -> None:
    """No bar leaves the height or the width of the drawing."""
    for bar in _bars(stacked_bars(_chart(tuple(range(1, 49)), tuple(range(-48, 0))))):
        assert float(bar.attrib["y"]) >= 0
        assert float(bar.attrib["y"]) + float(bar.attrib["height"]) <= HEIGHT
        assert float(bar.attrib["x"].rstrip("%")) + float(bar.attrib["width"].rstrip("%")) <= 100


def test_text_from_outside_is_never_markup() -> None:
    """Names, labels, titles and written values are escaped, in the drawing and in the table."""
    hostile = '"><script>alert(1)</script>'
    series = Series(name=hostile, css="chart-1", values=(1,))
    chart = Chart(
        identity="calls",
        title=hostile,
        description=hostile,
        buckets=(hostile,),
        series=(series,),
        bucket_heading=hostile,
        write=lambda _value: hostile,
    )

    for drawn in (stacked_bars(chart), area_line(chart)):
        assert "<script" not in drawn
        assert _parsed(drawn) is not None


def test_nothing_inline_that_a_strict_policy_would_refuse() -> None:
    """Neither style attributes nor scripts nor handlers."""
    for drawn in (stacked_bars(_chart((1, 2))), area_line(_chart((1, 2)))):
        assert not re.search(r"style=|<script|<style|\son\w+=", drawn)


def test_the_drawing_has_a_name_and_a_description() -> None:
    """The image is labelled by its own title and description, and the values are in a table too."""
    figure = _parsed(stacked_bars(_chart((1, 2), (3, 4))))
    svg = figure.find(".//svg[@role='img']")

    assert svg is not None
    named = {element.attrib.get("id"): element.text for element in svg}
    assert [named[name] for name in svg.attrib["aria-labelledby"].split()] == ["Calls", "Calls by hour"]
    cells = [cell.text for cell in figure.findall(".//tbody//td")]
    assert cells == ["1", "3", "2", "4"]


@pytest.mark.parametrize("draw", [stacked_bars, area_line])
def test_no_data_says_so(draw: object) -> None:
    """Without buckets there is no empty frame but a sentence."""
    drawn = draw(_chart(nothing="No calls yet: make one."))  # type: ignore[operator]

    assert "No calls yet: make one." in drawn
    assert "<svg" not in drawn


def test_bars_of_nothing_but_zero_say_so_too() -> None:
    """An hour without any call is no chart."""
    assert "<svg" not in stacked_bars(_chart((0, 0), (0, 0)))


def test_a_balance_of_zero_is_a_line() -> None:
    """An empty account has a balance all the same."""
    assert "chart-line" in area_line(_chart((0, 0)))


def test_a_line_passes_through_its_values() -> None:
    """The highest value is drawn highest, and money stays exact in the table."""
    drawn = area_line(_chart((Decimal("10.10"), Decimal("-3.25"), Decimal("7.00"))))
    heights = [float(spot.attrib["cy"]) for spot in _parsed(drawn).iter("circle")]

    assert heights[0] < heights[2] < heights[1]
    assert "-3.25" in drawn


def test_labels_fit_the_narrowest_screen() -> None:
    """However many buckets, the labels written need no more room than a 360 px screen leaves."""
    labels = tuple(f"{day} Nov" for day in range(1, 32))
    shown = shown_labels(labels)

    assert shown[0] == 0
    assert len(shown) * (max(len(labels[index]) for index in shown) * CHARACTER_PIXELS + 14) <= NARROWEST_PIXELS


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 3), (-250, 1200), (0.1, 0.3), (-5, -1), (0, 0), (0, 9_999_999)])
def test_ticks_are_round_and_enclose_the_values(low: float, high: float) -> None:
    """Few ticks, evenly apart, zero among them."""
    scale = scale_over(low, high, top=0, bottom=100, whole=False)

    assert scale.ticks[0] <= min(low, 0)
    assert scale.ticks[-1] >= max(high, 0)
    assert 0 in scale.ticks
    assert 2 <= len(scale.ticks) <= 7


def test_counts_have_no_half_ticks() -> None:
    """Half a call can't be made."""
    scale = scale_over(0, 2, top=0, bottom=100, whole=True)

    assert all(tick == int(tick) for tick in scale.ticks)


def test_nonsense_is_refused() -> None:
    """Rows of another length, too many buckets, a class that breaks out of its attribute, a value that is no number."""
    with pytest.raises(ValueError, match="2 values for 1 buckets"):
        _chart((1, 2), buckets=("now",))
    with pytest.raises(ValueError, match="not legible"):
        _chart((1,) * (MOST_BUCKETS + 1))
    with pytest.raises(ValueError, match="no name"):
        Series(name="x", css='chart-1" onload="', values=())
    with pytest.raises(ValueError, match="not finite"):
        Series(name="x", css="chart-1", values=(float("nan"),))
