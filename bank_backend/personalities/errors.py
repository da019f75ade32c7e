"""What a request lacks that this bank demands of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.errors import BankError
from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from collections.abc import Mapping


class TokenMissing(BankError):
    """No access token came, and this bank opens nothing without one (401)."""

    code = MessageCode.TOKEN_UNKNOWN
    problem_code = "token.missing"
    title = "An access token is needed"

    @property
    def headers(self) -> Mapping[str, str]:
        """Without any token the challenge names no error (RFC 6750 §3.1)."""
        return {"WWW-Authenticate": 'Bearer realm="psd2"'}


class SignatureMissing(BankError):
    """This bank takes no request without a signature, and none came (401)."""

    code = MessageCode.SIGNATURE_MISSING
    problem_code = "signature.missing"
    title = "The request is not signed"
