"""What a personality can't be at the same time: found at start, before a TPP finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.personalities.model import Demand, PaymentFormat, PaymentService, ScaApproach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_backend.personalities.model import Personality

Contradiction = tuple[tuple[str, ...], str]

_ON_PAGES: Final = frozenset({ScaApproach.OAUTH, ScaApproach.REDIRECT})
_CODES: Final = frozenset({"sms", "email", "totp"})


def contradictions(personality: Personality) -> Iterator[Contradiction]:
    """Yield each: the key to change, and why it can't stay."""
    yield from _of_sca(personality)
    yield from _of_requests(personality)
    yield from _of_payments(personality)
    yield from _of_accounts(personality)


def _of_sca(personality: Personality) -> Iterator[Contradiction]:
    approaches, methods = set(personality.approaches), set(personality.sca_methods)
    if not methods:
        yield ("sca", "methods"), "is empty: a PSU must have something to authenticate with"
    if ScaApproach.DECOUPLED in approaches and "push" not in methods:
        yield ("sca", "methods"), "lacks push, which the decoupled approach asks the PSU by"
    if ScaApproach.EMBEDDED in approaches and not methods & _CODES:
        yield ("sca", "methods"), "has no method with a code (sms, email, totp), which the embedded approach needs"
    if personality.confirmation and not approaches & _ON_PAGES:
        yield ("sca", "confirmation"), "is wanted, and it follows a redirect, which is none of the approaches (BG IG §7.6)"


def _of_requests(personality: Personality) -> Iterator[Contradiction]:
    if personality.token is Demand.REQUIRED and ScaApproach.OAUTH not in personality.approaches:
        yield ("requests", "token"), "is required, and without the approach oauth no PSU can grant one: write optional"
    if personality.token is Demand.OFF:
        yield ("requests", "token"), "can't be off: a token that is presented must be good (write required or optional)"
    wants_address = "TPP-Redirect-URI" in personality.required_headers | personality.initiation_headers
    if wants_address and not set(personality.approaches) & _ON_PAGES:
        yield ("requests", "headers_to_initiate"), "wants TPP-Redirect-URI, and nobody is redirected here"


def _of_payments(personality: Personality) -> Iterator[Contradiction]:
    if bool(personality.payment_services) != bool(personality.payment_products):
        yield ("payments", "products"), "and services go together: both are empty, or neither"
    if personality.payment_services and not personality.payment_formats:
        yield ("payments", "formats"), "is empty: name json or pain.001"
    if PaymentService.PAYMENTS not in personality.payment_services and personality.payment_services:
        yield ("payments", "services"), "offers collections of payments and no single ones"
    if personality.exemption_limit is not None and PaymentFormat.JSON not in personality.payment_formats:
        yield ("sca", "exempt_up_to"), "exempts payments, and payments in JSON, which it is for, are not offered"


def _of_accounts(personality: Personality) -> Iterator[Contradiction]:
    if "application/json" not in personality.report_formats:
        yield ("accounts", "report_formats"), "lacks application/json, in which pages of transactions are written"
    if not personality.booking_statuses & {"booked", "both"}:
        yield ("accounts", "booking_statuses"), "offers no booked transactions"
    if personality.combined_service and not personality.payment_services:
        yield ("consents", "combined_service"), "combines accounts with payments, and no payments are offered"
