"""Berlin Group error codes and the `tppMessages` body that carries them (BG IG 1.3.8 §14.11, XS2A 1.3.11)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class MessageCode(StrEnum):
    """A code of the specification; `status` is the HTTP status it goes with."""

    FORMAT_ERROR = "FORMAT_ERROR"
    PARAMETER_NOT_CONSISTENT = "PARAMETER_NOT_CONSISTENT"
    PARAMETER_NOT_SUPPORTED = "PARAMETER_NOT_SUPPORTED"
    SERVICE_INVALID = "SERVICE_INVALID"
    RESOURCE_UNKNOWN = "RESOURCE_UNKNOWN"
    RESOURCE_EXPIRED = "RESOURCE_EXPIRED"
    RESOURCE_BLOCKED = "RESOURCE_BLOCKED"
    TIMESTAMP_INVALID = "TIMESTAMP_INVALID"
    PERIOD_INVALID = "PERIOD_INVALID"
    SCA_METHOD_UNKNOWN = "SCA_METHOD_UNKNOWN"
    SCA_INVALID = "SCA_INVALID"
    CONSENT_UNKNOWN = "CONSENT_UNKNOWN"
    SESSIONS_NOT_SUPPORTED = "SESSIONS_NOT_SUPPORTED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    EXECUTION_DATE_INVALID = "EXECUTION_DATE_INVALID"
    CARD_INVALID = "CARD_INVALID"
    NO_PIIS_ACTIVATION = "NO_PIIS_ACTIVATION"
    REFERENCE_MIX_INVALID = "REFERENCE_MIX_INVALID"
    CERTIFICATE_INVALID = "CERTIFICATE_INVALID"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    CERTIFICATE_BLOCKED = "CERTIFICATE_BLOCKED"
    # The guidelines' spelling; the YAML's enumeration says CERTIFICATE_REVOKE (docs/divergences.md).
    CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"
    CERTIFICATE_MISSING = "CERTIFICATE_MISSING"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    SIGNATURE_MISSING = "SIGNATURE_MISSING"
    CORPORATE_ID_INVALID = "CORPORATE_ID_INVALID"
    PSU_CREDENTIALS_INVALID = "PSU_CREDENTIALS_INVALID"
    CONSENT_INVALID = "CONSENT_INVALID"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    TOKEN_UNKNOWN = "TOKEN_UNKNOWN"  # noqa: S105 - an error code, no secret
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 - an error code, no secret
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - an error code, no secret
    KID_MISSING = "KID_MISSING"
    ROLE_INVALID = "ROLE_INVALID"
    SERVICE_BLOCKED = "SERVICE_BLOCKED"
    PRODUCT_INVALID = "PRODUCT_INVALID"
    PRODUCT_UNKNOWN = "PRODUCT_UNKNOWN"
    CANCELLATION_INVALID = "CANCELLATION_INVALID"
    REQUESTED_FORMATS_INVALID = "REQUESTED_FORMATS_INVALID"
    STATUS_INVALID = "STATUS_INVALID"
    REFERENCE_STATUS_INVALID = "REFERENCE_STATUS_INVALID"
    ACCESS_EXCEEDED = "ACCESS_EXCEEDED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"

    @property
    def status(self) -> int:
        """The HTTP status the specification pairs with the code (the usual one where there are several)."""
        return _STATUS.get(self, 401)


_STATUS = {
    **dict.fromkeys(list(MessageCode)[:18], 400),
    # In a URL path an unknown resource is 404, in a body 400 (BG IG §14.11): callers that mean the body say so.
    MessageCode.RESOURCE_UNKNOWN: 404,
    # An unknown consent in the path; in the Consent-ID header it is 400 (BG IG §14.11.1).
    MessageCode.CONSENT_UNKNOWN: 403,
    MessageCode.SERVICE_INVALID: 405,
    MessageCode.SERVICE_BLOCKED: 403,
    MessageCode.PRODUCT_INVALID: 403,
    MessageCode.PRODUCT_UNKNOWN: 404,
    MessageCode.CANCELLATION_INVALID: 405,
    MessageCode.REQUESTED_FORMATS_INVALID: 406,
    MessageCode.STATUS_INVALID: 409,
    MessageCode.REFERENCE_STATUS_INVALID: 409,
    MessageCode.ACCESS_EXCEEDED: 429,
    MessageCode.INTERNAL_SERVER_ERROR: 500,
}

_MOST_TEXT = 500


@dataclass(frozen=True, slots=True)
class TppMessage:
    """One entry of `tppMessages`. `path` names the faulty field, as a JSON path or header name."""

    code: MessageCode | str
    text: str
    category: str = "ERROR"
    path: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the entry as it stands on the wire; `text` is cut at the specification's 500 characters."""
        body = {"category": self.category, "code": str(self.code), "text": self.text[:_MOST_TEXT]}
        return body | {"path": self.path} if self.path else body


def tpp_messages_body(*messages: TppMessage, links: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the body of an error (or a body part of an answer with warnings), with `_links` if given."""
    body: dict[str, object] = {"tppMessages": [message.as_json() for message in messages]}
    return body | {"_links": dict(links)} if links else body
