"""One entry of `authorization_details` as it is worked with: frozen, judged, nothing left to validate (RFC 9396 §2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from gateway.oauth.scope import Service

if TYPE_CHECKING:
    from collections.abc import Mapping


class DetailType(StrEnum):
    """What can be asked for; the bodies are the Berlin Group's."""

    ACCOUNT_INFORMATION = "account_information"
    PAYMENT_INITIATION = "payment_initiation"
    FUNDS_CONFIRMATION = "funds_confirmation"

    @property
    def service(self) -> Service:
        """The service that it is, and with it the role that it takes."""
        return _SERVICES[self]


_SERVICES: Final = {
    DetailType.ACCOUNT_INFORMATION: Service.AIS,
    DetailType.PAYMENT_INITIATION: Service.PIS,
    DetailType.FUNDS_CONFIRMATION: Service.PIIS,
}
TYPES: Final = {service: type_ for type_, service in _SERVICES.items()}
# RFC 9396 §2.2; the rest of an entry is the bank's business. `privileges` means nothing for any of the types.
COMMON_FIELDS: Final = frozenset({"type", "locations", "actions", "datatypes", "identifier"})
PRODUCT_FIELD: Final = "paymentProduct"


@dataclass(frozen=True, slots=True)
class AuthorizationDetail:
    """One entry: `told` is the JSON object as the TPP sent it."""

    type: DetailType
    told: Mapping[str, Any]

    @property
    def identifier(self) -> str | None:
        """The consent or payment that there is already; None where one is to be made."""
        return self.told.get("identifier")

    @property
    def product(self) -> str | None:
        """The payment product, of a payment that is to be made."""
        return self.told.get(PRODUCT_FIELD)

    @property
    def request(self) -> dict[str, Any]:
        """What the bank is asked to make, in the Berlin Group's words."""
        return {name: value for name, value in self.told.items() if name not in COMMON_FIELDS and name != PRODUCT_FIELD}
