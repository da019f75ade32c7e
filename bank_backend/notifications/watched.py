"""The bank's stores with an eye on them: whoever writes a status writes the notification of it, knowingly or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.store import SqlAuthorisationStore
from bank_backend.baskets.model import BASKET_STATES
from bank_backend.baskets.store import SqlBasketStore
from bank_backend.consents.model import CONSENT_STATES
from bank_backend.consents.store import SqlConsentStore
from bank_backend.payments.model import PAYMENT_STATES
from bank_backend.payments.store import SqlPaymentStore

if TYPE_CHECKING:
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.baskets.model import Basket
    from bank_backend.consents.model import Consent
    from bank_backend.database import Connection
    from bank_backend.notifications.model import Watch
    from bank_backend.notifications.service import Changes
    from bank_backend.payments.model import Payment


class WatchedConsentStore(SqlConsentStore):
    """Consents, and who wants to know of them."""

    def __init__(self, changes: Changes) -> None:
        """Note what changes."""
        self._changes = changes

    def save(self, connection: Connection, consent: Consent) -> None:
        """Write the new state and note the change."""
        watch = self._changes.watch(connection, consent.tenant, consent.id)
        earlier = None if watch is None else self.find(connection, consent.tenant, consent.id)
        super().save(connection, consent)
        if watch is not None and earlier is not None and earlier.status is not consent.status:
            is_last = CONSENT_STATES.is_final(consent.status)
            self._changes.process(connection, watch, consent.status.value, is_last=is_last)


class WatchedPaymentStore(SqlPaymentStore):
    """Payments, and who wants to know of them."""

    def __init__(self, changes: Changes) -> None:
        """Note what changes."""
        self._changes = changes

    def save(self, connection: Connection, payment: Payment) -> None:
        """Write the new state and note the change."""
        watch = self._changes.watch(connection, payment.tenant, payment.id)
        earlier = None if watch is None else self.find(connection, payment.tenant, payment.id)
        super().save(connection, payment)
        if watch is not None and earlier is not None and earlier.status is not payment.status:
            is_last = PAYMENT_STATES.is_final(payment.status)
            self._changes.process(connection, watch, payment.status.value, is_last=is_last)


class WatchedBasketStore(SqlBasketStore):
    """Signing baskets, and who wants to know of them."""

    def __init__(self, changes: Changes) -> None:
        """Note what changes."""
        self._changes = changes

    def save(self, connection: Connection, basket: Basket) -> None:
        """Write the new state and note the change."""
        watch = self._changes.watch(connection, basket.tenant, basket.id)
        earlier = None if watch is None else self.find(connection, basket.tenant, basket.id)
        super().save(connection, basket)
        if watch is not None and earlier is not None and earlier.status is not basket.status:
            is_last = BASKET_STATES.is_final(basket.status)
            self._changes.process(connection, watch, basket.status.value, is_last=is_last)


class WatchedAuthorisationStore(SqlAuthorisationStore):
    """Authorisations, and who wants to know of them."""

    def __init__(self, changes: Changes) -> None:
        """Note what changes."""
        self._changes = changes

    def add(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write a new authorisation and note where it begins."""
        super().add(connection, authorisation)
        watch = self._changes.watch(connection, authorisation.tenant, authorisation.resource)
        if watch is not None:
            self._note(connection, watch, authorisation, earlier=None)

    def save(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write the new state and note the change."""
        watch = self._changes.watch(connection, authorisation.tenant, authorisation.resource)
        earlier = None if watch is None else self.by_id(connection, authorisation.id)
        super().save(connection, authorisation)
        if watch is not None and earlier is not None:
            self._note(connection, watch, authorisation, earlier=earlier)

    def _note(
        self, connection: Connection, watch: Watch, authorisation: Authorisation, *, earlier: Authorisation | None
    ) -> None:
        if earlier is None or earlier.status is not authorisation.status:
            self._changes.sca(connection, watch, authorisation)
        if authorisation.is_open and (earlier is None or earlier.expires_at != authorisation.expires_at):
            self._changes.foresee(connection, authorisation)
