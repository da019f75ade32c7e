"""Access tokens that are for less than what was granted: some kinds of a consent's account data (RFC 9396 §6).

What a token was narrowed to stands in its scope beside the consent (`AIS:<consentId> AIS.accounts AIS.balances`), where the
bank reads it. A refresh token stays as wide as the grant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from gateway.oauth.rar.bodies import Body, Identifier, Words
from gateway.oauth.rar.reading import only_entry, refuse_faults, require_known, type_of
from gateway.oauth.rar.refusals import invalid_details
from gateway.oauth.scope import Service, resource_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.oauth.scope import BerlinScope

_MARK: Final = "AIS."
_ACCOUNTS: Final = "accounts"
_KINDS: Final = frozenset({_ACCOUNTS, "balances", "transactions"})
# Which fields of `access` grant a kind of data, beside naming the accounts.
_GRANTS: Final = {
    "balances": ("balances", "availableAccountsWithBalance", "allPsd2"),
    "transactions": ("transactions", "allPsd2"),
}
_CLAUSE: Final = "RFC 9396 §6.1"


class NarrowingBody(Body):
    """What a token request may say of the one thing that was granted."""

    type: str
    identifier: Identifier | None = None
    datatypes: Words | None = None


def narrowed_scope(scope: str, wanted: str | None, granted: Sequence[Mapping[str, Any]] | None) -> str:
    """Return the scope of an access token: that of the grant, or less where the token request asks for less.

    `wanted` is `authorization_details` of the token request, `granted` what is known of the grant; raises `OAuthRefused`.
    """
    if wanted is None:
        return scope
    entry = only_entry(wanted)
    type_ = type_of(entry)
    try:
        body = NarrowingBody.model_validate(entry)
    except ValidationError as error:
        refuse_faults(error)
    berlin = resource_of(scope)
    if type_.service is not berlin.service or body.identifier not in {None, berlin.resource}:
        raise invalid_details("$[0]", "is something else than what was granted", clause=_CLAUSE)
    if body.datatypes is None:
        return scope
    _require_granted(body.datatypes, berlin, granted)
    return " ".join([scope, *(f"{_MARK}{kind}" for kind in sorted({_ACCOUNTS, *body.datatypes}))])


def narrowed_details(details: Sequence[Mapping[str, Any]], scope: str) -> list[dict[str, Any]]:
    """Return what a token of this scope is for, of what was granted."""
    kinds = {value.removeprefix(_MARK) for value in scope.split(" ") if value.startswith(_MARK)}
    if not kinds:
        return [dict(entry) for entry in details]
    left_out = _KINDS - kinds
    return [
        dict(entry)
        | {"datatypes": sorted(kinds)}
        | {"access": {name: value for name, value in entry.get("access", {}).items() if name not in left_out}}
        for entry in details
    ]


def _require_granted(kinds: list[str], scope: BerlinScope, granted: Sequence[Mapping[str, Any]] | None) -> None:
    require_known("datatypes", kinds, set(_KINDS) if scope.service is Service.AIS else set())
    access = granted[0].get("access", {}) if granted else None
    for place, kind in enumerate(kinds):
        # Of a consent that the TPP made itself nothing is known here: the bank grants no more than that holds.
        if access is not None and kind != _ACCOUNTS and not any(name in access for name in _GRANTS[kind]):
            raise invalid_details(f"$[0].datatypes[{place}]", f"is {kind}, which was not granted", clause=_CLAUSE)
