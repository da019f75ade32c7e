"""JSON bodies read once into strict types; a refusal names the field by its JSON path (BG IG 1.3.8 §4.13)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bank_backend.errors import FieldsInvalid, FormatError
from bank_backend.json_documents import parse_json
from bank_backend.leniency import leniency_in_hand
from bank_backend.references import AccountReference, parse_iban
from psd2.money import Money, currency_exponent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

_UNKNOWN_FIELD: Final = "is not known here, and is refused rather than ignored: remove it"
_EXTRA: Final = "extra_forbidden"
# By pydantic's name of the fault: what should have stood there.
_MEANT: Final = {
    "string_type": "a text, in quotes,",
    "int_type": "a whole number, without quotes,",
    "int_from_float": "a whole number",
    "bool_type": "true or false, without quotes,",
    "date_type": 'a date such as "2030-12-31"',
    "list_type": "a list in [ ]",
    "dict_type": "an object in { }",
    "model_type": "an object in { }",
}
# Of the same: how much there may be of it.
_BOUNDS: Final = {
    "string_too_short": "is shorter than {min_length} characters",
    "string_too_long": "is longer than {max_length} characters",
    "too_short": "has {actual_length} entries, and at least {min_length} are needed",
    "too_long": "has more than {max_length} entries",
    "greater_than_equal": "is below {ge}, the least that is taken",
    "less_than_equal": "is above {le}, the most that is taken",
    "literal_error": "is none of {expected}",
    "string_pattern_mismatch": "is not of the form {pattern}",
    "timezone_aware": "is a time without its offset: write one such as 2027-01-31T08:00:00Z",
}
_KINDS: Final = (
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
    (object, "null"),
)
_MOST_FAULTS: Final = 10
_MOST_FORGIVEN: Final = 50
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Control characters, and those that break lines, are not seen or turn the direction of what follows: a payee's name must not
# make the amount or the account beside it read differently (RTS 2018/389 Art. 5 (1)(a)). Joiners, which scripts need, pass.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Body(BaseModel):
    """A wire object: types are strict, and a field that the bank does not know is refused instead of ignored.

    An ignored `requestedExecutionDate`, say, would execute today what was meant for next month.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _currency(text: str) -> str:
    currency_exponent(text)
    return text


def require_printable(text: str) -> str:
    """Return the text; raises `ValueError` for one that does not look like what it is."""
    if _CONTROL.search(text):
        msg = "holds a control character, or one that is not seen: write plain text on one line"
        raise ValueError(msg)
    return text


def _day(value: object) -> object:
    # fromisoformat also takes 20260131 and 2026-W05-6, which the specification's ISODate is not.
    if not isinstance(value, str):
        return value
    try:
        day = date.fromisoformat(value) if _DATE.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        msg = f"{value[:20]!r} is no date: write one such as 2030-12-31"
        raise ValueError(msg)
    return day


# What follows a validator tells it to whoever reads the OpenAPI document.
Iban = Annotated[str, StringConstraints(max_length=64), AfterValidator(parse_iban), Field(json_schema_extra={"format": "iban"})]
Currency = Annotated[str, AfterValidator(_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})]
Decimal = Annotated[str, Field(json_schema_extra={"pattern": r"^-?[0-9]{1,14}(\.[0-9]{1,3})?$"})]
Day = Annotated[date, BeforeValidator(_day)]
Max35Text = Annotated[str, StringConstraints(min_length=1, max_length=35), AfterValidator(require_printable)]
Max70Text = Annotated[str, StringConstraints(min_length=1, max_length=70), AfterValidator(require_printable)]
Max140Text = Annotated[str, StringConstraints(min_length=1, max_length=140), AfterValidator(require_printable)]


class ReferenceBody(Body):
    """`accountReference`; this bank's accounts all have an IBAN, so BBAN, PAN and MSISDN are refused."""

    iban: Iban
    currency: Currency | None = None

    @property
    def parsed(self) -> AccountReference:
        """The reference it writes."""
        return AccountReference(self.iban, self.currency)


class AmountBody(Body):
    """`amount`: a currency and a decimal string."""

    currency: Currency
    amount: Decimal

    @field_validator("amount")
    @classmethod
    def _exact(cls, value: str, info: ValidationInfo) -> str:
        if "currency" in info.data:
            Money.parse(value, info.data["currency"])
        return value

    @property
    def parsed(self) -> Money:
        """The amount it writes."""
        return Money.parse(self.amount, self.currency)


Model = TypeVar("Model", bound=Body)


def read_tpp_body(data: bytes, model: type[Model]) -> Model:
    """Read a TPP's body; raises `FormatError` that names every field that is wrong, up to ten.

    Where the bank in hand forgives unknown fields, they are left out and noted for the answer (`bank_backend.leniency`).
    """
    return read_tpp_document(parse_json(data), model)


def read_tpp_document(document: object, model: type[Model]) -> Model:
    """Read a document that has been parsed already, like `read_tpp_body`; raises `FormatError`."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    unknown = [fault["loc"] for fault in faults if fault["type"] == _EXTRA]
    if unknown and leniency_in_hand().ignores_unknown_fields and len(unknown) <= _MOST_FORGIVEN:
        leniency_in_hand().ignored += [_path(location) for location in unknown]
        return read_tpp_document(_without(document, unknown), model)
    raise FormatError.of([_fault(fault) for fault in faults[:_MOST_FAULTS]])


def read_internal_body(data: bytes, model: type[Model]) -> Model:
    """Read an internal caller's body; raises `FieldsInvalid` that names every field that is wrong."""
    try:
        return model.model_validate(parse_json(data))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise FieldsInvalid({_path(fault["loc"]) or "body": _reason(fault) for fault in faults}) from None


def _without(document: object, locations: Sequence[Sequence[int | str]]) -> object:
    """Return a document that lacks the members at `locations`."""
    here = {location[0] for location in locations if len(location) == 1}
    below: dict[int | str, list[Sequence[int | str]]] = {}
    for location in locations:
        below.setdefault(location[0], []).append(location[1:])
    if isinstance(document, dict):
        return {k: _without(v, below[k]) if k in below else v for k, v in document.items() if k not in here}
    if isinstance(document, list):
        return [_without(v, below[place]) if place in below else v for place, v in enumerate(document)]
    return document


def _fault(fault: ErrorDetails) -> FormatError:
    path = _path(fault["loc"])
    return FormatError(f"{path or 'the body'} {_reason(fault)}", path=path or None)


def _path(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _reason(fault: ErrorDetails) -> str:
    kind = fault["type"]
    if kind == _EXTRA:
        return _UNKNOWN_FIELD
    if kind == "missing":
        return "is missing"
    if kind in _MEANT:
        return f"is {_kind_of(fault['input'])}, and {_MEANT[kind]} is meant"
    if fault.get("input") == "" and kind == "string_too_short":
        return "is empty"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format_map(fault.get("ctx", {}))
    message = fault["msg"].removeprefix("Value error, ")
    return f"is wrong: {message[:1].lower()}{message[1:]}"


def _kind_of(value: object) -> str:
    return next(name for type_, name in _KINDS if isinstance(value, type_))
