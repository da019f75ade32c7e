"""An OCSP responder for tests: answers that are right, or wrong in exactly one way."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.pki import DAY, Issued

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.pki import Authority

HOUR = dt.timedelta(hours=1)


def signer_of(
    authority: Authority,
    *,
    usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    not_after: dt.datetime | None = None,
    no_check: bool = True,
) -> Issued:
    """Issue a certificate to whom the authority delegates its answers; each argument makes it wrong in one way."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test responder")])
    builder = (
        x509.CertificateBuilder(authority.name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(not_after or now + DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if no_check:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return Issued(builder.sign(authority.key, hashes.SHA256()), key)


@dataclass
class Responder:
    """Answers for one authority, by itself or by `signer`; what is not in `revoked` is good."""

    authority: Authority
    signer: Issued | None = None
    revoked: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    life: dt.timedelta | None = HOUR
    repeats_nonce: bool = True
    this_update: dt.datetime | None = None
    attached: tuple[x509.Certificate, ...] | None = None
    asked: int = 0

    def answer(self, der: bytes, *, about: Issued | None = None) -> bytes:
        """Answer a request; `about` puts another certificate in the place of the one asked for."""
        self.asked += 1
        request = ocsp.load_der_ocsp_request(der)
        serial = about.certificate.serial_number if about else request.serial_number
        at = self.this_update or dt.datetime.now(dt.UTC).replace(microsecond=0)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=serial,
            algorithm=request.hash_algorithm,
            cert_status=self._status(serial),
            this_update=at,
            next_update=at + self.life if self.life else None,
            revocation_time=at if serial in self.revoked else None,
            revocation_reason=None,
        )
        certificate = self.signer.certificate if self.signer else self.authority.certificate
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate)
        attached = self.attached if self.attached is not None else (certificate,)
        if attached:
            builder = builder.certificates(list(attached))
        nonce = self._nonce(request)
        if nonce is not None:
            builder = builder.add_extension(nonce, critical=False)
        key: Any = self.signer.key if self.signer else self.authority.key
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _status(self, serial: int) -> ocsp.OCSPCertStatus:
        if serial in self.unknown:
            return ocsp.OCSPCertStatus.UNKNOWN
        return ocsp.OCSPCertStatus.REVOKED if serial in self.revoked else ocsp.OCSPCertStatus.GOOD

    def _nonce(self, request: ocsp.OCSPRequest) -> x509.OCSPNonce | None:
        try:
            sent = request.extensions.get_extension_for_class(x509.OCSPNonce).value
        except x509.ExtensionNotFound:
            return None
        return sent if self.repeats_nonce else None


class HttpAuthority:
    """What a CA serves over plain HTTP: its responder at `/ocsp`, files at every other path. Hangs while `is_silent`."""

    def __init__(self, responder: Responder | None = None) -> None:
        self.responder = responder
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.is_silent = threading.Event()
        self.paths: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.paths.append(self.path)
                if self.path in served.redirects:
                    self.send_response(302)
                    self.send_header("Location", served.redirects[self.path])
                    self.end_headers()
                    return
                body = served.files.get(self.path)
                self._reply(200 if body is not None else 404, body or b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if served.is_silent.is_set():
                    served.released.wait(30)
                    return
                assert served.responder is not None
                self._reply(200, served.responder.answer(body))

            def _reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
