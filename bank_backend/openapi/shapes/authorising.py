"""Authorisations, consents and signing baskets as they are answered (BG IG 1.3.8 §6.3, §7, §8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bank_backend.authorisations.model import ScaStatus  # noqa: TC001 - pydantic reads it
from bank_backend.consents.model import AllAccounts, ConsentStatus  # noqa: TC001 - as above
from bank_backend.openapi.shapes.base import AccountReference, Amount, Day, Links, Shape, TppMessage
from bank_backend.payments.model import TransactionStatus  # noqa: TC001 - pydantic reads it


class ScaMethod(Shape):
    """`authenticationObject`: one way for the PSU to prove itself."""

    authentication_type: Literal["SMS_OTP", "CHIP_OTP", "PHOTO_OTP", "PUSH_OTP", "SMTP_OTP"]
    authentication_version: str | None = None
    authentication_method_id: str
    name: str | None = None
    explanation: str | None = None


class ChallengeData(Shape):
    """`challengeData`: what the TPP tells the PSU to enter."""

    image: str | None = None
    data: list[str] | None = None
    image_link: str | None = None
    otp_max_length: int | None = None
    otp_format: Literal["characters", "integer"] | None = None
    additional_information: str | None = None


class Authorising(Shape):
    """What stands in every answer that begins or furthers an authorisation."""

    sca_methods: list[ScaMethod] | None = None
    chosen_sca_method: ScaMethod | None = None
    challenge_data: ChallengeData | None = None
    psu_message: str | None = Field(None, max_length=500)
    tpp_messages: list[TppMessage] | None = Field(None, description="Warnings, such as of fields that were ignored.")


class Begun(Authorising):
    """What stands in the answer about something new that waits for its PSU."""

    links: Links = Field(alias="_links")


class AuthorisationStarted(Begun):
    """`startScaprocessResponse`."""

    sca_status: ScaStatus
    authorisation_id: str


class PsuDataUpdated(Authorising):
    """What came of the PSU's data: what is to be done next depends on the status."""

    sca_status: ScaStatus
    authorisation_id: str | None = None
    transaction_fees: Amount | None = None
    currency_conversion_fees: Amount | None = None
    estimated_total_amount: Amount | None = None
    estimated_interbank_settlement_amount: Amount | None = None
    links: Links | None = Field(None, alias="_links")


class Authorisations(Shape):
    """`authorisations`: the ids of those that were started."""

    authorisation_ids: list[str]


class ScaStatusAnswer(Shape):
    """`scaStatusResponse`."""

    sca_status: ScaStatus
    psu_message: str | None = Field(None, max_length=500)
    trusted_beneficiary_flag: bool | None = None
    links: Links | None = Field(None, alias="_links")


class ConsentCreated(Begun):
    """A consent, or a funds consent, waits for its PSU."""

    consent_status: ConsentStatus
    consent_id: str


class ConsentStatusAnswer(Shape):
    """The status of a consent."""

    consent_status: ConsentStatus
    psu_message: str | None = Field(None, max_length=500)


class AdditionalInformation(Shape):
    """`additionalInformationAccess`."""

    owner_name: list[AccountReference] | None = None
    trusted_beneficiaries: list[AccountReference] | None = None


class AccountAccess(Shape):
    """`accountAccess`: what the consent covers."""

    accounts: list[AccountReference] | None = None
    balances: list[AccountReference] | None = None
    transactions: list[AccountReference] | None = None
    additional_information: AdditionalInformation | None = None
    available_accounts: AllAccounts | None = None
    available_accounts_with_balance: AllAccounts | None = None
    all_psd2: AllAccounts | None = None
    restricted_to: list[str] | None = None


class Consent(Shape):
    """A consent as it stands."""

    access: AccountAccess
    recurring_indicator: bool
    valid_until: Day
    frequency_per_day: int = Field(ge=1)
    last_action_date: Day
    consent_status: ConsentStatus
    links: Links | None = Field(None, alias="_links")


class FundsConsent(Shape):
    """A consent to confirm funds."""

    account: AccountReference
    card_number: str | None = None
    card_expiry_date: Day | None = None
    card_information: str | None = None
    registration_information: str | None = None
    consent_status: ConsentStatus


class FundsAnswer(Shape):
    """Whether the account covers the amount."""

    funds_available: bool
    tpp_messages: list[TppMessage] | None = Field(None, description="Warnings, such as of fields that were ignored.")


class BasketCreated(Begun):
    """A signing basket waits for its PSU."""

    transaction_status: TransactionStatus
    basket_id: str


class Basket(Shape):
    """A signing basket as it stands."""

    payments: list[str] | None = None
    consents: list[str] | None = None
    transaction_status: TransactionStatus
    links: Links | None = Field(None, alias="_links")


class BasketStatus(Shape):
    """The status of a signing basket."""

    transaction_status: TransactionStatus
