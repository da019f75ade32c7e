"""What can be wrong with an authorisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.errors import BankError, PsuCredentialsInvalid, ScaInvalid, ServiceBlocked, ServiceInvalid, StatusInvalid
from bank_backend.sca.model import PUSH_LIFETIME
from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.calls import TppCall

_MINUTES: Final = int(PUSH_LIFETIME.total_seconds() // 60)


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


def require_no_corporate_id(call: TppCall) -> None:
    """Raise `CorporateIdInvalid` for a PSU-Corporate-ID: no customer of this bank has an identification of that kind."""
    if call.psu_corporate_id is not None:
        text = f"PSU-Corporate-ID {call.psu_corporate_id[:40]!r} is unknown: customers are named by PSU-ID alone"
        raise CorporateIdInvalid(text, path="PSU-Corporate-ID")


class NotHolder(ServiceBlocked):
    """The PSU does not hold what the request is about (403)."""

    problem_code = "authorisation.not_holder"
    title = "The PSU does not hold the account"


class NoMethod(ServiceBlocked):
    """The PSU has no SCA method that works in this approach (403)."""

    problem_code = "authorisation.no_method"
    title = "The PSU has no method for this"


class AskedTooOften(ServiceBlocked):
    """The PSU is asked nothing more in its bank app for now (403): it was asked often enough, and has not said yes."""

    problem_code = "authorisation.asked_too_often"
    title = "The PSU was asked too often"

    @classmethod
    def of_late(cls, asks: int, *, until: datetime) -> AskedTooOften:
        """Say so of the last minutes; `until` is when it may be asked again in any case."""
        text = (
            f"this PSU was asked {asks} times in its bank app within the last {_MINUTES} minutes and has not said yes: "
            f"have it approve what waits there, or ask again after {until:%H:%M:%S} UTC"
        )
        return cls(text, path="PSU-ID")

    @classmethod
    def while_waiting(cls, most: int) -> AskedTooOften:
        """Say so of what waits."""
        text = f"{most} requests wait for this PSU in its bank app: have some answered there, or withdraw some, and ask again"
        return cls(text, path="PSU-ID")


class TooManyPasswords(ScaInvalid):
    """Too many wrong passwords for one authorisation: it has failed (400)."""

    problem_code = "authorisation.passwords"
    title = "Too many wrong passwords"


class NoPsuData(ServiceInvalid):
    """PSU data for an authorisation in which the PSU proves itself at the bank itself (400: BG IG §14.11.1, "if payload")."""

    problem_code = "authorisation.no_psu_data"
    title = "No PSU data is taken for this authorisation"
    fixed_status = 400
