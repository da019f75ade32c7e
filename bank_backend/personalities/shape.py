"""The shape of a personality file: every key with its type; what it parses to is `Personality`."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from bank_backend.personalities.model import (
    ConsentModel,
    Demand,
    PaymentFormat,
    PaymentProduct,
    PaymentService,
    Personality,
    ScaApproach,
    Service,
)
from psd2.money import Money

_MOST_HEADERS = 20
_LONGEST_LIFETIME_DAYS = 180
_LONGEST_HISTORY_DAYS = 3650
_MOST_PER_DAY = 100
_EXEMPTION_CURRENCY = "EUR"

_Name = TypeVar("_Name")


def _distinct(values: tuple[_Name, ...]) -> tuple[_Name, ...]:
    if len(set(values)) != len(values):
        raise ValueError("names something twice: name each once")
    return values


def _amount(text: str) -> str:
    if Money.parse(text, _EXEMPTION_CURRENCY).minor < 0:
        raise ValueError("is below zero: write 0 for none")
    return text


Several = Annotated[tuple[_Name, ...], AfterValidator(_distinct)]
HeaderName = Annotated[str, StringConstraints(pattern="^[A-Za-z]+(-[A-Za-z]+)*$", max_length=60)]
HeaderNames = Annotated[Several[HeaderName], Field(max_length=_MOST_HEADERS)]
_METHOD = "^(sms|email|totp|push|passkey)$"
_BALANCE = "^(interimAvailable|interimBooked|expected|closingBooked|openingBooked|forwardAvailable|nonInvoiced)$"
_BOOKING_STATUS = "^(booked|pending|both|information|all)$"
_REPORT_FORMAT = "^(application/json|application/xml|text/plain)$"


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ScaShape(_Table):
    """`[sca]`."""

    approaches: Annotated[Several[ScaApproach], Field(min_length=1)]
    methods: Several[Annotated[str, StringConstraints(pattern=_METHOD)]]
    multilevel: bool
    confirmation: bool
    exempt_up_to: Annotated[str, AfterValidator(_amount)]


class RequestsShape(_Table):
    """`[requests]`."""

    token: Demand
    signature: Demand
    headers: HeaderNames
    headers_to_initiate: HeaderNames
    unknown_fields: Annotated[str, StringConstraints(pattern="^(refused|ignored)$")]


class PaymentsShape(_Table):
    """`[payments]`."""

    services: Several[PaymentService]
    products: Several[PaymentProduct]
    formats: Several[PaymentFormat]
    cancellation_needs_authorisation: bool


class ConsentsShape(_Table):
    """`[consents]`."""

    models: Several[ConsentModel]
    recurring: bool
    lifetime_days: Annotated[int, Field(ge=1, le=_LONGEST_LIFETIME_DAYS)]
    frequency_per_day: Annotated[int, Field(ge=1, le=_MOST_PER_DAY)]
    combined_service: bool


class AccountsShape(_Table):
    """`[accounts]`."""

    owner_name: bool
    balances: Annotated[Several[Annotated[str, StringConstraints(pattern=_BALANCE)]], Field(min_length=1)]
    booking_statuses: Several[Annotated[str, StringConstraints(pattern=_BOOKING_STATUS)]]
    report_formats: Several[Annotated[str, StringConstraints(pattern=_REPORT_FORMAT)]]
    history_days: Annotated[int, Field(ge=0, le=_LONGEST_HISTORY_DAYS)]


class ProfileShape(_Table):
    """A whole file, what it extends included."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    description: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    services: Several[Service]
    sca: ScaShape
    requests: RequestsShape
    payments: PaymentsShape
    consents: ConsentsShape
    accounts: AccountsShape

    def personality(self, name: str) -> Personality:
        """Return what it says; whether it makes sense as a whole is `contradictions`' to tell."""
        sca, requests, payments, consents, accounts = self.sca, self.requests, self.payments, self.consents, self.accounts
        exempted = Money.parse(sca.exempt_up_to, _EXEMPTION_CURRENCY)
        return Personality(
            name=name,
            title=self.title,
            description=self.description,
            services=frozenset(self.services),
            approaches=sca.approaches,
            sca_methods=sca.methods,
            multilevel=sca.multilevel,
            confirmation=sca.confirmation,
            exemption_limit=exempted if exempted.minor else None,
            token=requests.token,
            signature=requests.signature,
            required_headers=frozenset(requests.headers),
            initiation_headers=frozenset(requests.headers_to_initiate),
            strict_bodies=requests.unknown_fields == "refused",
            payment_services=frozenset(payments.services),
            payment_products=frozenset(payments.products),
            payment_formats=frozenset(payments.formats),
            cancellation_needs_authorisation=payments.cancellation_needs_authorisation,
            consent_models=frozenset(consents.models),
            recurring_consents=consents.recurring,
            consent_lifetime_days=consents.lifetime_days,
            frequency_per_day=consents.frequency_per_day,
            combined_service=consents.combined_service,
            owner_name=accounts.owner_name,
            balance_types=accounts.balances,
            booking_statuses=frozenset(accounts.booking_statuses),
            report_formats=accounts.report_formats,
            history_days=accounts.history_days or None,
        )
