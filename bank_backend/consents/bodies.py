"""The consent request as it goes over the wire (BG IG 1.3.8 §6.3.1.1, §14.16 to §14.18)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bank_backend.bodies import Body, Currency, Day, Iban
from bank_backend.references import AccountReference, parse_masked_pan, parse_pan

_MOST_REFERENCES = 50

Pan = Annotated[str, StringConstraints(max_length=35), AfterValidator(parse_pan)]
MaskedPan = Annotated[str, StringConstraints(max_length=35), AfterValidator(parse_masked_pan)]


class AccessReferenceBody(Body):
    """`accountReference` of an account or a card account; all accounts of this bank have an IBAN, all cards a PAN."""

    iban: Iban | None = None
    pan: Pan | None = None
    maskedPan: MaskedPan | None = None  # noqa: N815 - wire name
    bban: str | None = None
    msisdn: str | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _require_one_identification(self) -> AccessReferenceBody:
        if self.bban is not None or self.msisdn is not None:
            msg = "this bank knows accounts by iban, and cards by pan or maskedPan"
            raise ValueError(msg)
        if sum(value is not None for value in (self.iban, self.pan, self.maskedPan)) != 1:
            msg = "an account is named by exactly one of iban, pan and maskedPan"
            raise ValueError(msg)
        return self

    @property
    def parsed(self) -> AccountReference:
        """The reference it writes."""
        return AccountReference(self.iban or "", self.currency, pan=self.pan or "", masked_pan=self.maskedPan or "")


ReferenceList = Annotated[list[AccessReferenceBody], Field(max_length=_MOST_REFERENCES)]
AllAccountsText = Literal["allAccounts", "allAccountsWithOwnerName"]
CashAccountType = Annotated[str, StringConstraints(pattern="^[A-Z]{4}$")]


class AdditionalInformationBody(Body):
    """`additionalInformationAccess`; trusted beneficiaries, which this bank doesn't keep, are left aside (BG IG §6.3.1.1)."""

    ownerName: ReferenceList | None = None  # noqa: N815 - wire name
    trustedBeneficiaries: ReferenceList | None = None  # noqa: N815 - wire name


class AccessBody(Body):
    """`accountAccess`."""

    accounts: ReferenceList | None = None
    balances: ReferenceList | None = None
    transactions: ReferenceList | None = None
    additionalInformation: AdditionalInformationBody | None = None  # noqa: N815 - wire name
    availableAccounts: AllAccountsText | None = None  # noqa: N815 - wire name
    availableAccountsWithBalance: AllAccountsText | None = None  # noqa: N815 - wire name
    allPsd2: AllAccountsText | None = None  # noqa: N815 - wire name
    restrictedTo: Annotated[list[CashAccountType], Field(max_length=20)] | None = None  # noqa: N815 - wire name


class ConsentBody(Body):
    """`consents`."""

    access: AccessBody
    recurringIndicator: bool  # noqa: N815 - wire name
    validUntil: Day  # noqa: N815 - wire name
    frequencyPerDay: int  # noqa: N815 - wire name
    # Mandatory in the guidelines' table, absent in their own examples (§6.3.1): absent means false.
    combinedServiceIndicator: bool = False  # noqa: N815 - wire name
