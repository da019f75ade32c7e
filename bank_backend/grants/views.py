"""What was made for a grant, told as it stands now: with the accounts that the PSU has picked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.wire import consent_as_json
from bank_backend.errors import ConsentUnknown, PathResourceUnknown
from bank_backend.funds.wire import funds_consent_as_json
from bank_backend.grants.wire import KINDS, GrantView
from bank_backend.interactions.model import InteractionStatus
from bank_backend.payments.forms import instruction_as_json

if TYPE_CHECKING:
    from bank_backend.consents.service import Consents
    from bank_backend.database import Connection
    from bank_backend.funds.service import FundsConsents
    from bank_backend.interactions.model import Interaction
    from bank_backend.payments.service import Payments
    from psd2.ids import TenantId

_NOT_ASKED_FOR: Final = frozenset({"consentStatus", "lastActionDate", "_links"})


class Views:
    """Tells of consents and payments by their kind."""

    def __init__(self, *, consents: Consents, payments: Payments, funds: FundsConsents) -> None:
        """Tell what these services know."""
        self._consents = consents
        self._payments = payments
        self._funds = funds

    def granted_by(self, interaction: Interaction, *, within: Connection | None = None) -> GrantView | None:
        """Return what the PSU has approved, as it stands; None where it has not, or what it was about is gone."""
        if interaction.status is not InteractionStatus.APPROVED or interaction.service not in KINDS:
            return None
        with suppress(ConsentUnknown, PathResourceUnknown):
            return self.view(interaction.tenant, interaction.service, interaction.resource, within=within)
        return None

    def view(self, tenant: TenantId, kind: ResourceKind, resource: str, *, within: Connection | None = None) -> GrantView:
        """Return what stands; raises `ConsentUnknown`, `PathResourceUnknown`."""
        if kind is ResourceKind.PIS:
            payment = self._payments.of_tenant(tenant, resource, within=within)
            told = instruction_as_json(payment.instruction) | {"paymentProduct": payment.product.name}
            return GrantView(status=payment.status.value, told=told)
        if kind is ResourceKind.AIS:
            consent = self._consents.consent(tenant, resource, within=within)
            return GrantView(status=consent.status.value, told=_asked(consent_as_json(consent)))
        funds = self._funds.consent(tenant, resource, within=within)
        return GrantView(status=funds.status.value, told=_asked(funds_consent_as_json(funds)))


def _asked(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _NOT_ASKED_FOR}
