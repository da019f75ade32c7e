"""When standing orders pay: for every rule, the days are within its bounds, each once, on the business days it asks for."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_backend.ledger.calendar import is_business_day
from bank_backend.payments.recurrence import ExecutionRule, Frequency, RecurrenceRule

# Short ones too, whose end is soon come to.
_LENGTHS = st.integers(0, 40) | st.integers(0, 1500)
_MONTHLY = [each for each in Frequency if each.days is None]


@st.composite
def rules(draw: st.DrawFn) -> RecurrenceRule:
    start = draw(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
    frequency = draw(st.sampled_from(Frequency))
    variable = frequency is Frequency.MONTHLY_VARIABLE
    months = draw(st.sets(st.integers(1, 12), min_size=1, max_size=11)) if variable else set()
    return RecurrenceRule(
        start=start,
        end=draw(st.none() | _LENGTHS.map(lambda days: start + timedelta(days=days))),
        frequency=frequency,
        execution_rule=draw(st.none() | st.sampled_from(ExecutionRule)),
        day=draw(st.none() | st.integers(1, 31)) if frequency in _MONTHLY else None,
        months=tuple(sorted(months)),
    )


def test_an_end_on_a_sunday_leaves_out_what_would_move_beyond_it() -> None:
    """`endDate` is the last applicable day of execution."""
    order = RecurrenceRule(
        start=date(2026, 11, 19),
        end=date(2026, 11, 22),
        frequency=Frequency.DAILY,
        execution_rule=ExecutionRule.FOLLOWING,
    )

    assert list(order.days_from(order.start)) == [date(2026, 11, 19), date(2026, 11, 20)]


@given(rules())
def test_every_payment_lies_between_start_and_end_and_none_is_made_twice(rule: RecurrenceRule) -> None:
    """`startDate` and `endDate` bound the day of execution itself."""
    days = list(islice(rule.days_from(rule.start), 60))

    assert all(rule.start <= day for day in days)
    assert rule.end is None or all(day <= rule.end for day in days)
    assert all(earlier < later for earlier, later in pairwise(days))


@given(rules())
def test_a_rule_for_business_days_is_obeyed(rule: RecurrenceRule) -> None:
    """Nothing is executed on a closing day where the order says where it goes instead."""
    days = islice(rule.days_from(rule.start), 60)

    assert rule.execution_rule is None or all(map(is_business_day, days))


@given(rules(), st.dates(date(2024, 1, 1), date(2034, 12, 31)))
def test_beginning_anywhere_finds_the_same_days(rule: RecurrenceRule, since: date) -> None:
    """The next day after any moment is the one that counting from the start comes to."""
    counted = next((day for day in islice(rule.days_from(rule.start), 4500) if day >= since), None)

    assert rule.first_from(since) == counted


@given(rules())
def test_the_last_day_is_the_last_of_all_days(rule: RecurrenceRule) -> None:
    """And there is none without an end."""
    assert rule.last == (None if rule.end is None else max(rule.days_from(rule.start), default=None))


@given(rules())
def test_nothing_is_left_out_but_what_a_closing_day_moved(rule: RecurrenceRule) -> None:
    """Without closing days the order pays at its own rhythm: a gap is never longer than two of its intervals and a shift."""
    longest = {Frequency.ANNUAL: 366, Frequency.SEMI_ANNUAL: 184, Frequency.QUARTERLY: 92, Frequency.EVERY_TWO_MONTHS: 62}
    interval = rule.frequency.days or longest.get(rule.frequency, 31 if not rule.months else 366)
    days = islice(rule.days_from(rule.start), 60)

    assert all((later - earlier).days <= interval + 7 for earlier, later in pairwise(days))


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_the_thirty_first_is_the_last_day_of_every_month(start: date) -> None:
    """BG IG §5.3.4.1: "31" is ultimo."""
    rule = RecurrenceRule(start=start, end=None, frequency=Frequency.MONTHLY, execution_rule=None, day=31)

    assert all(day.day == monthrange(day.year, day.month)[1] for day in islice(rule.days_from(start), 24))


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [
        (Frequency.DAILY, ["2026-01-01", "2026-01-02", "2026-01-03"]),
        (Frequency.WEEKLY, ["2026-01-01", "2026-01-08", "2026-01-15"]),
        (Frequency.EVERY_TWO_WEEKS, ["2026-01-01", "2026-01-15", "2026-01-29"]),
        (Frequency.MONTHLY, ["2026-01-01", "2026-02-01", "2026-03-01"]),
        (Frequency.EVERY_TWO_MONTHS, ["2026-01-01", "2026-03-01", "2026-05-01"]),
        (Frequency.QUARTERLY, ["2026-01-01", "2026-04-01", "2026-07-01"]),
        (Frequency.SEMI_ANNUAL, ["2026-01-01", "2026-07-01", "2027-01-01"]),
        (Frequency.ANNUAL, ["2026-01-01", "2027-01-01", "2028-01-01"]),
    ],
)
def test_each_frequency_has_its_interval(frequency: Frequency, expected: list[str]) -> None:
    """BG IG §14.32."""
    rule = RecurrenceRule(start=date(2026, 1, 1), end=None, frequency=frequency, execution_rule=None)

    assert [str(day) for day in islice(rule.days_from(rule.start), 3)] == expected


def test_chosen_months_only() -> None:
    """BG IG §14.30: ["1", "4", "10"] is January, April and October of each year."""
    rule = RecurrenceRule(
        start=date(2026, 2, 1),
        end=None,
        frequency=Frequency.MONTHLY_VARIABLE,
        execution_rule=None,
        day=15,
        months=(1, 4, 10),
    )

    assert [str(day) for day in islice(rule.days_from(rule.start), 4)] == [
        "2026-04-15",
        "2026-10-15",
        "2027-01-15",
        "2027-04-15",
    ]


@pytest.mark.parametrize(
    ("rule", "executed"), [(ExecutionRule.FOLLOWING, "2026-04-07"), (ExecutionRule.PRECEDING, "2026-04-02")]
)
def test_easter_is_gone_round(rule: ExecutionRule, executed: str) -> None:
    """Good Friday to Easter Monday TARGET is closed: four days."""
    order = RecurrenceRule(start=date(2026, 3, 5), end=None, frequency=Frequency.MONTHLY, execution_rule=rule, day=5)

    assert str(order.first_from(date(2026, 4, 1))) == executed


def test_days_that_fall_on_one_business_day_are_one_payment() -> None:
    """A daily order pays on Monday once, not for Saturday and Sunday too."""
    order = RecurrenceRule(
        start=date(2026, 11, 19), end=None, frequency=Frequency.DAILY, execution_rule=ExecutionRule.FOLLOWING
    )

    assert [str(day) for day in islice(order.days_from(order.start), 4)] == [
        "2026-11-19",
        "2026-11-20",
        "2026-11-23",
        "2026-11-24",
    ]
