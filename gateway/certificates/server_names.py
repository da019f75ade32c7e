"""Documents of the kind `server-names`: which certificate is shown to whoever asks for a name (RFC 6066 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import AfterValidator, Field

from gateway.acme.kind import ACME_CERTIFICATES
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.listeners import rules_of
from gateway.certificates.names import ServerHost  # noqa: TC001 - read by pydantic
from gateway.configuration.bodies import DocumentBody, read_body
from gateway.configuration.model import NAME, DocumentRefused, Fault, Kind, Reference
from gateway.policies.model import Listener  # noqa: TC001 - read by pydantic
from gateway.trust.authorities import extension_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.acme.model import AcmeCertificate
    from gateway.certificates.model import CertificateVersion
    from gateway.configuration.model import Document
    from gateway.configuration.snapshot import Snapshot

_MOST_NAMES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerName:
    """Names (lower case; `*.` at the start stands for one label), where they hold, and the certificate shown for them."""

    name: str
    names: tuple[str, ...]
    listeners: tuple[Listener, ...]
    certificate: str


def _certificate(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("is no name of a document")
    return name


class ServerNameBody(DocumentBody):
    """A certificate for names of the operator's own, beside the gateway's default one."""

    names: Annotated[
        list[ServerHost],
        Field(min_length=1, max_length=_MOST_NAMES, description="api.bank.example, or *.bank.example for one label more"),
    ]
    listeners: Annotated[list[Listener], Field(min_length=1, description="where: portal, front, edge, demo")]
    certificate: Annotated[
        str, AfterValidator(_certificate), Field(description="of certificates or acme-certificates, with a key")
    ]


def parse_server_name(document: Document) -> ServerName:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(ServerNameBody, document)
    faults = [
        Fault(f"listeners[{place}]", f"{listener} speaks no TLS")
        for place, listener in enumerate(body.listeners)
        if not listener.speaks_tls
    ]
    for field, values in (("names", body.names), ("listeners", body.listeners)):
        if len(set(values)) < len(values):
            faults.append(Fault(field, "one of them is there twice"))
    if faults:
        raise DocumentRefused(faults)
    return ServerName(
        name=document.name, names=tuple(body.names), listeners=tuple(body.listeners), certificate=body.certificate
    )


def _conflicts(snapshot: Snapshot) -> Iterator[Fault]:
    """Yield names that two documents claim, and certificates that can't be shown for what they are named for."""
    certificates, ordered, rules = snapshot.of(CERTIFICATES), snapshot.of(ACME_CERTIFICATES), rules_of(snapshot)
    claimed: dict[tuple[Listener, str], str] = {}
    for each in snapshot.of(SERVER_NAMES).values():
        place = f"{SERVER_NAMES.name}/{each.name}"
        for number, name in enumerate(each.names):
            first = next((claimed[at, name] for at in each.listeners if (at, name) in claimed), None)
            if first is not None:
                yield Fault(f"names[{number}]", f"{name} is a name of {SERVER_NAMES.name}/{first} too", place)
            claimed |= {(listener, name): each.name for listener in each.listeners}
        certificate = certificates.get(each.certificate)
        if certificate is None:
            # Still to be had; or a reference that leads nowhere, which is told by itself.
            yield from (Fault(field, problem, place) for field, problem in _never_had(each, ordered))
            continue
        yield from (Fault(field, problem, place) for field, problem in _unsuitable(certificate.current, each.names))
        is_rsa = isinstance(certificate.current.leaf.public_key(), rsa.RSAPublicKey)
        for listener in each.listeners:
            if not rules[listener].can_show(is_rsa=is_rsa):
                kind = "RSA" if is_rsa else "ECDSA"
                yield Fault("certificate", f"listeners/{listener} leaves TLS 1.2 no suite for its {kind} key", place)


def _never_had(each: ServerName, ordered: Mapping[str, AcmeCertificate]) -> Iterator[tuple[str, str]]:
    wanted = ordered.get(each.certificate)
    for number, name in enumerate(each.names):
        if wanted is not None and name not in wanted.names:
            yield f"names[{number}]", f"{name} is none of the names of {ACME_CERTIFICATES.name}/{each.certificate}"


def shown_names(snapshot: Snapshot) -> list[ServerName]:
    """Return those whose certificate is there; one that is still to be had leaves its names to the default certificate."""
    certificates = snapshot.of(CERTIFICATES)
    return [each for each in snapshot.of(SERVER_NAMES).values() if each.certificate in certificates]


def _unsuitable(version: CertificateVersion, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    if version.key_pem is None:
        yield "certificate", "has no private key: nobody can prove anything with it"
    purposes = extension_of(version.leaf, x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.SERVER_AUTH not in purposes:
        yield "certificate", "is for no TLS server: its extendedKeyUsage lacks serverAuth"
    usage = extension_of(version.leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        yield "certificate", "may not sign a handshake: its keyUsage lacks digitalSignature"
    held = {each.lower() for each in version.dns_names}
    for number, name in enumerate(names):
        if name not in held and f"*.{name.partition('.')[2]}" not in held:
            shown = ", ".join(sorted(held)) or "none"
            yield f"names[{number}]", f"{name} is no DNS name of the certificate, which has {shown}"


def _described(each: ServerName, snapshot: Snapshot) -> Mapping[str, object]:
    certificate = snapshot.of(CERTIFICATES).get(each.certificate)
    if certificate is None:
        return {"shown": None}
    return {"shown": certificate.current.sha256, "not_after": certificate.current.not_after.isoformat()}


SERVER_NAMES: Final = Kind(
    name="server-names",
    summary="Which of the gateway's own certificates is shown for which server name",
    parse=parse_server_name,
    schema=ServerNameBody.model_json_schema,
    references=lambda each: [Reference("certificate", CERTIFICATES.name, each.certificate, or_kind=ACME_CERTIFICATES.name)],
    conflicts=_conflicts,
    describe=_described,
)
