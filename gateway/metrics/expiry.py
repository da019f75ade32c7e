"""How long certificates still hold: what the platform presents, and the authorities that TPPs' certificates lean on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from chassis.home import Home
    from gateway.certificates.expiry import Watched

_FOLDERS = {"server": "servers", "internal": "internal", "authority": "ca"}
_KINDS = {"certificates": "certificate", "upstreams": "upstream"}
_SECONDS_A_DAY = 86_400


class Expiry(NamedTuple):
    """One certificate: of which kind, by which name, and its end."""

    kind: str
    name: str
    not_after: datetime

    def days_left(self, now: datetime) -> float:
        """Return how many days it still holds, negative where it has expired."""
        return (self.not_after - now).total_seconds() / _SECONDS_A_DAY


def platform_expiries(home: Home) -> Iterator[Expiry]:
    """Yield the certificates of the platform's files; one that can't be read is passed over: whoever serves it will say so."""
    for kind, folder in _FOLDERS.items():
        for path in sorted((home.certs / folder).glob("*.crt")):
            try:
                certificate = x509.load_pem_x509_certificate(path.read_bytes())
            except (OSError, ValueError):
                continue
            yield Expiry(kind, path.stem, certificate.not_valid_after_utc)


def trusted_expiries(authorities: Iterable[x509.Certificate]) -> Iterator[Expiry]:
    """Yield a trust store's authorities, of several that bear one name the first to expire."""
    soonest: dict[str, datetime] = {}
    for certificate in authorities:
        name, end = _name(certificate), certificate.not_valid_after_utc
        soonest[name] = min(end, soonest.get(name, end))
    for name, end in soonest.items():
        yield Expiry("trusted", name, end)


def documented_expiries(watched: Iterable[Watched]) -> Iterator[Expiry]:
    """Yield what documents of certificates and upstreams hold, of each document the first to expire."""
    soonest: dict[tuple[str, str], datetime] = {}
    for each in watched:
        kind, _, name = each.place.partition("/")
        if kind in _KINDS:
            soonest[kind, name] = min(each.not_after, soonest.get((kind, name), each.not_after))
    for (kind, name), end in soonest.items():
        yield Expiry(_KINDS[kind], name, end)


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
