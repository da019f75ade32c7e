"""Makes at the bank what a request asks for, tells what was granted, and ends what nobody wants (RFC 9396 §7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chassis.logs import get_logger
from gateway.oauth.bank import BankUnavailable, ResourceUnknown
from gateway.oauth.rar.bank import NewResource, ResourceRefused
from gateway.oauth.rar.model import TYPES
from gateway.oauth.rar.refusals import invalid_details
from gateway.oauth.refusals import invalid_scope, shown
from gateway.oauth.scope import BerlinScope, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.oauth.rar.asked import Asked
    from gateway.oauth.rar.bank import ResourceBank
    from gateway.oauth.refusals import OAuthRefused

_MOST_FAULTS: Final = 3
_MOST_WORDS: Final = 300
# RFC 9396 §7.1: what the server adds to what was asked for.
_ID_FIELD: Final = {Service.AIS: "consentId", Service.PIS: "paymentId", Service.PIIS: "consentId"}

_STATUS_FIELD: Final = {Service.AIS: "consentStatus", Service.PIS: "transactionStatus", Service.PIIS: "consentStatus"}


class Resources:
    """Consents and payments that authorization requests are about."""

    def __init__(self, bank: ResourceBank) -> None:
        self._bank = bank

    def made(self, asked: Asked, *, tenant: str) -> BerlinScope:
        """Return what is put before the PSU, made where it is not there yet; raises `OAuthRefused`, `BankUnavailable`."""
        if asked.resource is not None:
            return BerlinScope(asked.service, asked.resource)
        try:
            return BerlinScope(asked.service, self._bank.make(to_make(asked, tenant=tenant)))
        except ResourceRefused as refused:
            raise not_made(asked, refused) from refused

    def granted(self, scope: BerlinScope, *, tenant: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of `authorization_details` as granted: as `told` by the TPP, and as it stands at the bank.

        Raises `BankUnavailable`.
        """
        try:
            standing = self._bank.standing(scope, tenant=tenant)
        except ResourceUnknown as error:
            raise BankUnavailable(f"the bank no longer knows {scope}") from error
        return granted_entry(scope, asked=told, standing=standing.told)

    def standing(self, entry: Mapping[str, Any], scope: BerlinScope, *, tenant: str) -> dict[str, Any]:
        """Return a granted entry as the bank tells it now, with its status; as it was where the bank knows it no longer.

        Raises `BankUnavailable`.
        """
        try:
            standing = self._bank.standing(scope, tenant=tenant)
        except ResourceUnknown:
            return dict(entry)
        return dict(entry) | dict(standing.told) | {_STATUS_FIELD[scope.service]: standing.status}

    def end(self, scope: BerlinScope, *, tenant: str) -> None:
        """End it; raises `BankUnavailable`."""
        self._bank.end(scope, tenant=tenant)

    def give_up(self, scope: BerlinScope, *, tenant: str) -> None:
        """End what nobody will be told of, as soon as the bank can be reached: it turns it down by itself before long."""
        try:
            self._bank.end(scope, tenant=tenant)
        except BankUnavailable as error:
            get_logger().warning("rar.not_ended", tenant=tenant, scope=str(scope), error=str(error)[:200])


def to_make(asked: Asked, *, tenant: str) -> NewResource:
    """Return what the bank is to make for a request."""
    detail = asked.detail
    return NewResource(
        tenant=tenant,
        service=asked.service,
        product=None if detail is None else detail.product,
        request=None if detail is None else detail.request,
    )


def granted_entry(scope: BerlinScope, *, asked: Mapping[str, Any], standing: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of `authorization_details` as granted: as the TPP `asked`, and as it stands at the bank."""
    entry = {"type": TYPES[scope.service].value} | dict(asked) | dict(standing)
    return entry | {_ID_FIELD[scope.service]: scope.resource}


def not_made(asked: Asked, refused: ResourceRefused) -> OAuthRefused:
    """Return the refusal of a request for something that the bank does not make."""
    faults = refused.faults[:_MOST_FAULTS]
    if asked.detail is None:
        words = "; ".join(_plain(text) for _, text in faults)
        return invalid_scope(f"{asked}: {words}", reason=refused.code, hint="ask for a consent that this bank offers")
    first, *others = [(f"$[0].{shown(path)}" if path else "$[0]", _plain(text)) for path, text in faults]
    more = "".join(f"; {path}: {text}" for path, text in others)
    hint = "what the bank takes in a consent or payment, it takes in authorization_details"
    return invalid_details(first[0], f"is not taken by the bank: {first[1]}{more}", reason=refused.code, hint=hint)


def _plain(text: str) -> str:
    cut = text[:_MOST_WORDS].replace('"', "'")
    return "".join(shown(cut[start : start + 100]) for start in range(0, len(cut), 100))
