"""How the edge tells an internal server what it found of a request's signature: one header, which clients can't send.

Absent: the request bears none. Whether one is demanded is for the server to say; judging it is the edge's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chassis.told.refusals import ToldRefusal, UnreadableRefusal, read_refusal_header, refusal_header
from psd2.tpp_messages import MessageCode

HEADER: Final = "X-Sandbox-Signature"
VALID: Final = "valid"


@dataclass(frozen=True, slots=True)
class SignatureFault:
    """Why a signature is not accepted: the code for the TPP, and the edge's words."""

    code: MessageCode
    told: ToldRefusal


def fault_header(fault: SignatureFault) -> str:
    """Return the header's value for a signature that was not accepted."""
    return f"{fault.code} {refusal_header(fault.told)}"


def read_signature_header(value: str) -> SignatureFault | None:
    """Return the fault, None for a signature that is valid; raises `UnreadableRefusal`."""
    if value == VALID:
        return None
    code, _, told = value.partition(" ")
    try:
        return SignatureFault(MessageCode(code), read_refusal_header(told.encode("ascii")))
    except ValueError as error:
        raise UnreadableRefusal(f"no verdict on a signature: {error}") from error
