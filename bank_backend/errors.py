"""What the bank refuses in more than one of its parts; one part's own refusals stand in its `errors.py` (BG IG 1.3.8 §14.11).

All are one tree, rendered in `bank_backend.problems` and nowhere else. A refusal knows both of its names: the Berlin Group
code for TPPs, the dotted code for internal callers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chassis.told.signatures import SignatureFault


class BankError(Exception):
    """A request the bank refuses. `text` goes to the caller; `path` names the faulty field, header or parameter."""

    code: ClassVar[MessageCode]
    problem_code: ClassVar[str]
    title: ClassVar[str]
    # None: the status that the specification pairs with the code.
    fixed_status: ClassVar[int | None] = None
    # How a TPP goes on in spite of it: `_links` of the answer (BG IG §7.2.2, §7.3).
    links: Mapping[str, object] | None = None
    # Which part of an internal request it is about, of one that asks for several things.
    refused: str | None = None

    def __init__(self, text: str, *, path: str | None = None) -> None:
        """Refuse, saying what is wrong and what would be right."""
        super().__init__(text)
        self.text = text
        self.path = path

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.message_code.status if self.fixed_status is None else self.fixed_status

    @property
    def message_code(self) -> MessageCode:
        """The Berlin Group code of the answer."""
        return self.code

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer's head says of the refusal."""
        return {}


class BankUnavailable(BankError):
    """The bank's database can't be reached just now; whether the request took effect may be unknown."""

    code = MessageCode.INTERNAL_SERVER_ERROR
    problem_code = "bank.unavailable"
    title = "The bank can't reach its data at the moment"
    fixed_status = 503

    def __init__(self) -> None:
        """Say that it will pass."""
        super().__init__("the bank can't reach its data at the moment: send the request again in a few seconds, as it is")


class BankBusy(BankError):
    """Others do so much of this work at the same time that it would leave no room for everybody else's requests."""

    code = MessageCode.INTERNAL_SERVER_ERROR
    problem_code = "bank.busy"
    title = "The bank is busy with such work"
    fixed_status = 503

    def __init__(self, what: str) -> None:
        """Say what there is too much of, and that it will pass."""
        super().__init__(f"too many {what} at the same time: nothing has been done, try again in a few seconds")

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come back."""
        return {"Retry-After": "5"}


class TooManySignIns(BankBusy):
    """More people sign in at the same time than passwords can be checked beside everybody else's requests."""

    problem_code = "psu.too_many_sign_ins"
    title = "Too many people are signing in at the moment"

    def __init__(self) -> None:
        """Say that it will pass."""
        super().__init__("people are signing in")


class FormatError(BankError):
    """A header, parameter or body field that is missing or can't be read; `path` names it, `others` are wrong as well."""

    code = MessageCode.FORMAT_ERROR
    problem_code = "request.format"
    title = "The request can't be read"
    others: tuple[FormatError, ...] = ()

    @staticmethod
    def of(faults: Sequence[FormatError]) -> FormatError:
        """Return one refusal for all of `faults`, of which there is at least one."""
        first, *others = faults
        first.others = tuple(others)
        return first


class FieldsInvalid(BankError):
    """An internal caller's body whose named fields are wrong (422)."""

    code = MessageCode.FORMAT_ERROR
    problem_code = "request.fields"
    title = "Fields of the request are wrong"
    fixed_status = 422

    def __init__(self, fields: dict[str, str]) -> None:
        """Refuse, with a reason for each faulty field."""
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in fields.items()), path=next(iter(fields), None))
        self.fields = fields


class ParameterNotSupported(BankError):
    """A parameter that the specification knows and this bank doesn't offer."""

    code = MessageCode.PARAMETER_NOT_SUPPORTED
    problem_code = "request.parameter_not_supported"
    title = "The parameter is not supported"


class ParameterNotConsistent(BankError):
    """Parameters of the query that contradict one another (BG IG §14.11.1: of the query only)."""

    code = MessageCode.PARAMETER_NOT_CONSISTENT
    problem_code = "request.parameter_not_consistent"
    title = "The parameters contradict one another"


class PeriodInvalid(BankError):
    """A requested period that is out of bounds or runs backwards."""

    code = MessageCode.PERIOD_INVALID
    problem_code = "request.period"
    title = "The period is invalid"


class ServiceInvalid(BankError):
    """The service is not valid for the addressed resource (405)."""

    code = MessageCode.SERVICE_INVALID
    problem_code = "service.invalid"
    title = "The service does not fit the resource"


class ServiceBlocked(BankError):
    """The service is closed to this caller or this PSU (403)."""

    code = MessageCode.SERVICE_BLOCKED
    problem_code = "service.blocked"
    title = "The service is blocked"


class CallerNotAccepted(ServiceBlocked):
    """An internal caller that has no business at this address (403)."""

    problem_code = "caller.not_accepted"
    title = "This caller is not accepted here"


class RequestedFormatsInvalid(BankError):
    """No format of the Accept header is offered (406)."""

    code = MessageCode.REQUESTED_FORMATS_INVALID
    problem_code = "request.accept"
    title = "None of the requested formats is offered"


class ResourceUnknown(BankError):
    """The account of the path, or an internal caller's resource, is unknown (404: BG IG §14.11.1).

    Another tenant's resource is as unknown as one never made.
    """

    code = MessageCode.RESOURCE_UNKNOWN
    problem_code = "resource.unknown"
    title = "The resource is unknown"


class PathResourceUnknown(ResourceUnknown):
    """A resource in the path that is no account is unknown to this TPP: a transaction, a payment (403: BG IG §14.11.1)."""

    fixed_status = 403


class ResourceBlocked(BankError):
    """The addressed resource can't be used now (400)."""

    code = MessageCode.RESOURCE_BLOCKED
    problem_code = "resource.blocked"
    title = "The resource is blocked"


class StatusInvalid(BankError):
    """The resource's state forbids the step asked for (409)."""

    code = MessageCode.STATUS_INVALID
    problem_code = "resource.state"
    title = "The resource's state does not allow this"


class TenantUnknown(ResourceUnknown):
    """No tenant of this name."""

    problem_code = "tenant.unknown"
    title = "The tenant is unknown"


class PsuUnknown(ResourceUnknown):
    """No PSU of this login in this tenant (404 for internal callers)."""

    problem_code = "psu.unknown"
    title = "The PSU is unknown"


class PsuCredentialsInvalid(BankError):
    """The PSU is unknown, or its password or one-time password is wrong (401)."""

    code = MessageCode.PSU_CREDENTIALS_INVALID
    problem_code = "psu.credentials"
    title = "The credentials are wrong"


class PsuLocked(PsuCredentialsInvalid):
    """Too many failed attempts: the PSU's access rests for a while (401)."""

    problem_code = "psu.locked"
    title = "Access is locked after too many failed attempts"


class ScaMethodUnknown(BankError):
    """The chosen SCA method is not one of the PSU's (400)."""

    code = MessageCode.SCA_METHOD_UNKNOWN
    problem_code = "sca.method_unknown"
    title = "The SCA method is unknown"


class ScaInvalid(BankError):
    """The authentication of the PSU failed (400)."""

    code = MessageCode.SCA_INVALID
    problem_code = "sca.invalid"
    title = "Strong customer authentication failed"


class ConsentUnknown(BankError):
    """The consent of the path is none of this TPP's (403: BG IG §14.11.1)."""

    code = MessageCode.CONSENT_UNKNOWN
    problem_code = "consent.unknown"
    title = "The consent is unknown"
    fixed_status = 403


class HeaderConsentUnknown(ConsentUnknown):
    """The Consent-ID header names no consent of this TPP (400: BG IG §14.11.1)."""

    fixed_status = 400


class ConsentInvalid(BankError):
    """The consent exists and does not cover this access, or is not valid (401)."""

    code = MessageCode.CONSENT_INVALID
    problem_code = "consent.invalid"
    title = "The consent does not cover this"


class ConsentExpired(BankError):
    """The consent was valid once and has expired (401)."""

    code = MessageCode.CONSENT_EXPIRED
    problem_code = "consent.expired"
    title = "The consent has expired"


class AccessExceeded(BankError):
    """More accesses without the PSU than `frequencyPerDay` allows (429)."""

    code = MessageCode.ACCESS_EXCEEDED
    problem_code = "consent.access_exceeded"
    title = "Too many accesses today"


class RoleInvalid(BankError):
    """The TPP's certificate lacks the role (401)."""

    code = MessageCode.ROLE_INVALID
    problem_code = "psd2.role"
    title = "The certificate lacks the role"


class TokenInvalid(BankError):
    """The access token carries no identity or scope that fits (401)."""

    code = MessageCode.TOKEN_INVALID
    problem_code = "token.invalid"
    title = "The access token does not fit"


class SignatureRefused(BankError):
    """The gateway did not accept the request's signature (401): code, reason and words are the gateway's own."""

    code = MessageCode.SIGNATURE_INVALID
    problem_code = "signature.refused"
    title = "The request's signature is not accepted"

    def __init__(self, fault: SignatureFault) -> None:
        """Pass on what the gateway said."""
        super().__init__(fault.told.text)
        self.fault = fault

    @property
    def message_code(self) -> MessageCode:
        """The Berlin Group code of the answer."""
        return self.fault.code


class ServiceNotOffered(ResourceUnknown):
    """A service of the interface that this bank does not have (404)."""

    problem_code = "service.not_offered"
    title = "This bank does not have the service"


class CertificateMissing(BankError):
    """The gateway vouched for no registered TPP (401): nothing is answered to nobody."""

    code = MessageCode.CERTIFICATE_MISSING
    problem_code = "mtls.missing"
    title = "No registered TPP presented a certificate"


class ProductUnknown(BankError):
    """The payment product is not offered (404)."""

    code = MessageCode.PRODUCT_UNKNOWN
    problem_code = "payment.product_unknown"
    title = "The payment product is unknown"
