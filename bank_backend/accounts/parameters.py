"""Query parameters and headers of the account resources, read once; a refusal names the parameter (BG IG 1.3.8 §6.5)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.accounts.information import NO_PAGE
from bank_backend.accounts.model import BookingStatus, TransactionsQuery
from bank_backend.errors import (
    FormatError,
    ParameterNotConsistent,
    ParameterNotSupported,
    PeriodInvalid,
    RequestedFormatsInvalid,
)
from bank_backend.ledger.statements import Place

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers, MIMEAccept, MultiDict

_EARLIEST: Final = date(1970, 1, 1)
_LARGEST_NUMBER: Final = 2**31 - 1
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}


class Query(Protocol):
    """The part of a web request that this module reads."""

    @property
    def args(self) -> MultiDict[str, str]:
        """The query parameters."""

    @property
    def headers(self) -> Headers:
        """The headers."""

    @property
    def accept_mimetypes(self) -> MIMEAccept:
        """The Accept header, parsed."""


def consent_id(request: Query) -> str:
    """Return the Consent-ID header; raises `FormatError`."""
    values = request.headers.getlist("Consent-ID")
    if len(values) != 1 or not values[0].strip():
        text = f"the header Consent-ID is given {len(values)} times: send it once, with the id of the consent"
        raise FormatError(text, path="Consent-ID")
    return values[0].strip()


def with_balance(request: Query) -> bool:
    """Return `withBalance`, false where it is missing; raises `FormatError`."""
    return _boolean(request, "withBalance")


def require_json_accepted(request: Query) -> None:
    """Raise `RequestedFormatsInvalid` where the Accept header rules JSON out (BG IG §14.11.3)."""
    if request.accept_mimetypes and not request.accept_mimetypes["application/json"]:
        text = f"none of {request.headers.get('Accept', '')[:100]!r} is offered: ask for application/json"
        raise RequestedFormatsInvalid(text, path="Accept")


def transactions_query(request: Query, *, today: date) -> TransactionsQuery:
    """Read the parameters of a transaction list; raises the refusals of this module, each naming its parameter."""
    booking_status = _booking_status(request)
    _refuse_delta_list(request)
    after_number = _entry_reference_from(request)
    since, until = (_EARLIEST, today) if after_number is not None else _period(request, today)
    return TransactionsQuery(
        booking_status=booking_status,
        since=since,
        until=until,
        after_number=after_number,
        with_balance=with_balance(request),
        older_than=page(request),
    )


def page(request: Query) -> Place | None:
    """Return `page`, None for the first; raises `FormatError` for one that can't be read."""
    text = _single(request, "page")
    if text is None:
        return None
    day_text, _, number_text = text.partition(".")
    day, number = _iso_date(day_text), _number(number_text)
    if day is None or number is None:
        raise FormatError(NO_PAGE, path="page")
    return Place(day, number)


def _single(request: Query, name: str) -> str | None:
    values = request.args.getlist(name)
    if len(values) > 1:
        raise FormatError(f"{name} is given {len(values)} times: give it once", path=name)
    return values[0] if values else None


def _boolean(request: Query, name: str) -> bool:
    text = _single(request, name)
    if text is None:
        return False
    if text not in _BOOLEANS:
        raise FormatError(f"{name} {text[:20]!r} is no boolean: write true or false", path=name)
    return _BOOLEANS[text]


def _booking_status(request: Query) -> BookingStatus:
    text = _single(request, "bookingStatus")
    if text is None:
        raise FormatError("bookingStatus is missing: write booked, pending or both", path="bookingStatus")
    if text in {"information", "all"}:
        raise ParameterNotSupported(
            f"bookingStatus {text} is not offered here: write booked, pending or both", path="bookingStatus"
        )
    try:
        return BookingStatus(text)
    except ValueError:
        message = f"bookingStatus {text[:20]!r} is unknown: write booked, pending or both"
        raise FormatError(message, path="bookingStatus") from None


def _refuse_delta_list(request: Query) -> None:
    if _boolean(request, "deltaList"):
        text = "deltaList is not offered here: use entryReferenceFrom, or dateFrom"
        raise ParameterNotSupported(text, path="deltaList")


def _entry_reference_from(request: Query) -> int | None:
    text = _single(request, "entryReferenceFrom")
    if text is None:
        return None
    number = _number(text)
    if number is None:
        message = f"entryReferenceFrom {text[:35]!r} is none of this account's: write an entryReference that a list gave you"
        raise FormatError(message, path="entryReferenceFrom")
    if _single(request, "bookingStatus") == BookingStatus.PENDING:
        message = "a pending transaction has no entryReference: use entryReferenceFrom with bookingStatus booked or both"
        raise ParameterNotConsistent(message, path="entryReferenceFrom")
    return number


def _period(request: Query, today: date) -> tuple[date, date]:
    since = _date(request, "dateFrom")
    until = _date(request, "dateTo") or today
    if since is None:
        raise FormatError("dateFrom is missing: write a date such as 2026-01-31, or entryReferenceFrom", path="dateFrom")
    if since > until:
        raise PeriodInvalid(f"dateFrom {since} is after dateTo {until}: the period runs backwards", path="dateFrom")
    if since > today:
        raise PeriodInvalid(f"dateFrom {since} is in the future: nothing is booked there yet", path="dateFrom")
    # Fixed at the first page and repeated in its links, so that a list read over midnight stays the same list.
    return since, min(until, today)


def _date(request: Query, name: str) -> date | None:
    text = _single(request, name)
    if text is None:
        return None
    day = _iso_date(text)
    if day is None:
        raise FormatError(f"{name} {text[:20]!r} is no date: write one such as 2026-01-31", path=name)
    return day


def _iso_date(text: str) -> date | None:
    # fromisoformat also takes 20260131 and 2026-W05-6, which the specification's ISODate is not.
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LARGEST_NUMBER))):
        return None
    number = int(text)
    return number if number <= _LARGEST_NUMBER else None
