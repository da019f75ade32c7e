"""Query parameters and headers of the account resources, read once; a refusal names the parameter (BG IG 1.3.8 §6.5)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.errors import FormatError
from bank_backend.leniency import leniency_in_hand

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.datastructures import Headers, MIMEAccept, MultiDict

LARGEST_NUMBER: Final = 2**31 - 1
WITH_BALANCE: Final = "withBalance"
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
    # Servers join a header that came twice by a comma, which no consent's id has.
    text = request.headers.get("Consent-ID", "").strip()
    if not text or "," in text:
        times = text.count(",") + 1 if text else 0
        refusal = f"the header Consent-ID is given {times} times: send it once, with the id of the consent"
        raise FormatError(refusal, path="Consent-ID")
    return text


def require_known(request: Query, *names: str) -> None:
    """Raise `FormatError` for a parameter that the resource doesn't have, unless this bank forgives them."""
    unknown = [name for name in request.args if name not in names]
    if not unknown or leniency_in_hand().ignores_unknown_fields:
        return
    known = f"it takes {', '.join(names)}" if names else "it takes none"
    raise FormatError.of(
        [FormatError(f"{name[:40]} is no parameter of this resource: {known}", path=name[:40]) for name in unknown[:_MOST_TOLD]]
    )


_MOST_TOLD: Final = 10


def with_balance(request: Query) -> bool:
    """Return `withBalance`, false where it is missing; raises `FormatError`."""
    return boolean(request, WITH_BALANCE)


def single(request: Query, name: str) -> str | None:
    """Return a parameter's text, None where it is missing; raises `FormatError` where it is given twice."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise FormatError(f"{name} is given {len(values)} times: give it once", path=name)
    return values[0] if values else None


def boolean(request: Query, name: str) -> bool:
    """Return whether a parameter is `true`, false where it is missing; raises `FormatError`."""
    text = single(request, name)
    if text is None:
        return False
    if text not in _BOOLEANS:
        raise FormatError(f"{name} {text[:20]!r} is no boolean: write true or false", path=name)
    return _BOOLEANS[text]


def day(request: Query, name: str) -> date | None:
    """Return a parameter's date, None where it is missing; raises `FormatError`."""
    text = single(request, name)
    if text is None:
        return None
    parsed = iso_date(text)
    if parsed is None:
        raise FormatError(f"{name} {text[:20]!r} is no date: write one such as 2026-01-31", path=name)
    return parsed


def one_of(text: str, offered: Collection[str], name: str) -> str:
    """Return a text that is among those offered; raises `FormatError`."""
    if text not in offered:
        raise FormatError(f"{name} {text[:20]!r} is unknown: write {_choice(offered)}", path=name)
    return text


def _choice(offered: Collection[str]) -> str:
    *first, last = offered
    return f"{', '.join(first)} or {last}" if first else last


def iso_date(text: str) -> date | None:
    """Return the date that a text writes, or None."""
    # fromisoformat also takes 20260131 and 2026-W05-6, which the specification's ISODate is not.
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def whole_number(text: str) -> int | None:
    """Return the number that a text writes in digits, or None; none is larger than the books count."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_NUMBER))):
        return None
    number = int(text)
    return number if number <= LARGEST_NUMBER else None
