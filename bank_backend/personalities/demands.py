"""What a bank's personality demands of a request before anything else looks at it; each check raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bank_backend.errors import FormatError, ProductUnknown, ServiceNotOffered, SignatureRefused
from bank_backend.personalities.errors import SignatureMissing, TokenMissing
from bank_backend.personalities.model import Demand, PaymentFormat, PaymentProduct, PaymentService, Service
from chassis.told.signatures import HEADER as SIGNATURE_VERDICT
from chassis.told.signatures import read_signature_header

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from bank_backend.personalities.model import Personality

# What answers to an access token: data of accounts. Everything else is the TPP's own resource, which its QWAC opens.
_TOKEN: Final = re.compile(r"/v1/(accounts|card-accounts|funds-confirmations)(/.*)?")
# What begins a PSU's flow (BG IG §5.3.1, §6.3.1.1, §8.1).
_INITIATION: Final = re.compile(r"/v1/(consents|signing-baskets|(payments|bulk-payments|periodic-payments)/[^/]+)")
_SERVICES: Final = (
    (re.compile(r"/v1/signing-baskets(/.*)?"), Service.SIGNING_BASKETS),
    (re.compile(r"/v1/card-accounts(/.*)?"), Service.CARD_ACCOUNTS),
    (re.compile(r"/v1/accounts/[^/]+/transactions/.+"), Service.TRANSACTION_DETAILS),
    (re.compile(r"/v1/funds-confirmations"), Service.FUNDS_CONFIRMATIONS),
    (re.compile(r"/v2/consents/confirmation-of-funds(/.*)?"), Service.FUNDS_CONSENTS),
)
_PAYMENT: Final = re.compile(r"/v1/(?P<service>payments|bulk-payments|periodic-payments)/(?P<product>[^/]+)(/.*)?")
_PAIN: Final = "pain.001-"
_ADVICE: Final = {
    "PSU-IP-Address": "send the address of the PSU's device or, without one, your own",
    "PSU-ID": "send the PSU's login at this bank",
    "PSU-User-Agent": "send the User-Agent of the PSU's browser or app",
    "TPP-Redirect-URI": "send the address to which the PSU comes back",
    "Date": "send the time of the request, such as Sun, 06 Nov 1994 08:49:37 GMT",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as demands look at it."""

    method: str
    path: str
    headers: Headers


def require_all(personality: Personality, asked: Asked) -> None:
    """Raise what the bank has against the request; the order decides which of several faults is named."""
    require_offered(personality, asked)
    require_signature(personality, asked)
    require_token(personality, asked)
    require_headers(personality, asked)


def require_offered(personality: Personality, asked: Asked) -> None:
    """Raise `ServiceNotOffered` for a service that this bank leaves out, `ProductUnknown` for a product."""
    for pattern, service in _SERVICES:
        if not personality.offers(service) and pattern.fullmatch(asked.path):
            raise _not_offered(personality, service)
    payment = _PAYMENT.fullmatch(asked.path)
    if payment is not None:
        _require_product(personality, PaymentService(payment["service"]), payment["product"])


def _require_product(personality: Personality, service: PaymentService, product: str) -> None:
    if service not in personality.payment_services:
        raise _not_offered(personality, service)
    written = PaymentFormat.PAIN_001 if product.startswith(_PAIN) else PaymentFormat.JSON
    # A product that no bank has is refused further on, where the products are.
    left_out = frozenset(PaymentProduct) - personality.payment_products
    if written not in personality.payment_formats or product.removeprefix(_PAIN) in left_out:
        offered = ", ".join(sorted(personality.payment_products))
        formats = " and ".join(sorted(personality.payment_formats))
        raise ProductUnknown(f"this bank ({personality.name}) offers {offered} in {formats}, not {product[:60]}")


def _not_offered(personality: Personality, service: str) -> ServiceNotOffered:
    return ServiceNotOffered(f"this bank ({personality.name}) has no {service.replace('-', ' ')}")


def require_signature(personality: Personality, asked: Asked) -> None:
    """Raise `SignatureMissing`, or `SignatureRefused` in the gateway's words; who takes none looks away (BG IG §4.2)."""
    if personality.signature is Demand.OFF:
        return
    verdict = asked.headers.get(SIGNATURE_VERDICT)
    if verdict is not None:
        fault = read_signature_header(verdict)
        if fault is not None:
            raise SignatureRefused(fault)
    elif personality.signature is Demand.REQUIRED:
        text = "this bank takes signed requests only: send Digest, Signature and TPP-Signature-Certificate"
        raise SignatureMissing(text, path="Signature")


def require_token(personality: Personality, asked: Asked) -> None:
    """Raise `TokenMissing` where account data is asked for without a token; one that came has been judged by the gateway."""
    if personality.token is Demand.OPTIONAL or not _TOKEN.fullmatch(asked.path):
        return
    if "X-Sandbox-Client" not in asked.headers:
        raise TokenMissing("an access token is needed: send Authorization: Bearer and the token of the consent")


def require_headers(personality: Personality, asked: Asked) -> None:
    """Raise `FormatError` that names each header that this bank wants and does not get."""
    wanted = personality.required_headers
    if asked.method == "POST" and _INITIATION.fullmatch(asked.path):
        wanted |= personality.initiation_headers
    missing = [name for name in sorted(wanted) if not asked.headers.get(name, "").strip()]
    if missing:
        raise FormatError.of([FormatError(f"{name} is missing: {_advice(name)}", path=name) for name in missing])


def _advice(name: str) -> str:
    return _ADVICE.get(name, "this bank wants it with every such request")
