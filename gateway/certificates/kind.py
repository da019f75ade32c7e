"""Documents of the kind `certificates`: the gateway's own certificates, by name, with their versions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.certificates.bodies import MOST_CHAIN, CertificateBody, VersionBody
from gateway.certificates.checks import fault_of_key, faults_of_chain
from gateway.certificates.model import CertificateVersion, Stage, StoredCertificate
from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused, Fault, Kind
from gateway.trust.pem import UnreadablePem, read_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gateway.configuration.model import Document
    from gateway.configuration.snapshot import Snapshot

_IN_USE: Final = (Stage.CURRENT, Stage.PENDING)


def parse_certificate(document: Document) -> StoredCertificate:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(CertificateBody, document)
    faults = list(_faults_of_stages(body))
    versions = [_version(place, each, faults) for place, each in enumerate(body.versions)]
    found = tuple(each for each in versions if each is not None)
    faults += _faults_of_set(found)
    if faults:
        raise DocumentRefused(faults)
    return StoredCertificate(name=document.name, description=body.description, versions=found)


def _faults_of_stages(body: CertificateBody) -> Iterator[Fault]:
    counts = Counter(each.stage for each in body.versions)
    if counts[Stage.CURRENT] != 1:
        yield Fault("versions", f"{counts[Stage.CURRENT]} are current: exactly one is in use")
    for stage in (Stage.PENDING, Stage.PREVIOUS):
        if counts[stage] > 1:
            yield Fault("versions", f"{counts[stage]} are {stage}: one at most")


def _version(place: int, body: VersionBody, faults: list[Fault]) -> CertificateVersion | None:
    field = f"versions[{place}]"
    try:
        chain = tuple(read_certificates(body.chain, most_characters=MOST_CHAIN))
    except UnreadablePem as error:
        faults.append(Fault(f"{field}.chain", str(error)))
        return None
    faults += [Fault(f"{field}.chain", problem) for problem in faults_of_chain(chain)]
    problem = fault_of_key(body.key, chain[0]) if body.key is not None else None
    if problem is not None:
        faults.append(Fault(f"{field}.key", problem))
    return CertificateVersion(place=place, stage=body.stage, chain=chain, key_pem=body.key)


def _faults_of_set(versions: tuple[CertificateVersion, ...]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for each in versions:
        first = seen.setdefault(each.sha256, each.place)
        if first != each.place:
            yield Fault(f"versions[{each.place}].chain", f"is the certificate of versions[{first}] once more: {each.sha256}")


def _untimely(certificate: StoredCertificate, now: datetime) -> Iterator[Fault]:
    for each in certificate.versions:
        if each.stage not in _IN_USE:
            continue
        for one in each.chain:
            if one.not_valid_after_utc <= now:
                name, ended = one.subject.rfc4514_string(), one.not_valid_after_utc.isoformat()
                yield Fault(f"versions[{each.place}].chain", f"{name} expired at {ended}: send the one that took its place")
        if each.stage is Stage.CURRENT and each.leaf.not_valid_before_utc > now:
            begins = each.leaf.not_valid_before_utc.isoformat()
            yield Fault(f"versions[{each.place}].chain", f"is not valid before {begins}: until then its stage is pending")


def version_words(version: CertificateVersion) -> dict[str, object]:
    """Return what is shown of a version: never its key."""
    leaf = version.leaf
    return {
        "sha256": version.sha256,
        "stage": version.stage.value,
        "subject": leaf.subject.rfc4514_string(),
        "issuer": leaf.issuer.rfc4514_string(),
        "serial": f"{leaf.serial_number:x}",
        "dns_names": list(version.dns_names),
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": version.not_after.isoformat(),
        "chain_length": len(version.chain),
        "has_key": version.key_pem is not None,
    }


def _described(certificate: StoredCertificate, _snapshot: Snapshot) -> Mapping[str, object]:
    return {"current": certificate.current.sha256, "versions": [version_words(each) for each in certificate.versions]}


CERTIFICATES: Final = Kind(
    name="certificates",
    summary="The gateway's own certificates: chain and private key, in versions",
    parse=parse_certificate,
    schema=CertificateBody.model_json_schema,
    describe=_described,
    untimely=_untimely,
    secrets=frozenset({"versions[].key"}),
)
