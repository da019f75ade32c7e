"""A bank's personality: which of the options of NextGenPSD2 it takes, as one frozen type (BG IG 1.3.8 throughout).

Each field is read where it decides; `profiles` parses the files, `service` says which one a tenant's bank has.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.money import Money


class ScaApproach(StrEnum):
    """How a PSU comes to authorise (BG IG §4.6)."""

    OAUTH = "oauth"
    REDIRECT = "redirect"
    DECOUPLED = "decoupled"
    EMBEDDED = "embedded"

    @property
    def header(self) -> str:
        """The value of `ASPSP-SCA-Approach`: OAuth goes by the name of REDIRECT (BG IG §5.3.1)."""
        return "REDIRECT" if self is ScaApproach.OAUTH else self.name


class Demand(StrEnum):
    """What a bank does about something that a request may bring: look away, judge it where it is there, insist on it."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class PaymentService(StrEnum):
    """`payment-service` of the paths (BG IG §5.1)."""

    PAYMENTS = "payments"
    BULK = "bulk-payments"
    PERIODIC = "periodic-payments"


class PaymentProduct(StrEnum):
    """`payment-product` of the paths; each in JSON, and in pain.001 under `pain.001-…` (BG IG §5.1)."""

    SEPA = "sepa-credit-transfers"
    INSTANT = "instant-sepa-credit-transfers"
    TARGET_2 = "target-2-payments"
    CROSS_BORDER = "cross-border-credit-transfers"


class PaymentFormat(StrEnum):
    """How payments are written (BG IG §5.3.1, §5.3.2)."""

    JSON = "json"
    PAIN_001 = "pain.001"


class ConsentModel(StrEnum):
    """What a consent can be about (BG IG §6.1)."""

    DEDICATED = "dedicated"
    BANK_OFFERED = "bank-offered"
    GLOBAL = "global"
    AVAILABLE_ACCOUNTS = "available-accounts"
    AVAILABLE_ACCOUNTS_WITH_BALANCE = "available-accounts-with-balance"


class Service(StrEnum):
    """Services that a bank may leave out altogether (BG IG §1.3: optional for ASPSPs)."""

    SIGNING_BASKETS = "signing-baskets"
    CARD_ACCOUNTS = "card-accounts"
    TRANSACTION_DETAILS = "transaction-details"
    FUNDS_CONFIRMATIONS = "funds-confirmations"
    FUNDS_CONSENTS = "funds-consents"
    NOTIFICATIONS = "notifications"
    DELTA_LISTS = "delta-lists"
    DOWNLOADS = "downloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """How a bank answers. Tuples are in order of preference; names are those of the specification.

    `required_headers` are wanted on every call, `initiation_headers` on those that make a payment, consent or basket.
    `exemption_limit`: payments up to this are exempted from SCA (RTS 2018/389 Art. 16); None: none is.
    `history_days`: how far back a list of transactions goes; None: as far as the books.
    """

    name: str
    title: str
    description: str
    services: frozenset[Service]

    approaches: tuple[ScaApproach, ...]
    sca_methods: tuple[str, ...]
    multilevel: bool
    confirmation: bool
    exemption_limit: Money | None

    token: Demand
    signature: Demand
    required_headers: frozenset[str]
    initiation_headers: frozenset[str]
    strict_bodies: bool

    payment_services: frozenset[PaymentService]
    payment_products: frozenset[PaymentProduct]
    payment_formats: frozenset[PaymentFormat]
    cancellation_needs_authorisation: bool

    consent_models: frozenset[ConsentModel]
    recurring_consents: bool
    consent_lifetime_days: int
    frequency_per_day: int
    combined_service: bool

    owner_name: bool
    balance_types: tuple[str, ...]
    booking_statuses: frozenset[str]
    report_formats: tuple[str, ...]
    history_days: int | None

    def offers(self, service: Service) -> bool:
        """Whether this bank has the service."""
        return service in self.services
