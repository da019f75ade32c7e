"""Documents of the kinds `acme-accounts` and `acme-certificates`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.acme.bodies import AcmeAccountBody, AcmeCertificateBody
from gateway.acme.model import AcmeAccount, AcmeCertificate, ExternalAccount
from gateway.certificates.kind import CERTIFICATES, version_words
from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused, Fault, Kind, Reference
from gateway.trust.authorities import fault_of_authority
from gateway.trust.pem import UnreadablePem, read_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.configuration.model import Document
    from gateway.configuration.snapshot import Snapshot


def parse_account(document: Document) -> AcmeAccount:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(AcmeAccountBody, document)
    faults = list(_faults_of_bundle(body.ca_bundle))
    if faults:
        raise DocumentRefused(faults)
    return AcmeAccount(
        name=document.name,
        directory=body.directory,
        terms_agreed=body.terms_of_service_agreed,
        contact=tuple(body.contact),
        ca_bundle=body.ca_bundle,
        external_account=ExternalAccount(**body.external_account.model_dump()) if body.external_account else None,
    )


def _faults_of_bundle(pem: str | None) -> Iterator[Fault]:
    if pem is None:
        return
    try:
        authorities = read_certificates(pem, most_characters=len(pem))
    except UnreadablePem as error:
        yield Fault("ca_bundle", str(error))
        return
    faults = (fault_of_authority(each) for each in authorities)
    yield from (Fault("ca_bundle", fault) for fault in faults if fault is not None)


def parse_certificate(document: Document) -> AcmeCertificate:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(AcmeCertificateBody, document)
    if len(set(body.names)) < len(body.names):
        raise DocumentRefused([Fault("names", "one of them is there twice")])
    return AcmeCertificate(
        name=document.name,
        account=body.account,
        names=tuple(body.names),
        key_type=body.key_type,
        renew_before=timedelta(days=body.renew_before_days),
        asks_when=body.renewal_information,
    )


def _described(wanted: AcmeCertificate, snapshot: Snapshot) -> Mapping[str, object]:
    standing = snapshot.of(CERTIFICATES).get(wanted.name)
    current = version_words(standing.current) if standing else None
    return {"certificate": f"{CERTIFICATES.name}/{wanted.name}", "current": current}


ACME_ACCOUNTS: Final = Kind(
    name="acme-accounts",
    summary="Accounts at CAs that certificates are ordered from by ACME (RFC 8555)",
    parse=parse_account,
    schema=AcmeAccountBody.model_json_schema,
    secrets=frozenset({"external_account.hmac_key"}),
)
ACME_CERTIFICATES: Final = Kind(
    name="acme-certificates",
    summary="Certificates that are ordered and renewed by ACME, each kept in `certificates` under its name",
    parse=parse_certificate,
    schema=AcmeCertificateBody.model_json_schema,
    references=lambda each: [Reference("account", ACME_ACCOUNTS.name, each.account)],
    describe=_described,
)
