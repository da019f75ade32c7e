"""Makes what a PSU is to be asked for, by the rules that hold for the TPP itself (BG IG 1.3.8 §5.3, §6.3; COFC 2.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from werkzeug.datastructures import Headers

from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.requests import parse_consent_request
from bank_backend.errors import FieldsInvalid, ProductUnknown
from bank_backend.funds.wire import parse_funds_consent_request
from bank_backend.payments.products import PRODUCTS
from bank_backend.payments.service import Initiation
from bank_backend.payments.wire import JsonPlaces, read_instruction
from bank_backend.personalities.demands import Asked, require_offered
from bank_backend.personalities.model import PaymentService
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_backend.consents.service import Consents
    from bank_backend.database import Connection
    from bank_backend.funds.service import FundsConsents
    from bank_backend.grants.wire import GrantRequest
    from bank_backend.payments.service import Payments
    from bank_backend.personalities.model import Personality
    from bank_backend.personalities.service import Personalities
    from bank_backend.tenants.clock import TenantClock

    Make = Callable[[Connection], str]
    """Makes what was read, in the transaction that it is given, and returns its id; raises what the TPP's own request would."""

# What may be read in a day without the PSU (RTS 2018/389 Art. 36 (5) (b)).
_USUAL_FREQUENCY: Final = 4
_ANY_DAY: Final = "9999-12-31"  # BG IG §6.3.1.1: asks for the longest that the bank grants


class Making:
    """Makes consents and payments in a TPP's name."""

    def __init__(
        self,
        *,
        consents: Consents,
        payments: Payments,
        funds: FundsConsents,
        personalities: Personalities,
        clock: TenantClock,
    ) -> None:
        """Make them by the services that TPPs reach over the wire."""
        self._consents = consents
        self._payments = payments
        self._funds = funds
        self._personalities = personalities
        self._clock = clock

    def read(self, wanted: GrantRequest) -> Make:
        """Return what makes it; raises `TenantUnknown`, and what the TPP's own request would raise for what it says."""
        personality = self._personalities.of(wanted.tenant)
        require_offered(personality, Asked("POST", _path(wanted), Headers()))
        if wanted.kind is ResourceKind.AIS:
            return self._consent(wanted, personality)
        if wanted.kind is ResourceKind.PIS:
            return self._payment(wanted)
        asked = parse_funds_consent_request(_required(wanted))
        return lambda connection: self._funds.create(wanted.tenant, asked, within=connection).id

    def _consent(self, wanted: GrantRequest, personality: Personality) -> Make:
        today = self._clock.now(wanted.tenant).date()
        document = wanted.document or offered_consent(personality)
        asked = parse_consent_request(document, today=today, personality=personality)
        return lambda connection: self._consents.create(wanted.tenant, asked, within=connection).id

    def _payment(self, wanted: GrantRequest) -> Make:
        product = PRODUCTS.get(wanted.product)
        if product is None or product.is_pain:
            raise ProductUnknown(f"there is no product {wanted.product[:60]!r} in JSON", path="paymentProduct")
        service = PaymentService.PAYMENTS
        initiation = Initiation(
            tenant=wanted.tenant,
            x_request_id=new_uuid(),
            service=service,
            product=product,
            instruction=read_instruction(_required(wanted), service=service, product=product),
            places=JsonPlaces(service),
        )
        return lambda connection: self._payments.initiate(initiation, within=connection)[0].id


def _path(wanted: GrantRequest) -> str:
    """Return where the TPP itself would have posted it: by that a bank says what it offers."""
    if wanted.kind is ResourceKind.PIS:
        return f"/v1/{PaymentService.PAYMENTS}/{wanted.product}"
    return "/v1/consents" if wanted.kind is ResourceKind.AIS else "/v2/consents/confirmation-of-funds"


def _required(wanted: GrantRequest) -> bytes:
    if wanted.document is None:
        raise FieldsInvalid({"request": "is missing: only the accounts of a consent can be left to the PSU"})
    return wanted.document


def offered_consent(personality: Personality) -> bytes:
    """Return the consent whose accounts the PSU chooses (BG IG §6.3.1.2), as wide as this bank grants it."""
    is_recurring = personality.recurring_consents
    return orjson.dumps(
        {
            "access": {"accounts": [], "balances": [], "transactions": []},
            "recurringIndicator": is_recurring,
            "validUntil": _ANY_DAY,
            "frequencyPerDay": min(_USUAL_FREQUENCY, personality.frequency_per_day) if is_recurring else 1,
        }
    )
