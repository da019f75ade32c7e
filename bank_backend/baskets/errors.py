"""What can be wrong with a signing basket (BG IG 1.3.8 §14.11.5)."""

from __future__ import annotations

from bank_backend.errors import BankError, PathResourceUnknown, ResourceUnknown
from psd2.tpp_messages import MessageCode


class BasketUnknown(PathResourceUnknown):
    """This TPP has no such basket (403)."""

    problem_code = "basket.unknown"
    title = "The signing basket is unknown"


class ReferencedResourceUnknown(ResourceUnknown):
    """A resource named in the body does not exist (400: BG IG §14.11.1)."""

    fixed_status = 400


class ReferenceMixInvalid(BankError):
    """A resource that this bank does not sign together with others (400)."""

    code = MessageCode.REFERENCE_MIX_INVALID
    problem_code = "basket.mix"
    title = "These resources are not signed together"


class ReferenceStatusInvalid(BankError):
    """A resource of the basket has been authorised already, wholly or in part, or waits for nobody any more (409)."""

    code = MessageCode.REFERENCE_STATUS_INVALID
    problem_code = "basket.reference_status"
    title = "A resource waits for no authorisation"
