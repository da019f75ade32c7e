"""Consents as JSON: the request read into a model, the model written as an answer (BG IG 1.3.8 §6.3, §14.16)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StringConstraints

from bank_backend.bodies import Body, ReferenceBody, read_tpp_body
from bank_backend.consents.model import LONGEST_VALIDITY, MOST_PER_DAY, Access, AllAccounts, Consent
from bank_backend.errors import BankError, FormatError, ParameterNotSupported, PeriodInvalid
from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from bank_backend.consents.model import References

_MOST_REFERENCES = 50
_WHOLE = ("availableAccounts", "availableAccountsWithBalance", "allPsd2")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class SessionsNotSupported(BankError):
    """`combinedServiceIndicator` is true, and this bank combines no services (400: BG IG §14.11.3)."""

    code: ClassVar[MessageCode] = MessageCode.SESSIONS_NOT_SUPPORTED
    problem_code = "consent.sessions"
    title = "Combined services are not offered"


ReferenceList = Annotated[list[ReferenceBody], Field(max_length=_MOST_REFERENCES)]
AllAccountsText = Annotated[str, StringConstraints(pattern="^(allAccounts|allAccountsWithOwnerName)$")]


class AdditionalInformationBody(Body):
    """`additionalInformationAccess`."""

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


class ConsentBody(Body):
    """`consents`."""

    access: AccessBody
    recurringIndicator: bool  # noqa: N815 - wire name
    validUntil: str  # noqa: N815 - wire name
    frequencyPerDay: int  # noqa: N815 - wire name
    # Mandatory in the guidelines' table, absent in their own examples (§6.3.1): absent means false.
    combinedServiceIndicator: bool = False  # noqa: N815 - wire name


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What a TPP asks for, checked. `valid_until` is already cut to what the bank grants."""

    access: Access
    recurring: bool
    valid_until: date
    frequency_per_day: int


def parse_consent_request(data: bytes, *, today: date) -> ConsentRequest:
    """Read the body of `POST /v1/consents`; raises `FormatError` and its kin, naming the field."""
    body = read_tpp_body(data, ConsentBody)
    if body.combinedServiceIndicator:
        raise SessionsNotSupported(
            "this bank combines no account information with a payment in one session: send false",
            path="combinedServiceIndicator",
        )
    _require_frequency(body.frequencyPerDay, recurring=body.recurringIndicator)
    return ConsentRequest(
        access=_access(body.access),
        recurring=body.recurringIndicator,
        valid_until=_valid_until(body.validUntil, today),
        frequency_per_day=body.frequencyPerDay,
    )


def _require_frequency(frequency: int, *, recurring: bool) -> None:
    if not recurring and frequency != 1:
        text = f"frequencyPerDay is {frequency}, and a consent for one access (recurringIndicator false) has 1"
        raise FormatError(text, path="frequencyPerDay")
    if not 1 <= frequency <= MOST_PER_DAY:
        raise FormatError(f"frequencyPerDay is {frequency}: ask for 1 to {MOST_PER_DAY}", path="frequencyPerDay")


def _valid_until(text: str, today: date) -> date:
    """Return the date, cut to the longest validity (BG IG §6.3.1.1: `9999-12-31` asks for the maximum)."""
    try:
        asked = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        asked = None
    if asked is None:
        raise FormatError(f"validUntil {text[:20]!r} is no date: write one such as 2030-12-31", path="validUntil")
    if asked < today:
        raise PeriodInvalid(f"validUntil {asked} has passed: name today ({today}) or a later day", path="validUntil")
    return min(asked, today + LONGEST_VALIDITY)


def _access(body: AccessBody) -> Access:
    named = body.model_fields_set & set(AccessBody.model_fields)
    lists = {"accounts": body.accounts, "balances": body.balances, "transactions": body.transactions}
    _require_one_model(named)
    extra = body.additionalInformation
    if extra is not None and extra.trustedBeneficiaries is not None:
        path = "access.additionalInformation.trustedBeneficiaries"
        raise ParameterNotSupported("this bank keeps no lists of trusted beneficiaries: leave them out", path=path)
    owner_name = None if extra is None else extra.ownerName
    access = Access(
        **{name: _references(value) for name, value in lists.items()},
        owner_name=_references(owner_name),
        available_accounts=_all(body.availableAccounts),
        available_accounts_with_balance=_all(body.availableAccountsWithBalance),
        all_psd2=_all(body.allPsd2),
    )
    _require_consistent(access)
    return access


def _require_one_model(named: set[str]) -> None:
    if not named - {"additionalInformation"}:
        text = "access names nothing: give accounts, balances, transactions, availableAccounts or allPsd2"
        raise FormatError(text, path="access")
    whole = sorted(named & set(_WHOLE))
    if whole and len(named) > 1:
        raise FormatError(f"{whole[0]} already names every account: it stands alone in access", path=f"access.{whole[0]}")


def _require_consistent(access: Access) -> None:
    """BG IG §14.16: lists are all empty or all filled, and the owner's name is asked of accounts that are asked for."""
    lists = {"accounts": access.accounts, "balances": access.balances, "transactions": access.transactions}
    given = {name: value for name, value in lists.items() if value is not None}
    empty = sorted(name for name, value in given.items() if not value)
    if empty and len(empty) < len(given):
        text = f"access.{empty[0]} is empty and another list is not: leave all to the bank (all empty) or name all accounts"
        raise FormatError(text, path=f"access.{empty[0]}")
    foreign = set(access.owner_name or ()) - set(access.references)
    if foreign:
        text = "ownerName is asked of an account that accounts, balances and transactions don't name"
        raise FormatError(text, path="access.additionalInformation.ownerName")


def _references(bodies: list[ReferenceBody] | None) -> References | None:
    return None if bodies is None else tuple(dict.fromkeys(body.parsed for body in bodies))


def _all(text: str | None) -> AllAccounts | None:
    return None if text is None else AllAccounts(text)


def access_as_json(access: Access) -> dict[str, object]:
    """Write `accountAccess`; only what was asked for appears."""
    owner_name = _references_as_json(access.owner_name)
    body: dict[str, object | None] = {
        "accounts": _references_as_json(access.accounts),
        "balances": _references_as_json(access.balances),
        "transactions": _references_as_json(access.transactions),
        "additionalInformation": None if owner_name is None else {"ownerName": owner_name},
        "availableAccounts": access.available_accounts,
        "availableAccountsWithBalance": access.available_accounts_with_balance,
        "allPsd2": access.all_psd2,
    }
    return {name: value for name, value in body.items() if value is not None}


def _references_as_json(references: References | None) -> list[dict[str, str]] | None:
    if references is None:
        return None
    return [{"iban": each.iban} | ({"currency": each.currency} if each.currency else {}) for each in references]


def access_from_json(body: dict[str, object]) -> Access:
    """Read what `access_as_json` wrote: the store keeps the access in its wire form."""
    return _access(AccessBody.model_validate(body))


def consent_as_json(consent: Consent) -> dict[str, object]:
    """Write `consentInformationResponse-200_json`."""
    return {
        "access": access_as_json(consent.access),
        "recurringIndicator": consent.recurring,
        "validUntil": consent.valid_until.isoformat(),
        "frequencyPerDay": consent.frequency_per_day,
        "lastActionDate": consent.last_action.isoformat(),
        "consentStatus": consent.status.value,
        "_links": {"account": {"href": "/v1/accounts"}},
    }
