"""Which alternative of a `oneOf` an answer means: by what tells the alternatives apart, for their schemas overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def chosen_schema(operation: str, parameters: Mapping[str, str], value: object) -> str | None:
    """Return the name of the schema that a body of this operation means to satisfy, or None where no rule says."""
    choice = _CHOICES.get(operation)
    return None if choice is None else choice(parameters, value if isinstance(value, dict) else {})


def _payment_information(parameters: Mapping[str, str], _: Mapping[str, Any]) -> str:
    """By the payment service in the path: a periodic payment satisfies the schema of a single one as well."""
    return {
        "payments": "paymentInitiationWithStatusResponse",
        "bulk-payments": "bulkPaymentInitiationWithStatusResponse",
        "periodic-payments": "periodicPaymentInitiationWithStatusResponse",
    }[parameters["payment_service"]]


def _psu_data(_: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """By what comes next for the PSU: which links, a choice of methods, a challenge, or nothing any more (BG IG §7.2)."""
    links = body.get("_links", {})
    if links.keys() & {"startAuthorisationWithPsuAuthentication", "updatePsuAuthentication"}:
        return "updatePsuIdenticationResponse"
    if "scaMethods" in body or "selectAuthenticationMethod" in links:
        return "updatePsuAuthenticationResponse"
    if body.keys() & {"chosenScaMethod", "challengeData"} or "authoriseTransaction" in links:
        return "selectPsuAuthenticationMethodResponse"
    return "scaStatusResponse"


def _funds_consent(_: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """By the links: with several signatories nothing but a start of an authorisation is offered (COFC 2.0 §5.1)."""
    links = body.get("_links", {}).keys() - {"self", "status", "scaStatus"}
    multilevel = bool(links) and all(each.startswith("startAuthorisation") for each in links)
    return "ConsentsConfirmationOfFundsMultilevelSCAResponse" if multilevel else "ConsentsConfirmationOfFundsResponse"


_CHOICES: Mapping[str, Callable[[Mapping[str, str], Mapping[str, Any]], str]] = {
    "getPaymentInformation": _payment_information,
    "updatePaymentPsuData": _psu_data,
    "updatePaymentCancellationPsuData": _psu_data,
    "updateConsentsPsuData": _psu_data,
    "updateSigningBasketPsuData": _psu_data,
    "createConsentConfirmationOfFunds": _funds_consent,
}
