"""JSON bodies read once into strict types; a refusal names the field by its JSON path (BG IG 1.3.8 §4.13)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from bank_backend.characters import require_no_nul
from bank_backend.errors import FieldsInvalid, FormatError
from bank_backend.references import AccountReference, parse_iban
from psd2.money import Money, currency_exponent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

_UNKNOWN_FIELD = "is not known here: remove it, the bank would ignore it"
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


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        msg = "holds a control character, or one that is not seen: write plain text on one line"
        raise ValueError(msg)
    return text


Iban = Annotated[str, StringConstraints(max_length=64), AfterValidator(parse_iban)]
Currency = Annotated[str, AfterValidator(_currency)]
Max35Text = Annotated[str, StringConstraints(min_length=1, max_length=35), AfterValidator(_printable)]
Max70Text = Annotated[str, StringConstraints(min_length=1, max_length=70), AfterValidator(_printable)]
Max140Text = Annotated[str, StringConstraints(min_length=1, max_length=140), AfterValidator(_printable)]


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
    amount: str

    @property
    def parsed(self) -> Money:
        """The amount it writes; raises `FormatError`."""
        try:
            return Money.parse(self.amount, self.currency)
        except ValueError as error:
            raise FormatError(str(error), path="instructedAmount.amount") from None


Model = TypeVar("Model", bound=Body)


def read_tpp_body(data: bytes, model: type[Model]) -> Model:
    """Read a TPP's body; raises `FormatError` that names the first field that is wrong."""
    try:
        return model.model_validate(_parsed(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        path = _path(first["loc"])
        raise FormatError(f"{path or 'the body'} {_reason(first)}", path=path or None) from None


def read_internal_body(data: bytes, model: type[Model]) -> Model:
    """Read an internal caller's body; raises `FieldsInvalid` that names every field that is wrong."""
    try:
        return model.model_validate(_parsed(data))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise FieldsInvalid({_path(fault["loc"]) or "body": _reason(fault) for fault in faults}) from None


def _parsed(data: bytes) -> object:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        _refuse_json(error)
    require_no_nul(data, document)
    return document


def _refuse_json(error: orjson.JSONDecodeError) -> NoReturn:
    raise FormatError(f"the body is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None


def _path(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _reason(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return _UNKNOWN_FIELD
    if fault["type"] == "missing":
        return "is missing"
    message = fault["msg"].removeprefix("Value error, ")
    return f"is wrong: {message[:1].lower()}{message[1:]}"
