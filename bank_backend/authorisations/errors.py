"""What can be wrong with an authorisation."""

from __future__ import annotations

from bank_backend.errors import BankError, PsuCredentialsInvalid, StatusInvalid
from psd2.tpp_messages import MessageCode


class AlreadySigned(StatusInvalid):
    """The PSU has signed this resource before: several signatures are several PSUs' (409)."""

    problem_code = "authorisation.signed_already"
    title = "This PSU has signed already"


class PsuIdUnknown(PsuCredentialsInvalid):
    """`PSU-ID` names no customer (401)."""

    problem_code = "authorisation.psu_id"
    title = "The PSU-ID is unknown"


class CorporateIdInvalid(BankError):
    """`PSU-Corporate-ID` names no customer (401)."""

    code = MessageCode.CORPORATE_ID_INVALID
    problem_code = "authorisation.corporate_id"
    title = "The PSU-Corporate-ID is unknown"
