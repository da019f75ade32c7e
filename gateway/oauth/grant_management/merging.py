"""What a merged grant is for: the accounts that it holds and those that are asked for, in one consent (Grant Management §5.2).

A consent says once and for all what it is about (BG IG §6.3), so that the PSU is asked for the whole, and then has one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gateway.oauth.rar.model import DetailType
from gateway.oauth.rar.reading import read_entry
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_grant, invalid_request, shown
from gateway.oauth.scope import Service, parse_scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.oauth.grant_management.model import Grant
    from gateway.oauth.rar.asked import Asked

_LISTS: Final = frozenset({"accounts", "balances", "transactions", "additionalInformation"})
_TERMS: Final = ("recurringIndicator", "validUntil", "frequencyPerDay")
_VALID: Final = "valid"
# They say again what access says, and access says more now.
_SAID_AGAIN: Final = ("actions", "datatypes")
_CLAUSE: Final = "Grant Management §5.2"


def require_mergeable(asked: Asked, grant: Grant) -> None:
    """Raise `OAuthRefused` unless what is asked for and what the grant holds are accounts that are named."""
    detail = asked.detail
    if detail is None or detail.type is not DetailType.ACCOUNT_INFORMATION or detail.identifier is not None:
        rule = (
            f"merge takes authorization_details of the type {DetailType.ACCOUNT_INFORMATION} whose access names the accounts"
            " to add; with anything else, replace makes the grant what is asked for"
        )
        raise invalid_request("grant_management_action", rule, clause=_CLAUSE)
    if not _names_accounts(detail.request["access"]):
        rule = "merge adds accounts that access names, by lists that are not empty; replace takes any access"
        raise invalid_request("grant_management_action", rule, clause=_CLAUSE)
    if parse_scope(grant.scope).service is not Service.AIS or not _names_accounts(grant.details[0].get("access", {})):
        rule = "names a grant that is not for named accounts, which nothing can be added to: use replace"
        raise invalid_request("grant_id", rule, clause=_CLAUSE)


def merged(asked: Asked, standing: Mapping[str, Any]) -> Asked:
    """Return what the PSU is asked for: all that stands at the bank, and what is asked for; raises `OAuthRefused`.

    The terms are the wider of both, so that the grant loses nothing.
    """
    status = standing.get("consentStatus")
    if asked.detail is None or status != _VALID:
        raise _nothing_held(status)
    told = {name: value for name, value in asked.detail.told.items() if name not in _SAID_AGAIN}
    wider = {name: max(told[name], standing.get(name, told[name])) for name in _TERMS}
    return replace(asked, detail=read_entry(told | wider | {"access": _union(standing.get("access", {}), told["access"])}))


def changed_meanwhile() -> OAuthRefused:
    """Return the refusal of a code whose grant is not any more what the PSU has approved together with what is new."""
    return invalid_grant(
        "code: the grant has changed since the PSU was asked to have this merged into it",
        reason="grant.changed",
        hint="ask the PSU again, with grant_management_action=merge: what the grant holds now will be part of it",
        clause=_CLAUSE,
    )


def _names_accounts(access: Mapping[str, Any]) -> bool:
    lists = [*access.values(), *access.get("additionalInformation", {}).values()]
    return bool(access) and set(access) <= _LISTS and all(lists)


def _union(held: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(held) | dict(added)
    for name in held.keys() & added.keys():
        is_nested = isinstance(held[name], dict)
        both[name] = _union(held[name], added[name]) if is_nested else _references(held[name], added[name])
    return both


def _references(held: Sequence[Mapping[str, str]], added: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return the accounts of both, each once; one without a currency is the account in all of them."""
    named = {_identity(reference): dict(reference) for reference in (*held, *added)}
    return [reference for (number, currency), reference in named.items() if not currency or (number, "") not in named]


def _identity(reference: Mapping[str, str]) -> tuple[str, str]:
    number = next(f"{name} {value}" for name, value in sorted(reference.items()) if name != "currency")
    return number.replace(" ", "").upper(), reference.get("currency", "")


def _nothing_held(status: object) -> OAuthRefused:
    held = shown(str(status))
    return OAuthRefused(
        Refusal(
            error="invalid_grant_id",
            description=f"grant_id: names a grant whose consent is {held} at the bank: there is nothing to merge with",
            reason="grant.consent_ended",
            hint="ask for all that is wanted, with grant_management_action=replace or create",
            clause=_CLAUSE,
        )
    )
