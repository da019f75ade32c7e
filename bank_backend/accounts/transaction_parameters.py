"""What a list of transactions is asked by: period, status, delta, page, format (BG IG 1.3.8 §6.5.4, §6.6.4)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from bank_backend.accounts import parameters
from bank_backend.accounts.model import (
    AccountKind,
    BookingStatus,
    PageDirection,
    PageRef,
    Period,
    ReportFormat,
    TransactionsQuery,
)
from bank_backend.errors import (
    FormatError,
    ParameterNotConsistent,
    ParameterNotSupported,
    PeriodInvalid,
    RequestedFormatsInvalid,
)
from bank_backend.ledger.statements import Place
from bank_backend.personalities.model import Service

if TYPE_CHECKING:
    from bank_backend.accounts.parameters import Query
    from bank_backend.personalities.model import Personality

NO_PAGE: Final = "page is no page of this list: follow the links of its first page as they are"
_CARD_TRANSACTION_ID: Final = re.compile("[0-9a-f]{32}")
EARLIEST: Final = date(1970, 1, 1)
_OF_CARDS: Final = ("bookingStatus", "dateFrom", "dateTo", "entryReferenceFrom", "deltaList", "page")
_OF_ACCOUNTS: Final = (*_OF_CARDS, parameters.WITH_BALANCE)
# A standing order is no movement of a card account (BG IG §6.6.4).
_CARD_STATUSES: Final = (BookingStatus.BOOKED, BookingStatus.PENDING, BookingStatus.BOTH)


def transactions_query(request: Query, kind: AccountKind) -> TransactionsQuery:
    """Read the parameters; raises the refusals of this module, each naming its parameter."""
    is_card = kind is AccountKind.CARD
    parameters.require_known(request, *(_OF_CARDS if is_card else _OF_ACCOUNTS))
    booking_status = _booking_status(request, is_card=is_card)
    if booking_status is BookingStatus.INFORMATION:
        # BG IG §6.5.4: period, delta and balance have no effect on it.
        return TransactionsQuery(booking_status=booking_status)
    after_number, after_entry = _entry_reference_from(request, is_card=is_card)
    query = TransactionsQuery(
        booking_status=booking_status,
        since=parameters.day(request, "dateFrom"),
        until=parameters.day(request, "dateTo"),
        after_number=after_number,
        after_entry=after_entry,
        is_delta=parameters.boolean(request, "deltaList"),
        with_balance=is_card or parameters.with_balance(request),
        page=_page(request),
    )
    _require_consistent(query)
    return query


def require_offered(query: TransactionsQuery, personality: Personality) -> None:
    """Raise `ParameterNotSupported` for what this bank leaves out."""
    if query.booking_status not in personality.booking_statuses:
        offered = ", ".join(sorted(personality.booking_statuses))
        text = f"bookingStatus {query.booking_status} is not offered here: write one of {offered}"
        raise ParameterNotSupported(text, path="bookingStatus")
    if query.is_delta and not personality.offers(Service.DELTA_LISTS):
        raise ParameterNotSupported("deltaList is not offered here: use dateFrom", path="deltaList")
    if query.is_after_entry and not personality.offers(Service.DELTA_LISTS):
        raise ParameterNotSupported("entryReferenceFrom is not offered here: use dateFrom", path="entryReferenceFrom")


def period_of(query: TransactionsQuery, *, today: date, personality: Personality) -> Period:
    """Return the days that the list is about; raises `PeriodInvalid`."""
    if query.is_after_entry or query.is_delta or query.since is None:
        return Period(EARLIEST, today)
    if query.since > today:
        raise PeriodInvalid(f"dateFrom {query.since} is in the future: nothing is booked there yet", path="dateFrom")
    if personality.history_days is not None:
        earliest = today - timedelta(days=personality.history_days)
        if query.since < earliest:
            text = f"dateFrom {query.since} is too long ago: this bank's lists go back {personality.history_days} days"
            raise PeriodInvalid(f"{text}, to {earliest}", path="dateFrom")
    # Fixed at the first page and repeated in its links, so that a list read over midnight stays the same list.
    return Period(query.since, today if query.until is None else min(query.until, today))


def report_format(request: Query, personality: Personality, query: TransactionsQuery) -> ReportFormat:
    """Return the format to answer in, JSON where the TPP leaves it open; raises `RequestedFormatsInvalid` (BG IG §14.11.3)."""
    offered = _offered(personality, query)
    if not request.accept_mimetypes:
        return ReportFormat.JSON
    best = request.accept_mimetypes.best_match([one.value for one in offered])
    if best is None:
        names = ", ".join(dict.fromkeys(one.content_type for one in offered))
        text = f"none of {request.headers.get('Accept', '')[:100]!r} is offered for this list: ask for {names}"
        raise RequestedFormatsInvalid(text, path="Accept")
    return ReportFormat(best)


def require_json_accepted(request: Query) -> None:
    """Raise `RequestedFormatsInvalid` where the Accept header rules JSON out."""
    if request.accept_mimetypes and not request.accept_mimetypes["application/json"]:
        text = f"none of {request.headers.get('Accept', '')[:100]!r} is offered: ask for application/json"
        raise RequestedFormatsInvalid(text, path="Accept")


def _offered(personality: Personality, query: TransactionsQuery) -> list[ReportFormat]:
    """Return the formats that this list can be told in: standing orders in JSON only, pending movements not in camt.053."""
    status = query.booking_status
    formats = [ReportFormat.JSON]
    if status.has_information:
        return formats
    if ReportFormat.XML in personality.report_formats:
        formats += [ReportFormat.XML, ReportFormat.CAMT_052]
        formats += [] if status.has_pending else [ReportFormat.CAMT_053]
    if ReportFormat.TEXT in personality.report_formats:
        formats.append(ReportFormat.TEXT)
    return formats


def _booking_status(request: Query, *, is_card: bool) -> BookingStatus:
    offered = [one.value for one in (_CARD_STATUSES if is_card else BookingStatus)]
    text = parameters.single(request, "bookingStatus")
    if text is None:
        raise FormatError(f"bookingStatus is missing: write {', '.join(offered)}", path="bookingStatus")
    return BookingStatus(parameters.one_of(text, offered, "bookingStatus"))


def _entry_reference_from(request: Query, *, is_card: bool) -> tuple[int | None, str | None]:
    """Return the number or, where a card's list has told no numbers but ids, the id of the movement that is named."""
    text = parameters.single(request, "entryReferenceFrom")
    if text is None:
        return None, None
    if is_card and _CARD_TRANSACTION_ID.fullmatch(text):
        return None, str(UUID(text))
    number = parameters.whole_number(text)
    if number is None:
        name = "cardTransactionId" if is_card else "entryReference"
        message = f"entryReferenceFrom {text[:35]!r} is none of this account's: write the {name} that a list gave you"
        raise FormatError(message, path="entryReferenceFrom")
    return number, None


def _require_consistent(query: TransactionsQuery) -> None:
    is_open_ended = query.is_delta or query.is_after_entry
    if query.is_delta and query.is_after_entry:
        text = "deltaList and entryReferenceFrom are two ways to ask for what is new: use one of them"
        raise ParameterNotConsistent(text, path="deltaList")
    if is_open_ended and not query.booking_status.has_booked:
        name = "deltaList" if query.is_delta else "entryReferenceFrom"
        text = f"a pending transaction has no entryReference: use {name} with bookingStatus booked or both"
        raise ParameterNotConsistent(text, path=name)
    if query.since is None and not is_open_ended:
        text = "dateFrom is missing: write a date such as 2026-01-31, or use entryReferenceFrom or deltaList"
        raise FormatError(text, path="dateFrom")
    if query.since is not None and query.until is not None and query.since > query.until:
        text = f"dateFrom {query.since} is after dateTo {query.until}: the period runs backwards"
        raise PeriodInvalid(text, path="dateFrom")


def _page(request: Query) -> PageRef | None:
    text = parameters.single(request, "page")
    if text is None:
        return None
    if text == PageDirection.LAST:
        return PageRef(PageDirection.LAST)
    direction, _, rest = text.partition(".")
    place_text, currency = (rest[:-4], rest[-3:]) if rest[-4:-3] == "." and rest[-3:].isupper() else (rest, "")
    place = parsed_place(place_text)
    if place is None or direction not in {PageDirection.OLDER, PageDirection.NEWER}:
        raise FormatError(NO_PAGE, path="page")
    return PageRef(PageDirection(direction), place, currency)


def parsed_place(text: str) -> Place | None:
    """Return the place that a text such as `2026-10-01.123` writes, or None."""
    day_text, _, number_text = text.partition(".")
    day, number = parameters.iso_date(day_text), parameters.whole_number(number_text)
    return None if day is None or number is None else Place(day, number)
