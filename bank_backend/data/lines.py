"""The lines of test data as they are brought in and taken out: one kind for each file, each field a column.

Amounts are decimal texts with the currency's digits; an empty text in a CSV file is a field that is left out.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from bank_backend.accounts.model import AccountStatus, AccountUsage
from bank_backend.bodies import Currency, Max70Text, Max140Text, require_printable
from bank_backend.references import parse_iban, parse_number, parse_pan
from psd2.money import Money

_CODE: Final = r"^[A-Z]{4}-[A-Z]{4}-[A-Z]{4}$"
_LOGIN: Final = r"^[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]$"
_ID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def _optional_iban(text: str) -> str:
    return parse_iban(text) if text else text


def _optional_number(text: str) -> str:
    return parse_number(text) if text else text


def _optional_pan(text: str) -> str:
    return parse_pan(text) if text else text


Text32 = Annotated[str, StringConstraints(max_length=32), AfterValidator(require_printable)]
Text35 = Annotated[str, StringConstraints(max_length=35), AfterValidator(require_printable)]
Text70 = Annotated[str, StringConstraints(max_length=70), AfterValidator(require_printable)]
Text120 = Annotated[str, StringConstraints(max_length=120), AfterValidator(require_printable)]
Text140 = Annotated[str, StringConstraints(max_length=140), AfterValidator(require_printable)]
Text200 = Annotated[str, StringConstraints(max_length=200), AfterValidator(require_printable)]
Text500 = Annotated[str, StringConstraints(max_length=500), AfterValidator(require_printable)]
Login = Annotated[str, StringConstraints(pattern=_LOGIN)]
MaybeIban = Annotated[str, StringConstraints(max_length=34), AfterValidator(_optional_iban)]
MaybeNumber = Annotated[str, StringConstraints(max_length=34), AfterValidator(_optional_number)]
MaybePan = Annotated[str, StringConstraints(max_length=19), AfterValidator(_optional_pan)]


class Line(BaseModel):
    """A line; a column that is not known is refused. Numbers and dates may be texts, as CSV has nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    @field_validator("amount", "booked", "available", check_fields=False)
    @classmethod
    def _exact(cls, value: str | None, info: ValidationInfo) -> str | None:
        # Here already, so that it is told beside all other mistakes of form.
        if value is not None and "currency" in info.data:
            Money.parse(value, info.data["currency"])
        return value


class PsuLine(Line):
    """A person who can log in."""

    psu: Login
    name: Max70Text
    email: Text120 = ""
    phone: Text32 = ""
    purpose: Text200 = ""


class AccountLine(Line):
    """An account: of an IBAN, or a card's (`pan`). `holders` are logins, divided by spaces."""

    iban: MaybeIban = ""
    pan: MaybePan = ""
    currency: Currency
    name: Max70Text
    product: Text35 = ""
    ownerName: Max140Text  # noqa: N815 - a column
    holders: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    bic: Annotated[str, StringConstraints(pattern=r"^([A-Z0-9]{8}([A-Z0-9]{3})?)?$")] = ""
    cashAccountType: Annotated[str, StringConstraints(pattern=r"^[A-Z]{4}$")] = "CACC"  # noqa: N815 - a column
    status: AccountStatus = AccountStatus.ENABLED
    usage: AccountUsage = AccountUsage.PRIVATE
    creditLimit: str = "0"  # noqa: N815 - a column
    displayName: Text70 = ""  # noqa: N815 - a column
    details: Text500 = ""
    signaturesRequired: Annotated[int, Field(ge=1, le=10)] = 1  # noqa: N815 - a column
    billingDay: Annotated[int, Field(ge=1, le=28)] | None = None  # noqa: N815 - a column
    settlesWith: MaybeIban = ""  # noqa: N815 - a column


class TransactionLine(Line):
    """A movement in the book of one account. Lines with the same `id` are one movement between accounts of this bank."""

    account: Annotated[str, StringConstraints(min_length=1, max_length=34)]
    currency: Currency
    amount: str
    status: Literal["booked", "pending"] = "booked"
    bookingDate: date | None = None  # noqa: N815 - a column
    valueDate: date | None = None  # noqa: N815 - a column
    at: AwareDatetime | None = None
    id: Annotated[str, StringConstraints(pattern=_ID)] | None = None
    debtorName: Text140 = ""  # noqa: N815 - a column
    debtorIban: MaybeNumber = ""  # noqa: N815 - a column
    creditorName: Text140 = ""  # noqa: N815 - a column
    creditorIban: MaybeNumber = ""  # noqa: N815 - a column
    remittance: Text140 = ""
    code: Annotated[str, StringConstraints(pattern=_CODE)] | None = None
    endToEndId: Text35 = ""  # noqa: N815 - a column
    mandateId: Text35 = ""  # noqa: N815 - a column
    creditorId: Text35 = ""  # noqa: N815 - a column
    # Objects, in a CSV file as JSON: what only some movements tell, and the rate of an exchange.
    particulars: Annotated[str, StringConstraints(max_length=4_000)] = ""
    exchange: Annotated[str, StringConstraints(max_length=400)] = ""


class BalanceLine(Line):
    """What an account has: all that is booked, and what can be spent. Checked against the transactions.

    Where an account has no transactions, its booked balance is brought forward.
    """

    account: Annotated[str, StringConstraints(min_length=1, max_length=34)]
    currency: Currency
    booked: str
    available: str | None = None


FILES: Final[dict[str, type[Line]]] = {
    "psus": PsuLine,
    "accounts": AccountLine,
    "transactions": TransactionLine,
    "balances": BalanceLine,
}
MOST_LINES: Final = {"psus": 200, "accounts": 500, "transactions": 50_000, "balances": 500}
