"""Turns a persona's habits into thirteen months of movements. Pure: the same generator and day give the same story."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bank_backend.ledger.model import Details, Party
from bank_backend.ledger.particulars import CardPurchase, Particulars
from bank_backend.personas.calendar import MONTHS_BACK, business_day, business_days_after, first_day, months_until
from bank_backend.personas.model import DIRECT_DEBIT, OWN_TRANSFER, SALARY, TRANSFER_IN, TRANSFER_OUT, Way
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from bank_backend.personas.model import Habit, Persona

_BANK_OPENS, _BANK_CLOSES = 6 * 60, 20 * 60
_LATEST_PURCHASES: Final = 2
_OPENING: Final = "Balance brought forward"
# What a purchase abroad costs beside its price, and what the price is there for 100 of ours.
_MARKUP_PERMYRIAD: Final = 175
_ABROAD_PERCENT: Final = 108


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved, or is about to: `lines` are (account key, signed minor units); what is left over is the outside's."""

    at: datetime
    booking_date: date
    details: Details
    lines: tuple[tuple[str, int], ...]

    def is_booked(self, today: date) -> bool:
        """Whether it stands in the books by today; otherwise it is pending."""
        return self.booking_date <= today


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays along: the persona's own accounts as parties, and everybody that it pays or is paid by."""

    own: Mapping[str, Party]
    others: Mapping[str, Party]
    # Numbers of the card accounts, as they may be shown.
    cards: Mapping[str, str] = field(default_factory=dict)


def tell(persona: Persona, cast: Cast, rng: Random, now: datetime, *, months: int = MONTHS_BACK) -> list[Movement]:
    """Return the persona's movements in booking order, each account's opening balance first."""
    movements = [movement for habit in persona.habits for movement in _of_habit(habit, cast, rng, now, months)]
    movements.extend(_latest_purchases(persona, cast, rng, now))
    movements.sort(key=lambda movement: (movement.booking_date, movement.at))
    return [*_openings(persona, cast, movements, first_day(now.date(), months=months)), *movements]


def _of_habit(habit: Habit, cast: Cast, rng: Random, now: datetime, months: int) -> list[Movement]:
    since, today = first_day(now.date(), months=months), now.date()
    days = (month.replace(day=day) for month in months_until(today, months=months) for day in habit.when.times(month, rng))
    movements = (_movement(habit, cast, rng, day) for day in days if since < day <= today)
    # A movement of today that would happen later in the day hasn't happened; one that isn't paid by card is never pending.
    return [one for one in movements if one.at <= now and (habit.is_card or one.is_booked(today))]


def _latest_purchases(persona: Persona, cast: Cast, rng: Random, now: datetime) -> list[Movement]:
    """Return some card payments of the last hours, so that there is always something pending to look at."""
    cards = [habit for habit in persona.habits if habit.is_card][:_LATEST_PURCHASES]
    movements = []
    for habit in cards:
        at = now - timedelta(minutes=rng.randint(5, 240))
        booking_date = business_days_after(now.date(), 1)
        movements.append(_at(habit, cast, rng, at=at, booking_date=booking_date))
    return movements


def _movement(habit: Habit, cast: Cast, rng: Random, day: date) -> Movement:
    if habit.is_card:
        booking_date = business_days_after(day, rng.randint(1, 2))
    else:
        day = booking_date = business_day(day)
    minutes = _whole(rng, _BANK_OPENS, _BANK_CLOSES)
    at = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, _whole(rng, 0, 59), tzinfo=UTC)
    return _at(habit, cast, rng, at=at, booking_date=booking_date)


def _whole(rng: Random, low: int, high: int) -> int:
    """Return a whole number within the bounds, both included, in a fifth of the time that `randint` takes."""
    return low + int(rng.random() * (high - low + 1))


def _at(habit: Habit, cast: Cast, rng: Random, *, at: datetime, booking_date: date) -> Movement:
    low, high = habit.amounts
    minor = _whole(rng, low // habit.step, high // habit.step) * habit.step
    lines = [(habit.account, minor * habit.way.value)]
    if habit.own is not None:
        lines.append((habit.own, -minor * habit.way.value))
    particulars = _purchase(habit, cast, minor)
    return Movement(at=at, booking_date=booking_date, details=_details(habit, cast, rng, at, particulars), lines=tuple(lines))


def _purchase(habit: Habit, cast: Cast, minor: int) -> Particulars | None:
    """Return what a card account tells of a purchase: where, and what it cost where that is another currency."""
    masked = cast.cards.get(habit.account) if habit.is_card else None
    if masked is None:
        return None
    card = CardPurchase(masked_pan=masked, merchant_category=habit.merchant_category)
    if habit.abroad:
        fee = minor * _MARKUP_PERMYRIAD // 10_000
        original = Money((minor - fee) * _ABROAD_PERCENT // 100, habit.abroad)
        card = replace(card, original=original, markup_percent=Decimal(_MARKUP_PERMYRIAD) / 100)
    return Particulars(card=card)


def _details(habit: Habit, cast: Cast, rng: Random, at: datetime, particulars: Particulars | None) -> Details:
    holder = cast.own[habit.account]
    other = cast.own[habit.own] if habit.own is not None else cast.others[habit.who[_whole(rng, 0, len(habit.who) - 1)]]
    debtor, creditor = (other, holder) if habit.way is Way.IN else (holder, other)
    number = _whole(rng, 100_000, 999_999)
    # A biller's mandate stays the same from month to month: its reference comes from who it is, not from chance.
    reference = f"{sum(other.name.encode()):06d}" if habit.code == DIRECT_DEBIT else ""
    # Written for those who tell it only: it takes longer than all the rest.
    day = f"{at:%Y-%m-%d %H:%M}" if "{day}" in habit.text else ""
    return Details(
        debtor=debtor,
        creditor=creditor,
        remittance=habit.text.format(month=_MONTHS[at.month - 1], year=at.year, day=day, number=number),
        code=habit.code,
        end_to_end_id=f"E2E-{at:%Y%m%d}-{number}" if habit.code in _WITH_END_TO_END_ID else "",
        mandate_id=f"M-{reference}" if reference else "",
        creditor_id=f"XX98ZZZ{reference}" if reference else "",
        particulars=particulars,
    )


# Not strftime's: that one follows the machine's locale.
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_WITH_END_TO_END_ID: Final = frozenset({SALARY, TRANSFER_IN, TRANSFER_OUT, OWN_TRANSFER, DIRECT_DEBIT})


def _openings(persona: Persona, cast: Cast, movements: list[Movement], day: date) -> list[Movement]:
    """Return what each account had before: so much that it closes as planned and never falls below its cushion."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    openings = []
    for account in persona.accounts:
        sums = [minor for movement in movements for key, minor in movement.lines if key == account.key]
        minor = max(account.closing_minor - sum(sums), account.cushion_minor - _lowest(sums)) if sums else account.closing_minor
        if minor:
            parties = (Party("Previous statement"), cast.own[account.key])
            debtor, creditor = parties if minor > 0 else parties[::-1]
            details = Details(debtor=debtor, creditor=creditor, remittance=_OPENING, code="PMNT-MCOP-OTHR")
            openings.append(Movement(at=at, booking_date=day, details=details, lines=((account.key, minor),)))
    return openings


def _lowest(amounts: list[int]) -> int:
    lowest = total = 0
    for amount in amounts:
        total += amount
        lowest = min(lowest, total)
    return lowest
