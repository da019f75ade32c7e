"""Turns a persona's habits into thirteen months of movements, and those of this month until now.

Pure, and told month by month, each by a chance of its own: a movement is the same whichever day it is told on, so that a
day's story is the day's before with what has happened since.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from bank_backend.ledger.model import Details, Party
from bank_backend.ledger.particulars import CardPurchase, Particulars
from bank_backend.personas.calendar import MONTHS_BACK, business_day, business_days_after, months_until
from bank_backend.personas.model import DIRECT_DEBIT, OWN_TRANSFER, SALARY, TRANSFER_IN, TRANSFER_OUT, Way
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from bank_backend.personas.model import AccountPlan, Habit, Persona

    # A generator for each purpose, the same each time.
    Chance = Callable[[str], Random]

_BANK_OPENS, _BANK_CLOSES = 6 * 60, 20 * 60
_LATEST_PURCHASES: Final = 2
_OPENING: Final = "Balance brought forward"
# What a purchase abroad costs beside its price, and what the price is there for 100 of ours.
_MARKUP_PERMYRIAD: Final = 175
_ABROAD_PERCENT: Final = 108


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved, or is about to: `lines` are (account key, signed minor units); what is left over is the outside's."""

    id: str
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


def tell(persona: Persona, cast: Cast, chance: Chance, now: datetime, *, months: int = MONTHS_BACK) -> list[Movement]:
    """Return the persona's movements until now in booking order, each account's opening balance first."""
    firsts = months_until(now.date(), months=months)
    told = [movement for movement in _told(persona, cast, chance, firsts) if movement.booking_date > firsts[0]]
    openings = _openings(persona, cast, chance(f"openings {firsts[0].isoformat()}"), told, firsts)
    until_now = (movement for movement in told if movement.at <= now)
    return [*openings, *until_now, *_latest_purchases(persona, cast, chance, now)]


def tell_on(persona: Persona, cast: Cast, chance: Chance, now: datetime, *, since: datetime) -> list[Movement]:
    """Return what `tell` would have booked after `since`, which is of the same month, and what is pending."""
    told = _told(persona, cast, chance, months_until(now.date(), months=1))
    later = (one for one in told if one.at <= now and not (one.at <= since and one.is_booked(since.date())))
    return [*later, *_latest_purchases(persona, cast, chance, now)]


def _told(persona: Persona, cast: Cast, chance: Chance, firsts: Sequence[date]) -> list[Movement]:
    """Return the movements of whole months, even what is still to come.

    What is brought forward has to last for all of this month, so that it is the same on each of its days.
    """
    told = [movement for first in firsts for movement in _of_month(persona, cast, chance(first.isoformat()), first)]
    return sorted(told, key=_in_the_books)


def _in_the_books(movement: Movement) -> tuple[date, datetime]:
    return movement.booking_date, movement.at


def _of_month(persona: Persona, cast: Cast, rng: Random, first: date) -> list[Movement]:
    return [
        _movement(habit, cast, rng, date(first.year, first.month, day))
        for habit in persona.habits
        for day in habit.when.times(first, rng)
    ]


def _cards(persona: Persona) -> list[Habit]:
    """Return what is bought by card in the last hours, so that there is always something pending to look at."""
    return [habit for habit in persona.habits if habit.is_card][:_LATEST_PURCHASES]


def _latest_purchases(persona: Persona, cast: Cast, chance: Chance, now: datetime) -> list[Movement]:
    rng = chance(now.date().isoformat() + " latest")
    booking_date = business_days_after(now.date(), 1)
    return [
        _at(habit, cast, rng, at=now - timedelta(minutes=rng.randint(5, 240)), booking_date=booking_date)
        for habit in _cards(persona)
    ]


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
    details = _details(habit, cast, rng, at, _purchase(habit, cast, minor))
    return Movement(id=_uuid(rng), at=at, booking_date=booking_date, details=details, lines=tuple(lines))


def _uuid(rng: Random) -> str:
    """Return a UUID of version 4; `uuid.UUID` takes three times as long for the same text."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"


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


def _openings(persona: Persona, cast: Cast, rng: Random, told: Sequence[Movement], firsts: Sequence[date]) -> list[Movement]:
    """Return what each account had before the first of the months."""
    at = datetime(firsts[0].year, firsts[0].month, 1, tzinfo=UTC)
    openings = []
    for account in persona.accounts:
        minor = _brought_forward(persona, account, told, firsts[-1])
        number = _uuid(rng)
        if minor:
            parties = (Party("Previous statement"), cast.own[account.key])
            debtor, creditor = parties if minor > 0 else parties[::-1]
            details = Details(debtor=debtor, creditor=creditor, remittance=_OPENING, code="PMNT-MCOP-OTHR")
            openings.append(Movement(id=number, at=at, booking_date=firsts[0], details=details, lines=((account.key, minor),)))
    return openings


def _brought_forward(persona: Persona, account: AccountPlan, told: Sequence[Movement], this_month: date) -> int:
    """Return so much that the account is as planned when this month begins, and on each day of it keeps to its bounds.

    What is pending counts as spent (in order of time), and as still there (in order of booking).
    """
    sums = [(movement, minor) for movement in told for key, minor in movement.lines if key == account.key]
    if not sums:
        return account.closing_minor
    booked = list(accumulate(minor for _, minor in sums))
    spent = accumulate(minor for _, minor in sorted(sums, key=lambda one: one[0].at))
    before = sum(movement.booking_date < this_month for movement, _ in sums)
    then = booked[before - 1] if before else 0
    opening = account.closing_minor - then
    if account.ceiling_minor is not None:
        opening = min(opening, account.ceiling_minor - max(then, *booked[before:]))
    latest = sum(habit.amounts[1] for habit in _cards(persona) if habit.account == account.key)
    return max(opening, account.cushion_minor + latest - min(0, *booked, *spent))
