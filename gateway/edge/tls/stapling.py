"""OCSP stapling of our own certificate (RFC 6066 §8), through OpenSSL's status callback: the standard library has none.

A self-test proves at start, on TLS 1.2 and 1.3, that a staple arrives whole; where it does not, nothing is stapled.
"""

from __future__ import annotations

import ctypes
import ssl
from functools import cache
from typing import Any, Final

_StatusCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
# Of openssl/tls1.h, the same since 0.9.8.
_SET_CALLBACK: Final = 63
_SET_ASKING: Final = 65
_GET_RESPONSE: Final = 70
_SET_RESPONSE: Final = 71
_ASK_FOR_OCSP: Final = 1
_GO_ON: Final = 1
_MOST_FLIGHTS: Final = 10
_SEND: Final = 0
_SEND_NONE: Final = 3


class StaplingUnavailable(RuntimeError):
    """This Python hides OpenSSL, or a staple did not arrive."""


class Staple:
    """The answer that goes out with a context's certificate; None where there is none."""

    def __init__(self) -> None:
        """Send nothing as yet."""
        self.response: bytes | None = None
        # Held as long as the context may call it: OpenSSL keeps its address.
        self._callback = _StatusCallback(self._answer)
        self._library = libssl()

    def attach(self, context: ssl.SSLContext) -> None:
        """Answer the clients of this context that ask; raises `StaplingUnavailable`."""
        if not self._library.SSL_CTX_callback_ctrl(pointer_of(context), _SET_CALLBACK, self._callback):
            raise StaplingUnavailable("OpenSSL takes no status callback")
        # A connection holds its context, whatever else has forgotten it, and the context what it may call.
        vars(context)["staple"] = self

    def _answer(self, connection: int, _argument: int) -> int:
        response = self.response
        if response is None:
            return _SEND_NONE
        # OpenSSL frees it with the connection: it has to be of its own memory.
        copy = self._library.CRYPTO_malloc(len(response), None, 0)
        if not copy:
            return _SEND_NONE
        ctypes.memmove(copy, response, len(response))
        self._library.SSL_ctrl(connection, _SET_RESPONSE, len(response), copy)
        return _SEND


def pointer_of(context: ssl.SSLContext) -> int:
    """Return the SSL_CTX of a context."""
    # PySSLContext begins with the object header, then holds its SSL_CTX * (Modules/_ssl.c, unchanged from 3.6 to 3.13).
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    if pointer is None:
        raise StaplingUnavailable("the context has no SSL_CTX")
    return pointer


def require_staples_arrive(context: ssl.SSLContext, staple: Staple) -> None:
    """Shake hands with a context as a client that asks; raises `StaplingUnavailable`."""
    proof, before = bytes(range(256)) * 8, staple.response
    staple.response = proof
    try:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            if stapled_to(context, version) != proof:
                raise StaplingUnavailable(f"{version.name}: the staple did not arrive")
    finally:
        staple.response = before


def stapled_to(context: ssl.SSLContext, version: ssl.TLSVersion, name: str | None = None) -> bytes | None:
    """Return what a client is sent that asks for a staple (by this name), without a network; raises `StaplingUnavailable`."""
    library, arrived = libssl(), list[bytes]()

    def note(connection: int, _argument: int) -> int:
        place = ctypes.c_void_p()
        length = library.SSL_ctrl(connection, _GET_RESPONSE, 0, ctypes.addressof(place))
        if length > 0 and place.value is not None:
            arrived.append(ctypes.string_at(place.value, length))
        return _GO_ON

    client, callback = _client(version), _StatusCallback(note)
    library.SSL_CTX_ctrl(pointer_of(client), _SET_ASKING, _ASK_FOR_OCSP, None)
    library.SSL_CTX_callback_ctrl(pointer_of(client), _SET_CALLBACK, callback)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        context.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(_MOST_FLIGHTS):
        done = [_is_done(side) for side in sides]
        if all(done):
            return arrived[0] if arrived else None
    raise StaplingUnavailable(f"{version.name}: the handshake does not end")


def _client(version: ssl.TLSVersion) -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE  # it tests what comes beside the certificate
    client.minimum_version = client.maximum_version = version
    return client


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError as error:
        raise StaplingUnavailable(str(error)) from error
    return True


@cache
def libssl() -> Any:  # noqa: ANN401 - a C library
    """Return the libssl that the extension module is linked to; raises `StaplingUnavailable`."""
    try:
        import _ssl

        library = ctypes.CDLL(_ssl.__file__)
        library.SSL_CTX_callback_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
        library.SSL_CTX_callback_ctrl.restype = ctypes.c_long
        library.SSL_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
        library.SSL_ctrl.restype = ctypes.c_long
        library.SSL_CTX_ctrl.argtypes = library.SSL_ctrl.argtypes
        library.SSL_CTX_ctrl.restype = ctypes.c_long
        library.SSL_CTX_flush_sessions.argtypes = [ctypes.c_void_p, ctypes.c_long]
        library.SSL_CTX_flush_sessions.restype = None
        library.CRYPTO_malloc.argtypes = [ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int]
        library.CRYPTO_malloc.restype = ctypes.c_void_p
    except (AttributeError, OSError, ImportError) as error:
        raise StaplingUnavailable(str(error)) from error
    return library
