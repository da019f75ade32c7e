"""The bank app's page of consents: whom the PSU has let see its accounts, and the way to end it (BG IG 1.3.8 §14.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 - Flask reads the annotation's converter at run time

from flask import request

from bank_backend.consents.listing import ConsentPlace
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import ResourceUnknown, StatusInvalid
from bank_backend.pages.app_pages import HOME
from bank_backend.pages.faults import FormFault
from bank_backend.pages.rendering import to
from bank_backend.pages.sessions import tell_next

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.bankapp.model import SignedIn
    from bank_backend.consents.model import Consent
    from bank_backend.pages.app_pages import AppPages
    from bank_backend.services import Services
    from psd2.ids import AccountId

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


class ConsentPages:
    """One method a route: parse, call, render."""

    def __init__(self, services: Services, app: AppPages) -> None:
        """Show what `services.consents` knows of who has signed in to `app`."""
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
        """End a consent."""
        who = self._app.signed_in_by_form()
        try:
            self._services.consents.revoke_by_psu(who.psu.tenant, who.psu.id, str(consent))
        except (ResourceUnknown, StatusInvalid) as error:
            return self._consents(who, FormFault.of(error, field="consents"))
        answer = to(CONSENTS)
        tell_next(answer, f"{who.tpp.name} sees nothing of this any more, from this moment on.")
        return answer

    def _consents(self, who: SignedIn, fault: FormFault | None = None, *, after: ConsentPlace | None = None) -> AnyResponse:
        given = self._services.consents.consents_of(who.psu.tenant, who.psu.id, after=after)
        held = self._services.accounts.accounts_of(who.psu.tenant, who.psu.id)
        readable = {account.id: account.readable for account in held}
        listed = [(each, *_told(each, readable)) for each in given.consents]
        return self._app.show("app_consents", who, fault=fault, consents=listed, is_first=after is None, next=given.next)


def _told(consent: Consent, readable: Mapping[AccountId, str]) -> tuple[str, bool, list[str]]:
    """Return how the consent stands, whether it can be ended, and which accounts it is about (none: all of them)."""
    accounts = [readable[right.account_id] for right in consent.rights or () if right.account_id in readable]
    return _ENDS.get(consent.status, consent.status.value), consent.status in _REVOCABLE, accounts
