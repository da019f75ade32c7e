"""Documents of the kind `trust-stores`: bundles of CAs, and the rules by which those who hold their certificates are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused, Fault, Kind
from gateway.trust.authorities import fault_of_authority, fault_of_place, fault_of_time
from gateway.trust.bodies import TrustStoreBody
from gateway.trust.model import TPP_STORE, TrustKind
from gateway.trust.pem import UnreadablePem, read_certificates
from gateway.trust.rules import CrlRules, OcspRules, RevocationRules, StoreRules
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from cryptography import x509

    from gateway.configuration.model import Document
    from gateway.configuration.snapshot import Snapshot
    from gateway.trust.bodies import RevocationBody

_MOST_PEM: Final = 200_000
_MOST_CERTIFICATES: Final = 500


@dataclass(frozen=True, slots=True)
class StoreCertificate:
    """A CA of a store, with the place in the document where it stands."""

    field: str
    kind: TrustKind
    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its DER, lower-case hex."""
        return sha256_hex(self.certificate.public_bytes(Encoding.DER))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """One store as its document describes it."""

    name: str
    description: str
    rules: StoreRules
    certificates: tuple[StoreCertificate, ...]

    def of_kind(self, kind: TrustKind) -> tuple[x509.Certificate, ...]:
        """Return the anchors, or the intermediates."""
        return tuple(each.certificate for each in self.certificates if each.kind is kind)


def parse_trust_store(document: Document) -> TrustStore:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(TrustStoreBody, document)
    faults: list[Fault] = []
    certificates = tuple(_certificates(body, faults))
    faults += _faults_of_set(certificates, may_be_empty=document.name == TPP_STORE)
    if faults:
        raise DocumentRefused(faults)
    rules = StoreRules(profile=body.profile, max_chain_depth=body.max_chain_depth, revocation=_revocation(body.revocation))
    return TrustStore(name=document.name, description=body.description, rules=rules, certificates=certificates)


def _certificates(body: TrustStoreBody, faults: list[Fault]) -> Iterator[StoreCertificate]:
    for name, bundle in body.bundles.items():
        texts = {TrustKind.ANCHOR: ("anchors", bundle.anchors), TrustKind.INTERMEDIATE: ("intermediates", bundle.intermediates)}
        for kind, (list_name, pems) in texts.items():
            for place, pem in enumerate(pems):
                yield from _of_text(pem, kind, f"bundles.{name}.{list_name}[{place}]", faults)


def _of_text(pem: str, kind: TrustKind, field: str, faults: list[Fault]) -> Iterator[StoreCertificate]:
    try:
        certificates = read_certificates(pem, most_characters=_MOST_PEM)
    except UnreadablePem as error:
        faults.append(Fault(field, str(error)))
        return
    for certificate in certificates:
        fault = fault_of_authority(certificate)
        if fault is not None:
            faults.append(Fault(field, fault))
        yield StoreCertificate(field, kind, certificate)


def _faults_of_set(certificates: tuple[StoreCertificate, ...], *, may_be_empty: bool) -> Iterator[Fault]:
    anchors = [each for each in certificates if each.kind is TrustKind.ANCHOR]
    if not anchors and not may_be_empty:
        yield Fault(
            "bundles", "at least one anchor is needed: without any, everybody would be refused; to end it, delete the store"
        )
    if len(certificates) > _MOST_CERTIFICATES:
        yield Fault("bundles", f"hold {len(certificates)} certificates, at most {_MOST_CERTIFICATES} are taken in one store")
    seen: dict[str, str] = {}
    for each in certificates:
        if each.sha256 in seen:
            yield Fault(each.field, f"holds certificate {each.sha256} once more: it stands in {seen[each.sha256]}")
        seen.setdefault(each.sha256, each.field)
    everybody = [each.certificate for each in certificates]
    for each in certificates:
        # The anchors of `tpp` are delivered beside its document: what is above an intermediate is not all to be seen here.
        misplaced = (
            fault_of_place(each.certificate, everybody) if each.kind is TrustKind.INTERMEDIATE and not may_be_empty else None
        )
        if misplaced is not None:
            yield Fault(each.field, misplaced)


def _revocation(body: RevocationBody) -> RevocationRules:
    return RevocationRules(
        method=body.method,
        unknown=body.unknown,
        scope=body.scope,
        crl=CrlRules(
            grace_seconds=body.crl.grace_seconds,
            fetch=body.crl.fetch,
            points=tuple(body.crl.points),
            every_seconds=body.crl.every_seconds,
        ),
        ocsp=OcspRules(**body.ocsp.model_dump()),
        internal_hosts=frozenset(body.internal_hosts),
    )


def _expired(store: TrustStore, now: datetime) -> Iterator[Fault]:
    for each in store.certificates:
        fault = fault_of_time(each.certificate, now)
        if fault is not None:
            yield Fault(each.field, f"{each.certificate.subject.rfc4514_string()} {fault}")


def _described(store: TrustStore, _snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "certificates": [
            {
                "field": each.field,
                "kind": each.kind.value,
                "subject": each.certificate.subject.rfc4514_string(),
                "issuer": each.certificate.issuer.rfc4514_string(),
                "sha256": each.sha256,
                "not_after": each.certificate.not_valid_after_utc.isoformat(),
            }
            for each in store.certificates
        ]
    }


TRUST_STORES: Final = Kind(
    name="trust-stores",
    summary="Whom deployments trust: bundles of CAs, and how revocation is found out",
    parse=parse_trust_store,
    schema=TrustStoreBody.model_json_schema,
    describe=_described,
    untimely=_expired,
    built_in=frozenset({TPP_STORE}),
)
