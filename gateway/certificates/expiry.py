"""What expires when, of all that the gateway presents or leans on; and from how many days before its end it is spoken of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.acme.kind import ACME_CERTIFICATES
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.model import Stage
from gateway.trust.kind import TRUST_STORES
from gateway.trust.model import TPP_STORE
from gateway.trust.pem import UnreadablePem, read_certificates
from gateway.upstreams.kind import UPSTREAMS
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from cryptography import x509

    from chassis.home import Home
    from gateway.certificates.model import CertificateVersion
    from gateway.configuration.snapshot import Snapshot

STEPS: Final = (0, 1, 7, 14, 30)
"""Days before the end at which it is told; 0 when it is over."""

_SECONDS_A_DAY: Final = 86_400
_FILES: Final = ("servers", "internal", "ca", "upstreams")
_WATCHED_STAGES: Final = (Stage.CURRENT, Stage.PENDING)
_MOST_FILE_BYTES: Final = 200_000


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A certificate and where it stands: a document (`certificates/shop`) or a file (`certs/servers/edge.crt`).

    `renews_itself`: whether the sandbox's authority, or an order by ACME, replaces it in time: only a renewal that fails is
    worth a word then.
    """

    place: str
    certificate: x509.Certificate
    renews_itself: bool = False

    @property
    def sha256(self) -> str:
        """The SHA-256 of its DER, lower-case hex."""
        return sha256_hex(self.certificate.public_bytes(Encoding.DER))

    @property
    def not_after(self) -> datetime:
        """Its end."""
        return self.certificate.not_valid_after_utc

    def days_left(self, now: datetime) -> float:
        """Return how many days it still holds, negative where it has expired."""
        return (self.not_after - now).total_seconds() / _SECONDS_A_DAY

    def step(self, now: datetime) -> int | None:
        """Return the last step that it has come to; None where nothing is to be told.

        Steps are left out that lie in its first half, of what renews itself in its first three quarters: whoever is issued
        for 30 days does not near its end on the first of them.
        """
        left = self.days_left(now)
        life = (self.not_after - self.certificate.not_valid_before_utc).total_seconds() / _SECONDS_A_DAY
        latest = life / (4 if self.renews_itself else 2)
        return next((step for step in STEPS if left <= step <= latest), None)


def watched_certificates(
    home: Home, snapshot: Snapshot, authorities: Callable[[str], Iterable[x509.Certificate]]
) -> list[Watched]:
    """Return all that is watched, each certificate once for each place; `authorities` gives a trust store's CAs."""
    found = [*_of_files(home), *_of_documents(snapshot)]
    for store in sorted({TPP_STORE, *snapshot.of(TRUST_STORES)}):
        found += [Watched(place=f"{TRUST_STORES.name}/{store}", certificate=each) for each in authorities(store)]
    return list({(each.place, each.sha256): each for each in found}.values())


def expiring(watched: Iterable[Watched], now: datetime, *, days: float) -> list[Watched]:
    """Return those that end within so many days or have ended, the first to end first."""
    return sorted((each for each in watched if each.days_left(now) <= days), key=lambda each: (each.not_after, each.place))


def _of_files(home: Home) -> Iterator[Watched]:
    for folder in _FILES:
        for path in sorted((home.certs / folder).glob("*.crt")):
            for certificate in _read(path):
                # The operator puts files for upstreams there; CAs are not renewed, for others trust them.
                itself = folder in {"servers", "internal"} or path.stem.startswith("ocsp-")
                yield Watched(place=f"certs/{folder}/{path.name}", certificate=certificate, renews_itself=itself)


def _read(path: Path) -> Sequence[x509.Certificate]:
    try:
        return read_certificates(path.read_text("ascii"), most_characters=_MOST_FILE_BYTES)
    except (OSError, UnicodeDecodeError, UnreadablePem):
        return ()  # whoever serves it will say so


def _of_documents(snapshot: Snapshot) -> Iterator[Watched]:
    ordered = snapshot.of(ACME_CERTIFICATES)
    for name, stored in snapshot.of(CERTIFICATES).items():
        for version in stored.versions:
            if version.stage in _WATCHED_STAGES:
                yield from _of_version(f"{CERTIFICATES.name}/{name}", version, renews_itself=name in ordered)
    for name, upstream in snapshot.of(UPSTREAMS).items():
        for pem in upstream.proof.authorities if upstream.proof else ():
            for each in read_certificates(pem, most_characters=len(pem)):
                yield Watched(place=f"{UPSTREAMS.name}/{name}", certificate=each)


def _of_version(place: str, version: CertificateVersion, *, renews_itself: bool) -> Iterator[Watched]:
    for each in version.chain:
        yield Watched(place=place, certificate=each, renews_itself=renews_itself)
