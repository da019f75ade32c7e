"""The two columns that hold JSON, `particulars` and `exchange`: read as strictly as the others before the books take them.

What stands in the books is written into statements and counted with, and can't be corrected there.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bank_backend.bodies import Currency
from bank_backend.data.lines import Text35, Text140, Text500
from bank_backend.ledger.exchange import Exchange
from bank_backend.ledger.particulars import Particulars, particulars_from_json

_MOST_MINOR: Final = 10**15
_MOST_RATE: Final = 10**15
_MOST_BATCH: Final = 1_000_000
# As many as a bulk of this bank holds.
_MOST_TOLD: Final = 200

_Minor = Annotated[int, Field(ge=-_MOST_MINOR, le=_MOST_MINOR)]
_Percent = Annotated[str, Field(pattern=r"^-?[0-9]{1,6}(\.[0-9]{1,6})?$")]


class _Annex(BaseModel):
    # What a later revision exports besides is no reason to fail.
    model_config = ConfigDict(extra="ignore", strict=True)


class _Card(_Annex):
    masked_pan: Text35
    merchant_category: Text35 = ""
    acceptor_id: Text35 = ""
    terminal_id: Text35 = ""
    town: Text140 = ""
    country: Text35 = ""
    phone: Text35 = ""
    original: Annotated[tuple[_Minor, Currency], Field(strict=False)] | None = None
    markup_fee: Annotated[tuple[_Minor, Currency], Field(strict=False)] | None = None
    markup_percent: _Percent | None = None


class _Exchanged(_Annex):
    source_currency: Currency
    target_currency: Currency
    rate_e8: Annotated[int, Field(ge=1, le=_MOST_RATE)]
    quotation_date: date
    contract: Text35


class _Part(_Annex):
    amount_minor: _Minor
    creditor_name: Text140 = ""
    creditor_iban: Text35 = ""
    creditor_agent: Text35 = ""
    ultimate_debtor: Text140 = ""
    ultimate_creditor: Text140 = ""
    end_to_end_id: Text35 = ""
    remittance: Text140 = ""
    structured_reference: Text140 = ""
    purpose: Text35 = ""
    exchange: _Exchanged | None = None


class _Particulars(_Annex):
    debtor_agent: Text35 = ""
    creditor_agent: Text35 = ""
    ultimate_debtor: Text140 = ""
    ultimate_creditor: Text140 = ""
    purpose: Text35 = ""
    structured_reference: Text140 = ""
    additional_information: Text500 = ""
    batch_size: Annotated[int, Field(ge=1, le=_MOST_BATCH)] | None = None
    batch: Annotated[list[_Part], Field(min_length=1, max_length=_MOST_TOLD)] | None = None
    card: _Card | None = None


class _Exchange(_Annex):
    sourceCurrency: Currency  # noqa: N815 - a member
    targetCurrency: Currency  # noqa: N815 - a member
    rateE8: Annotated[int, Field(ge=1, le=_MOST_RATE)]  # noqa: N815 - a member
    quotationDate: date  # noqa: N815 - a member
    contract: Text35


_Kind = TypeVar("_Kind", bound=_Annex)


def read_particulars(text: str) -> Particulars | None:
    """Read the column; raises `ValueError` with what is wrong where."""
    return particulars_from_json(_read(_Particulars, text).model_dump(mode="json", exclude_unset=True)) if text else None


def read_exchange(text: str) -> Exchange | None:
    """Read the column; raises `ValueError` with what is wrong where."""
    if not text:
        return None
    body = _read(_Exchange, text)
    return Exchange(
        source_currency=body.sourceCurrency,
        target_currency=body.targetCurrency,
        rate_e8=body.rateE8,
        quotation_date=body.quotationDate,
        contract=body.contract,
    )


def _read(kind: type[_Kind], text: str) -> _Kind:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place + ': ' if place else ''}{first['msg']}") from None
