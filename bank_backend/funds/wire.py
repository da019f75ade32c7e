"""Funds consents and confirmations as JSON (XS2A-COFC 2.0; BG IG 1.3.8 §10.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from bank_backend.bodies import AmountBody, Body, Max35Text, Max70Text, Max140Text, ReferenceBody, read_tpp_body
from bank_backend.errors import FormatError
from bank_backend.funds.model import Card

if TYPE_CHECKING:
    from bank_backend.funds.model import FundsConsent
    from bank_backend.references import AccountReference
    from psd2.money import Money

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class FundsConsentBody(Body):
    """`consentsConfirmationOfFunds`."""

    account: ReferenceBody
    cardNumber: Max35Text | None = None  # noqa: N815 - wire name
    cardExpiryDate: str | None = None  # noqa: N815 - wire name
    cardInformation: Max140Text | None = None  # noqa: N815 - wire name
    registrationInformation: Max140Text | None = None  # noqa: N815 - wire name


class ConfirmationBody(Body):
    """`confirmationOfFunds`."""

    cardNumber: Max35Text | None = None  # noqa: N815 - wire name
    account: ReferenceBody
    payee: Max70Text | None = None
    instructedAmount: AmountBody  # noqa: N815 - wire name


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsConsentRequest:
    """What a card issuer asks for."""

    account: AccountReference
    card: Card
    registration_information: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsQuestion:
    """Whether the account covers the amount."""

    account: AccountReference
    amount: Money
    card_number: str


def parse_funds_consent_request(data: bytes) -> FundsConsentRequest:
    """Read the body of `POST /v2/consents/confirmation-of-funds`; raises `FormatError`, naming the field."""
    body = read_tpp_body(data, FundsConsentBody)
    card = Card(number=body.cardNumber or "", expiry=_expiry(body.cardExpiryDate), information=body.cardInformation or "")
    return FundsConsentRequest(
        account=body.account.parsed, card=card, registration_information=body.registrationInformation or ""
    )


def _expiry(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        expiry = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        expiry = None
    if expiry is None:
        raise FormatError(f"cardExpiryDate {text[:20]!r} is no date: write one such as 2030-12-31", path="cardExpiryDate")
    return expiry


def parse_funds_question(data: bytes) -> FundsQuestion:
    """Read the body of `POST /v1/funds-confirmations`; raises `FormatError`, naming the field."""
    body = read_tpp_body(data, ConfirmationBody)
    amount = body.instructedAmount.parsed
    if amount.minor <= 0:
        raise FormatError(f"{amount} is no amount to ask about: name one above zero", path="instructedAmount.amount")
    return FundsQuestion(account=body.account.parsed, amount=amount, card_number=body.cardNumber or "")


def funds_consent_as_json(consent: FundsConsent) -> dict[str, object]:
    """Write `ConsentConfirmationOfFundsContentResponse`."""
    account = {"iban": consent.account.iban}
    if consent.account.currency:
        account["currency"] = consent.account.currency
    optional = {
        "cardNumber": consent.card.number,
        "cardExpiryDate": "" if consent.card.expiry is None else consent.card.expiry.isoformat(),
        "cardInformation": consent.card.information,
        "registrationInformation": consent.registration_information,
    }
    given = {name: value for name, value in optional.items() if value}
    return {"account": account, **given, "consentStatus": consent.status.value}
