"""Keys of session tickets that change with the rules of TLS: what began under wider rules does not resume under narrower.

OpenSSL resumes a session with the suite that it began with, even where that suite has been taken away since. All workers
inherit the same first keys and derive the others from them, so that sessions go on resuming from one worker to another.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chassis.logs import get_logger
from gateway.edge.tls.stapling import StaplingUnavailable, libssl, pointer_of

if TYPE_CHECKING:
    import ssl

# Of openssl/ssl.h; the keys are a name, an HMAC key and an AES-256 key (SSL_CTX_set_tlsext_ticket_keys, since 1.1.0).
_GET: Final = 58
_SET: Final = 59
_BYTES: Final = 80
_ALL_SESSIONS: Final = 0


class TicketKeys:
    """The ticket keys of one context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._rules: str | None = None
        self._first = _read(context)

    def change_with(self, rules: str) -> None:
        """Use keys that belong to these rules, and forget sessions that are kept by id; nothing where they are the same."""
        if rules == self._rules:
            return
        is_first, self._rules = self._rules is None, rules
        if self._first is None:
            if not is_first:
                get_logger().error("tls.tickets_stay", effect="sessions begun under the earlier rules resume until they expire")
            return
        library, pointer = libssl(), pointer_of(self._context)
        keys = HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=rules.encode()).derive(self._first)
        library.SSL_CTX_ctrl(pointer, _SET, _BYTES, keys)
        library.SSL_CTX_flush_sessions(pointer, _ALL_SESSIONS)


def _read(context: ssl.SSLContext) -> bytes | None:
    keys = ctypes.create_string_buffer(_BYTES)
    try:
        is_read = libssl().SSL_CTX_ctrl(pointer_of(context), _GET, _BYTES, ctypes.addressof(keys))
    except StaplingUnavailable:
        return None
    return keys.raw if is_read else None
