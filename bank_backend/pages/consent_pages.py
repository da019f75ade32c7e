"""The bank app's page of consents: whom the PSU has let see its accounts, and the way to end it (BG IG 1.3.8 §14.14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID  # noqa: TC003 - Flask reads the annotation's converter at run time

from flask import request

from bank_backend.consents.listing import ConsentPlace, merged
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import ResourceUnknown, StatusInvalid
from bank_backend.funds.model import FundsConsent
from bank_backend.pages.app_pages import HOME
from bank_backend.pages.faults import FormFault
from bank_backend.pages.rendering import to
from bank_backend.pages.sessions import tell_next
from bank_backend.readable import readable_day, readable_iban

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.bankapp.model import SignedIn
    from bank_backend.consents.model import Consent
    from bank_backend.pages.app_pages import AppPages
    from bank_backend.services import Services
    from psd2.ids import AccountId, PsuId, TenantId

CONSENTS = f"{HOME}/consents"
_REVOCABLE = frozenset({ConsentStatus.VALID, ConsentStatus.PARTIALLY_AUTHORISED})
_ENDS = {
    ConsentStatus.VALID: "in force",
    ConsentStatus.PARTIALLY_AUTHORISED: "waits for another signature",
    ConsentStatus.EXPIRED: "has expired",
    ConsentStatus.REVOKED_BY_PSU: "ended by you",
    ConsentStatus.TERMINATED_BY_TPP: "ended by the company",
    ConsentStatus.REJECTED: "refused",
}


class Revocable(Protocol):
    """Consents of a kind, which their PSUs can end."""

    def revoke_by_psu(self, tenant: TenantId, psu: PsuId, consent_id: str) -> object:
        """End a consent; raises `ResourceUnknown`, `IllegalMove`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConsent:
    """A consent as it is listed: what it lets see, around the accounts' numbers.

    `revoke` is where it is ended, None where it can't be any more.
    """

    standing: str
    before: str
    accounts: tuple[str, ...]
    after: str
    received_on: date
    revoke: str | None


class ConsentPages:
    """One method a route: parse, call, render."""

    def __init__(self, services: Services, app: AppPages) -> None:
        """Show what `services` know of who has signed in to `app`."""
        self._services = services
        self._app = app

    def consents(self) -> AnyResponse:
        """Show a page of the PSU's consents."""
        who, text = self._app.signed_in(), request.args.get("after")
        after = None if text is None else ConsentPlace.parse(text)
        if text is not None and after is None:
            raise ResourceUnknown("there is no such page of your consents: go back to the first")
        return self._consents(who, after=after)

    def revoke(self, consent: UUID) -> AnyResponse:
        """End a consent to see accounts."""
        return self._ended(self._services.consents, consent, "sees nothing of this any more, from this moment on.")

    def revoke_funds(self, consent: UUID) -> AnyResponse:
        """End a consent to ask about funds."""
        return self._ended(self._services.funds_consents, consent, "learns nothing of your funds any more.")

    def _ended(self, consents: Revocable, consent: UUID, told: str) -> AnyResponse:
        who = self._app.signed_in_by_form()
        try:
            consents.revoke_by_psu(who.psu.tenant, who.psu.id, str(consent))
        except (ResourceUnknown, StatusInvalid) as error:
            return self._consents(who, FormFault.of(error, field="consents"))
        answer = to(CONSENTS)
        tell_next(answer, f"{who.tpp.name} {told}")
        return answer

    def _consents(self, who: SignedIn, fault: FormFault | None = None, *, after: ConsentPlace | None = None) -> AnyResponse:
        tenant, psu = who.psu.tenant, who.psu.id
        given = merged(
            self._services.consents.consents_of(tenant, psu, after=after),
            self._services.funds_consents.consents_of(tenant, psu, after=after),
        )
        readable = {account.id: account.readable for account in self._services.accounts.accounts_of(tenant, psu)}
        listed = [
            _told_of_funds(each, readable) if isinstance(each, FundsConsent) else _told_of_accounts(each, readable)
            for each in given.consents
        ]
        return self._app.show("app_consents", who, fault=fault, consents=listed, is_first=after is None, next=given.next)


def _told_of_accounts(consent: Consent, readable: Mapping[AccountId, str]) -> GivenConsent:
    # No rights: all of the PSU's accounts.
    accounts = tuple(readable[right.account_id] for right in consent.rights or () if right.account_id in readable)
    return GivenConsent(
        standing=_ENDS.get(consent.status, consent.status.value),
        before="" if accounts else "All accounts",
        accounts=accounts,
        after=f"; {'until' if consent.recurring else 'once, by'} {readable_day(consent.valid_until)}",
        received_on=consent.received_at.date(),
        revoke=f"{CONSENTS}/{consent.id}/revoke" if consent.status in _REVOCABLE else None,
    )


def _told_of_funds(consent: FundsConsent, readable: Mapping[AccountId, str]) -> GivenConsent:
    # An account that the PSU holds no more is told as the TPP wrote it.
    known = None if consent.account_id is None else readable.get(consent.account_id)
    return GivenConsent(
        standing=_ENDS.get(consent.status, consent.status.value),
        before="Whether ",
        accounts=(known or readable_iban(consent.account.iban),),
        after=" has the money for a payment, yes or no; until it is ended",
        received_on=consent.received_at.date(),
        revoke=f"{CONSENTS}/funds/{consent.id}/revoke" if consent.status in _REVOCABLE else None,
    )
