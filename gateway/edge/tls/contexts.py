"""TLS of the public listeners: 1.2 (ECDHE with AEAD) and 1.3; a client's certificate reaches the application whatever it is.

The standard library ends the handshake of an untrusted certificate; OpenSSL's verify callback lets it through, so that
the refusal is an HTTP answer with a reason. That the client holds the key is proved by TLS all the same.
"""

from __future__ import annotations

import ctypes
import ssl
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.certificates.handing_over import pem_in_memory
from gateway.certificates.listeners import TlsRules
from gateway.edge.tls.handshake import EdgeSslObject, note_server_name
from gateway.edge.tls.self_test import UntrustedCertificateStopped, require_untrusted_certificate_reaches
from gateway.edge.tls.stapling import Staple, StaplingUnavailable, require_staples_arrive
from gateway.edge.tls.ticket_keys import TicketKeys
from gateway.policies.model import Listener
from gateway.upstreams.model import TlsVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from chassis.home import Home

_VerifyCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
# Held for ever: OpenSSL keeps its address.
_LET_IT_THROUGH: Final = _VerifyCallback(lambda _store_context, _argument: 1)
_X509_V_FLAG_NO_CHECK_TIME: Final = 0x200000
HTTP2: Final = "h2"
_HTTP1: Final = "http/1.1"
_SSL_CTRL_SET_GROUPS_LIST: Final = 92
# Those of Mozilla's intermediate profile; the first list where OpenSSL knows all of it (3.5).
_GROUPS: Final = (b"X25519MLKEM768:X25519:P-256:P-384", b"X25519:P-256:P-384")
# Where TPPs and their programs call; what browsers alone open speaks HTTP/1.1.
_SPEAKING_HTTP2: Final = frozenset({Listener.EDGE, Listener.FRONT})


_VERSIONS: Final = {TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3}


class Names(Protocol):
    """Server names with certificates of their own."""

    def context_of(self, listener: Listener, name: str) -> ssl.SSLContext | None:
        """Return what holds the name's certificate; None where it has none of its own."""


class PublicTls:
    """The TLS set-up of each public listener.

    Made once, before workers are forked: they share the keys of session tickets, so that a session begun with one worker
    resumes with another. Rotated certificates go into the same contexts, and the ticket keys stay.
    """

    def __init__(self, home: Home) -> None:
        """Read the certificate; raises `OSError`, `ssl.SSLError`."""
        self._home = home
        self._names: Names | None = None
        self._stamp = self._files_stamp()
        self.chain_pem = _text_of(home.server("edge").certificate)
        self.contexts: Mapping[Listener, ssl.SSLContext] = {
            listener: self._context(listener) for listener in Listener if listener.speaks_tls
        }
        self.staple = _staple_of(self.contexts.values())
        self._tickets = {listener: TicketKeys(context) for listener, context in self.contexts.items()}

    def follow(self, names: Names) -> None:
        """Show these names' certificates from now on, whatever they become."""
        self._names = names

    def take_rules(self, rules: Mapping[Listener, TlsRules]) -> None:
        """Speak by other rules from the next handshake on; `rules` have been tried on a context of their own."""
        for listener, context in self.contexts.items():
            apply_rules(context, rules[listener])
            # Sessions resume with the suite that they began with, whatever the context says by then.
            self._tickets[listener].change_with(repr(rules[listener]))

    def reload_if_rotated(self) -> bool:
        """Take up a new certificate; a pair that does not fit (yet) is left alone. Returns whether it was taken."""
        try:
            stamp = self._files_stamp()
            if stamp == self._stamp:
                return False
            pair = self._home.server("edge")
            chain_pem = _text_of(pair.certificate)
            with pem_in_memory(f"{chain_pem}\n{_text_of(pair.key)}") as pem:
                # First into a context of its own: a pair that does not fit must not break the one in use, and the files
                # may be others by then.
                _bare_context().load_cert_chain(pem)
                self._use(chain_pem, pem)
        except (OSError, ssl.SSLError) as error:
            get_logger().warning("tls.rotation_waits", error=str(error))
            return False
        self._stamp = stamp
        return True

    def _use(self, chain_pem: str, pem: Path) -> None:
        if chain_pem != self.chain_pem:
            self.chain_pem = chain_pem
            if self.staple is not None:
                self.staple.response = None  # the old certificate's: whoever keeps it asks anew
        for context in self.contexts.values():
            context.load_cert_chain(pem)

    def _files_stamp(self) -> tuple[int, int]:
        pair = self._home.server("edge")
        return pair.certificate.stat().st_mtime_ns, pair.key.stat().st_mtime_ns

    def _context(self, listener: Listener) -> ssl.SSLContext:
        pair = self._home.server("edge")
        context = listener_context(self._home, listener, pair.certificate, pair.key)
        context.sni_callback = self._greeter(listener)
        return context

    def _greeter(self, listener: Listener) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
        def greet(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            note_server_name(connection, name, context)
            other = self._names.context_of(listener, name) if name is not None and self._names is not None else None
            if other is not None:
                # The certificate is of the other context from here on; versions, suites and tickets stay the listener's.
                connection.context = other

        return greet


def listener_context(home: Home, listener: Listener, chain: Path, key: Path | None = None) -> ssl.SSLContext:
    """Return a set-up as this listener has it, with this certificate; raises `OSError`, `ssl.SSLError`."""
    context = _bare_context()
    context.load_cert_chain(chain, key)
    if listener in _SPEAKING_HTTP2:
        context.set_alpn_protocols([HTTP2, _HTTP1])
    if listener.asks_for_certificate:
        anchors = [home.ca(name).certificate for name in ("root", "tpp-issuing")]
        ask_for_certificate(context, accept_any_certificate, fallback_anchors=anchors)
    return context


def apply_rules(context: ssl.SSLContext, rules: TlsRules) -> None:
    """Speak by these rules from the next handshake on; raises `ssl.SSLError` where this OpenSSL can't."""
    context.minimum_version, context.maximum_version = _VERSIONS[rules.lowest], _VERSIONS[rules.highest]
    context.set_ciphers(":".join(rules.suites))


def _staple_of(contexts: Iterable[ssl.SSLContext]) -> Staple | None:
    """Return what is stapled in all of these contexts; None where this Python cannot, and say so."""
    try:
        staple = Staple()
        for context in contexts:
            staple.attach(context)
            require_staples_arrive(context, staple)
    except StaplingUnavailable as error:
        get_logger().warning("tls.no_stapling", error=str(error), effect="clients find out about revocation themselves")
        return None
    return staple


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    apply_rules(context, TlsRules())
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1
    context.set_alpn_protocols([_HTTP1])
    context.sslobject_class = EdgeSslObject
    _limit_groups(context)
    return context


def _limit_groups(context: ssl.SSLContext) -> None:
    """Agree on keys by these groups alone; the standard library could only name a single one."""
    try:
        import _ssl

        openssl = ctypes.CDLL(_ssl.__file__)
        control, pointer = openssl.SSL_CTX_ctrl, _pointer_of(context)
    except (AttributeError, OSError) as error:
        get_logger().warning("tls.groups", error=str(error), effect="OpenSSL's own list of groups holds")
        return
    control.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
    control.restype = ctypes.c_long
    for groups in _GROUPS:
        if control(pointer, _SSL_CTRL_SET_GROUPS_LIST, 0, groups) == 1:
            return
        openssl.ERR_clear_error()
    get_logger().warning("tls.groups", error="OpenSSL refuses each list", effect="OpenSSL's own list of groups holds")


def ask_for_certificate(
    context: ssl.SSLContext, accept_any: Callable[[ssl.SSLContext], None], *, fallback_anchors: list[Path]
) -> None:
    """Ask, and accept any answer; where this Python cannot, accept what the anchors vouch for, and say so."""
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        accept_any(context)
        require_untrusted_certificate_reaches(context)
    except (AttributeError, OSError, UntrustedCertificateStopped) as error:
        get_logger().error(
            "tls.fallback",
            error=str(error),
            effect="clients with an untrusted certificate get a TLS alert instead of an HTTP answer with a reason",
        )
        _trust_in_handshake(context, fallback_anchors)


def accept_any_certificate(context: ssl.SSLContext) -> None:
    """Make OpenSSL pass every client certificate on; raises `AttributeError`, `OSError` on a Python that hides OpenSSL."""
    import _ssl

    # Looked up in the extension module, which finds it in the libssl that it is itself linked to.
    set_callback = ctypes.CDLL(_ssl.__file__).SSL_CTX_set_cert_verify_callback
    set_callback.argtypes = [ctypes.c_void_p, _VerifyCallback, ctypes.c_void_p]
    set_callback.restype = None
    set_callback(_pointer_of(context), _LET_IT_THROUGH, None)


def _text_of(pem: Path) -> str:
    return pem.read_text("latin-1")  # PEM is ASCII, what stands around it may be anything


def _pointer_of(context: ssl.SSLContext) -> int | None:
    """Return the address of OpenSSL's own context."""
    # PySSLContext begins with the object header, then holds its SSL_CTX * (Modules/_ssl.c, unchanged from 3.6 to 3.13).
    return ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value


def _trust_in_handshake(context: ssl.SSLContext, anchors: list[Path]) -> None:
    # Expired certificates still reach the application and get their 401.
    context.verify_flags |= ssl.VerifyFlags(_X509_V_FLAG_NO_CHECK_TIME) | ssl.VERIFY_X509_PARTIAL_CHAIN
    for anchor in anchors:
        if anchor.exists():
            context.load_verify_locations(cafile=anchor)
