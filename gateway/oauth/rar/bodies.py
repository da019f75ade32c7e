"""Entries of `authorization_details` as JSON: RFC 9396's own fields beside the Berlin Group's bodies (BG IG §5.3, §6.3, §10).

Shapes and sizes are judged here, so that a pushed request is refused at once; what needs the bank's books is the bank's.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from psd2.money import Money, currency_exponent

MOST_REFERENCES: Final = 50
_MOST_WORDS: Final = 10
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Those that are not seen, or that turn others round: what a PSU reads must be what is there (Unicode TR 36 §2).
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def _day(text: str) -> str:
    try:
        is_day = _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        is_day = False
    if not is_day:
        msg = "is no date: write one such as 2030-12-31"
        raise ValueError(msg)
    return text


def printable(text: str) -> str:
    """Return the text; raises `ValueError` where a PSU would not see what is in it."""
    if _CONTROL.search(text):
        msg = "holds a control character, or one that is not seen: write plain text on one line"
        raise ValueError(msg)
    return text


def _currency(text: str) -> str:
    try:
        currency_exponent(text)
    except ValueError:
        msg = "is no currency: write its ISO 4217 code, such as EUR"
        raise ValueError(msg) from None
    return text


Word = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]
Words = Annotated[list[Word], Field(min_length=1, max_length=_MOST_WORDS)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Iban = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{10,36}$")]
Currency = Annotated[str, AfterValidator(_currency)]
Day = Annotated[str, AfterValidator(_day)]
Text35 = Annotated[str, StringConstraints(min_length=1, max_length=35), AfterValidator(printable)]
Text70 = Annotated[str, StringConstraints(min_length=1, max_length=70), AfterValidator(printable)]
Text140 = Annotated[str, StringConstraints(min_length=1, max_length=140), AfterValidator(printable)]
AllAccounts = Literal["allAccounts", "allAccountsWithOwnerName"]


class Body(BaseModel):
    """A JSON object: types are strict, and a field that means nothing here is refused (RFC 9396 §5)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DetailBody(Body):
    """What an entry of any type can say (RFC 9396 §2.2)."""

    type: str
    locations: Words | None = None
    actions: Words | None = None
    datatypes: Words | None = None


class NamedBody(DetailBody):
    """An entry about a consent or payment that was made before: `identifier` is its id, and says everything else."""

    identifier: Identifier


class ReferenceBody(Body):
    """`accountReference`."""

    iban: Iban
    currency: Currency | None = None


class CardReferenceBody(Body):
    """`accountReference` of an account or a card account."""

    iban: Iban | None = None
    pan: Text35 | None = None
    maskedPan: Text35 | None = None  # noqa: N815 - wire name
    currency: Currency | None = None

    @model_validator(mode="after")
    def _require_one(self) -> CardReferenceBody:
        if sum(value is not None for value in (self.iban, self.pan, self.maskedPan)) != 1:
            msg = "names an account by exactly one of iban, pan and maskedPan"
            raise ValueError(msg)
        return self


References = Annotated[list[CardReferenceBody], Field(max_length=MOST_REFERENCES)]


class AdditionalInformationBody(Body):
    """`additionalInformationAccess`."""

    ownerName: References | None = None  # noqa: N815 - wire name
    trustedBeneficiaries: References | None = None  # noqa: N815 - wire name


class AccessBody(Body):
    """`accountAccess`."""

    accounts: References | None = None
    balances: References | None = None
    transactions: References | None = None
    additionalInformation: AdditionalInformationBody | None = None  # noqa: N815 - wire name
    availableAccounts: AllAccounts | None = None  # noqa: N815 - wire name
    availableAccountsWithBalance: AllAccounts | None = None  # noqa: N815 - wire name
    allPsd2: AllAccounts | None = None  # noqa: N815 - wire name
    restrictedTo: Words | None = None  # noqa: N815 - wire name

    @property
    def datatypes(self) -> frozenset[str]:
        """What is asked for: accounts in any case, balances and transactions where it says so."""
        balances = (self.balances, self.availableAccountsWithBalance, self.allPsd2)
        transactions = (self.transactions, self.allPsd2)
        asked = {"accounts": True, "balances": _is_any(balances), "transactions": _is_any(transactions)}
        return frozenset(name for name, is_asked in asked.items() if is_asked)


class AccountInformationBody(DetailBody):
    """`account_information`: the body of `POST /v1/consents`."""

    access: AccessBody
    recurringIndicator: bool  # noqa: N815 - wire name
    validUntil: Day  # noqa: N815 - wire name
    frequencyPerDay: Annotated[int, Field(ge=1, le=1000)]  # noqa: N815 - wire name


class AmountBody(Body):
    """`amount`: a currency and a decimal text."""

    currency: Currency
    amount: Annotated[str, StringConstraints(max_length=20)]

    @model_validator(mode="after")
    def _require_exact(self) -> AmountBody:
        try:
            is_positive = Money.parse(self.amount, self.currency).minor > 0
        except ValueError:
            is_positive = False
        if not is_positive:
            msg = f"holds no amount above zero in {self.currency}: write one such as 12.50, as a text"
            raise ValueError(msg)
        return self


class CreditorBody(Body):
    """`accountReference` of a payee anywhere: an IBAN or, where a country has none, a BBAN."""

    iban: Iban | None = None
    bban: Text35 | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _require_one(self) -> CreditorBody:
        if (self.iban is None) == (self.bban is None):
            msg = "names an account by exactly one of iban and bban"
            raise ValueError(msg)
        return self


class AddressBody(Body):
    """`address`."""

    streetName: Text70 | None = None  # noqa: N815 - wire name
    buildingNumber: Text35 | None = None  # noqa: N815 - wire name
    townName: Text70 | None = None  # noqa: N815 - wire name
    postCode: Text35 | None = None  # noqa: N815 - wire name
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class PaymentInitiationBody(DetailBody):
    """`payment_initiation`: the product of the path and the body of `POST /v1/payments/{product}`, in JSON."""

    paymentProduct: Literal[  # noqa: N815 - wire name
        "sepa-credit-transfers",
        "instant-sepa-credit-transfers",
        "target-2-payments",
        "cross-border-credit-transfers",
    ]
    debtorAccount: ReferenceBody  # noqa: N815 - wire name
    instructedAmount: AmountBody  # noqa: N815 - wire name
    creditorAccount: CreditorBody  # noqa: N815 - wire name
    creditorName: Text70  # noqa: N815 - wire name
    creditorAgent: Text35 | None = None  # noqa: N815 - wire name
    creditorAgentName: Text140 | None = None  # noqa: N815 - wire name
    creditorAddress: AddressBody | None = None  # noqa: N815 - wire name
    remittanceInformationUnstructured: Text140 | None = None  # noqa: N815 - wire name
    endToEndIdentification: Text35 | None = None  # noqa: N815 - wire name
    requestedExecutionDate: Day | None = None  # noqa: N815 - wire name
    chargeBearer: Annotated[str, StringConstraints(pattern="^[A-Z]{4}$")] | None = None  # noqa: N815 - wire name


class FundsConfirmationBody(DetailBody):
    """`funds_confirmation`: the body of `POST /v2/consents/confirmation-of-funds`."""

    account: ReferenceBody
    cardNumber: Text35 | None = None  # noqa: N815 - wire name
    cardExpiryDate: Day | None = None  # noqa: N815 - wire name
    cardInformation: Text140 | None = None  # noqa: N815 - wire name
    registrationInformation: Text140 | None = None  # noqa: N815 - wire name


def _is_any(values: tuple[object | None, ...]) -> bool:
    return any(value is not None for value in values)
