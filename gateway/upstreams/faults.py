"""What may go wrong with an upstream, and the ground that each failure of TLS is told by."""

from __future__ import annotations

import ssl
from typing import Final


class UpstreamFault(Exception):
    """The server did not do its part; `reason` is one of the grounds `upstream.…`."""

    def __init__(self, reason: str, detail: str) -> None:
        """Name the ground and say what happened."""
        super().__init__(detail)
        self.reason = reason


class StaleConnection(UpstreamFault):
    """A kept connection ended before the first byte of a reply: the server may have closed it just then."""


class GivenUp(UpstreamFault):
    """The exchange was ended from our side: nothing that the server is to blame for."""


# OpenSSL's X509_V_ERR_… (openssl/x509_vfy.h): its texts are for people and change, these numbers do not.
_NOT_YET_VALID, _EXPIRED = 9, 10
_HOST_MISMATCH, _ADDRESS_MISMATCH = 62, 64
_GROUND_OF_VERDICT: Final = {
    _NOT_YET_VALID: "upstream.tls_expired",
    _EXPIRED: "upstream.tls_expired",
    _HOST_MISMATCH: "upstream.tls_name",
    _ADDRESS_MISMATCH: "upstream.tls_name",
}


def ground_of_tls(error: ssl.SSLError) -> str:
    """Return which ground a failed handshake is."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _GROUND_OF_VERDICT.get(error.verify_code, "upstream.tls_untrusted")
    return "upstream.tls"
