"""Consents as JSON, and the access as the store keeps it: in its wire form (BG IG 1.3.8 §6.3.3, §14.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bank_backend.consents.model import Access, AllAccounts
from bank_backend.references import AccountReference, reference_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.consents.model import Consent, References

_ACCOUNTS, _CARD_ACCOUNTS = {"href": "/v1/accounts"}, {"href": "/v1/card-accounts"}


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
        "restrictedTo": None if access.restricted_to is None else list(access.restricted_to),
    }
    return {name: value for name, value in body.items() if value is not None}


def access_from_json(body: Mapping[str, Any]) -> Access:
    """Read what `access_as_json` wrote. Every reading of account data comes by here: nothing is checked again."""
    extra, restricted_to = body.get("additionalInformation"), body.get("restrictedTo")
    return Access(
        accounts=_references(body.get("accounts")),
        balances=_references(body.get("balances")),
        transactions=_references(body.get("transactions")),
        owner_name=None if extra is None else _references(extra.get("ownerName")),
        available_accounts=_all(body.get("availableAccounts")),
        available_accounts_with_balance=_all(body.get("availableAccountsWithBalance")),
        all_psd2=_all(body.get("allPsd2")),
        restricted_to=None if restricted_to is None else tuple(restricted_to),
    )


def consent_as_json(consent: Consent) -> dict[str, object]:
    """Write `consentInformationResponse-200_json`; links lead where the consent does."""
    return {
        "access": access_as_json(consent.access),
        "recurringIndicator": consent.recurring,
        "validUntil": consent.valid_until.isoformat(),
        "frequencyPerDay": consent.frequency_per_day,
        "lastActionDate": consent.last_action.isoformat(),
        "consentStatus": consent.status.value,
        "_links": _links(consent.access),
    }


def _links(access: Access) -> dict[str, object]:
    named = access.references
    links: dict[str, object] = {}
    if not named or any(reference.iban for reference in named):
        links["account"] = _ACCOUNTS
    if not named or not all(reference.iban for reference in named):
        links["cardAccount"] = _CARD_ACCOUNTS
    return links


def _references_as_json(references: References | None) -> list[dict[str, str]] | None:
    return None if references is None else [reference_json(each) for each in references]


def _references(bodies: object) -> References | None:
    if bodies is None:
        return None
    return tuple(_reference(body) for body in cast("list[dict[str, str]]", bodies))


def _reference(body: Mapping[str, str]) -> AccountReference:
    return AccountReference(
        body.get("iban", ""), body.get("currency"), pan=body.get("pan", ""), masked_pan=body.get("maskedPan", "")
    )


def _all(text: str | None) -> AllAccounts | None:
    return None if text is None else AllAccounts(text)
