"""The write side of trust: a store or CRL with one fault is refused whole, and every change is told to the edge."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from sqlalchemy import select

from gateway.tables.configuration import changes
from gateway.tables.trust import blocked_certificates, crls, trust_certificates
from gateway.trust.model import TPP_STORE, OutdatedCrl, TrustRefusal
from gateway.trust.serials import RevokedSerials
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from psd2.thumbprints import sha256_hex
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from sqlalchemy import Engine


@cache
def root() -> Authority:
    return Authority("Test root")


@cache
def issuing() -> Authority:
    return Authority("Test issuing CA", parent=root())


@pytest.fixture
def trust(engine: Engine) -> Trust:
    return Trust(store=SqlTrustStore(engine), clock=SystemClock())


def told(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row.kind, row.key) for row in connection.execute(select(changes).order_by(changes.c.id))]


def fill(trust: Trust) -> None:
    trust.replace(TPP_STORE, anchors=[root().pem], intermediates=[issuing().pem])


def kept(engine: Engine) -> set[tuple[str, str]]:
    with engine.connect() as connection:
        return {(row.kind, row.pem) for row in connection.execute(select(trust_certificates))}


def test_a_trust_store_is_kept_and_told(trust: Trust, engine: Engine) -> None:
    """Anchors and intermediates, each as what it is."""
    fill(trust)

    assert kept(engine) == {("anchor", root().pem), ("intermediate", issuing().pem)}
    assert told(engine) == [("trust_store", "tpp")]


def test_a_trust_store_is_replaced_and_not_added_to(trust: Trust, engine: Engine) -> None:
    """Who is left out is trusted no longer."""
    fill(trust)
    other = Authority("Other root")
    trust.replace(TPP_STORE, anchors=[other.pem], intermediates=[])

    assert kept(engine) == {("anchor", other.pem)}


FAULTS = [
    pytest.param(lambda: "no certificate", "no readable certificate", id="no PEM"),
    pytest.param(lambda: root().pem.replace("MII", "MIX", 1), "no readable certificate", id="damaged"),
    pytest.param(
        lambda: issuing().qwac().pem.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n",
        "is no CA",
        id="leaf",
    ),
    pytest.param(lambda: root().pem + root().pem, "holds 2 certificates", id="two in one"),
    pytest.param(lambda: Authority(not_after=dt.datetime.now(dt.UTC) - DAY).pem, "expired at", id="expired"),
    pytest.param(lambda: "x" * 20_001, "at most 20000 are read", id="huge"),
]


@pytest.mark.parametrize(("pem", "said"), FAULTS)
@pytest.mark.parametrize("kind", ["anchors", "intermediates"])
def test_one_fault_refuses_the_whole_store(trust: Trust, engine: Engine, pem: object, said: str, kind: str) -> None:
    """The entry is named; the old store stays."""
    assert callable(pem)
    fill(trust)
    before = kept(engine)
    entries = {"anchors": [root().pem], "intermediates": [issuing().pem]}
    entries[kind].append(pem())

    with pytest.raises(TrustRefusal, match=said) as caught:
        trust.replace(TPP_STORE, **entries)

    assert caught.value.field == f"{kind}[1]"
    assert kept(engine) == before
    assert len(told(engine)) == 1


def test_an_empty_store_is_refused(trust: Trust) -> None:
    """It would lock everybody out, and by mistake only."""
    with pytest.raises(TrustRefusal, match="at least one trust anchor"):
        trust.replace(TPP_STORE, anchors=[], intermediates=[issuing().pem])


def test_a_certificate_stands_in_a_store_once(trust: Trust) -> None:
    """As anchor or as intermediate."""
    with pytest.raises(TrustRefusal, match="listed twice"):
        trust.replace(TPP_STORE, anchors=[root().pem], intermediates=[root().pem])


def test_a_ca_that_may_not_sign_certificates_is_refused(trust: Trust) -> None:
    """KeyUsage without keyCertSign (RFC 5280 §4.2.1.3)."""
    with pytest.raises(TrustRefusal, match="keyCertSign"):
        trust.replace(TPP_STORE, anchors=[pem_of(ca_with_usage(key_cert_sign=False, crl_sign=True))], intermediates=[])


def der_of(crl: x509.CertificateRevocationList) -> bytes:
    return crl.public_bytes(serialization.Encoding.DER)


def test_a_crl_is_kept_and_told(trust: Trust, engine: Engine) -> None:
    """With the SHA-256 of its issuer's name, by which the edge finds it."""
    fill(trust)
    leaf = issuing().qwac()
    der = der_of(issuing().crl(leaf, number=7))

    taken = trust.take_crl(TPP_STORE, der)

    digest = hashes.Hash(hashes.SHA256())
    digest.update(issuing().name.public_bytes())
    with engine.connect() as connection:
        row = connection.execute(select(crls)).one()
    assert (row.store, row.issuer, row.number, row.der) == ("tpp", digest.finalize().hex(), "7", der)
    assert (row.sha256, row.source) == (sha256_hex(der), "pushed")
    assert leaf.certificate.serial_number in RevokedSerials(row.serial_width, row.serials)
    assert row.next_update == taken.next_update.timestamp()
    assert told(engine)[1:] == [("crl", "tpp")]


def test_a_newer_crl_replaces_and_an_older_does_not(trust: Trust, engine: Engine) -> None:
    """The number never goes back: a replayed list would un-revoke (RFC 5280 §5.2.3)."""
    fill(trust)
    trust.take_crl(TPP_STORE, der_of(issuing().crl(number=7)))
    newer = der_of(issuing().crl(issuing().qwac(), number=9))
    trust.take_crl(TPP_STORE, newer)

    with pytest.raises(OutdatedCrl, match="number 9 is in force"):
        trust.take_crl(TPP_STORE, der_of(issuing().crl(number=8)))
    with pytest.raises(OutdatedCrl):
        trust.take_crl(TPP_STORE, der_of(issuing().crl(number=9)))
    trust.take_crl(TPP_STORE, newer)
    with engine.connect() as connection:
        assert connection.execute(select(crls.c.der)).scalars().all() == [newer]


def test_numbers_are_compared_as_numbers(trust: Trust) -> None:
    """10 is newer than 9, and 20 octets fit."""
    fill(trust)
    for number in (9, 10, 2**159):
        trust.take_crl(TPP_STORE, der_of(issuing().crl(number=number)))

    with pytest.raises(OutdatedCrl):
        trust.take_crl(TPP_STORE, der_of(issuing().crl(number=11)))


def test_each_issuer_has_its_own_crl(trust: Trust, engine: Engine) -> None:
    """The root's doesn't displace the issuing CA's."""
    fill(trust)
    trust.take_crl(TPP_STORE, der_of(issuing().crl(number=7)))
    trust.take_crl(TPP_STORE, der_of(root().crl(number=1)))

    with engine.connect() as connection:
        assert len(connection.execute(select(crls)).all()) == 2


def stranger_with_the_same_name() -> Authority:
    return Authority("Test issuing CA")


NOW = dt.datetime.now(dt.UTC)
CRL_FAULTS = [
    pytest.param(lambda: b"no crl", "no readable CRL", id="no DER"),
    pytest.param(lambda: issuing().crl().public_bytes(serialization.Encoding.PEM), "no readable CRL", id="PEM"),
    pytest.param(lambda: der_of(Authority("Stranger").crl()), "is not in the trust store", id="foreign issuer"),
    pytest.param(lambda: der_of(stranger_with_the_same_name().crl()), "signature was not made by", id="forged"),
    pytest.param(lambda: der_of(issuing().crl(next_update=NOW - DAY / 48, this_update=NOW - DAY)), "ran out", id="run out"),
    pytest.param(lambda: der_of(issuing().crl(this_update=NOW + DAY, next_update=NOW + 2 * DAY)), "in the future", id="future"),
    pytest.param(lambda: der_of(crl_with(number=False)), "no CRL number", id="no number"),
    pytest.param(lambda: der_of(crl_with(delta=True)), "delta CRL", id="delta"),
    pytest.param(lambda: der_of(crl_with(partial=True)), "send a complete CRL", id="partial"),
    pytest.param(
        lambda: der_of(crl_with(partial=True, critical=False)),
        "issuingDistributionPoint",
        id="partial, marked as if nobody cared",
    ),
    pytest.param(lambda: der_of(crl_with(of_another_issuer=True)), "its entry for serial number 2a has a critical", id="entry"),
]


@pytest.mark.parametrize(("made", "said"), CRL_FAULTS)
def test_a_faulty_crl_is_refused(trust: Trust, engine: Engine, made: object, said: str) -> None:
    """Each is wrong in one way; nothing is kept or told."""
    assert callable(made)
    fill(trust)

    with pytest.raises(TrustRefusal, match=said):
        trust.take_crl(TPP_STORE, made())

    with engine.connect() as connection:
        assert not connection.execute(select(crls)).all()
    assert len(told(engine)) == 1


def test_a_ca_that_may_not_sign_crls_is_not_believed(trust: Trust) -> None:
    """KeyUsage without cRLSign (RFC 5280 §6.3.3 (f))."""
    ca = ca_with_usage(key_cert_sign=True, crl_sign=False)
    trust.replace(TPP_STORE, anchors=[pem_of(ca)], intermediates=[])
    builder = x509.CertificateRevocationListBuilder(issuer_name=ca.subject).last_update(NOW).next_update(NOW + DAY)
    crl = builder.add_extension(x509.CRLNumber(1), critical=False).sign(root().key, hashes.SHA256())

    with pytest.raises(TrustRefusal, match="cRLSign"):
        trust.take_crl(TPP_STORE, der_of(crl))


def test_a_blocked_certificate_is_kept_and_told(trust: Trust, engine: Engine) -> None:
    """Blocking again changes the reason; freeing is told once."""
    sha256 = "ab" * 32
    assert trust.block(sha256, "key found on a public server") is True
    assert trust.block(sha256, " stolen ") is False
    with engine.connect() as connection:
        assert connection.execute(select(blocked_certificates.c.reason)).scalar_one() == "stolen"
    assert trust.unblock(sha256) is True
    assert trust.unblock(sha256) is False
    assert told(engine) == [("block_list", sha256)] * 3


@pytest.mark.parametrize("sha256", ["", "ab" * 31, "AB" * 32, "zz" * 32, "ab:" * 32])
def test_a_certificate_is_named_by_its_sha256(trust: Trust, sha256: str) -> None:
    """A name that no certificate has would block nobody, silently."""
    with pytest.raises(TrustRefusal) as caught:
        trust.block(sha256, "stolen")
    assert caught.value.field == "sha256"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_block_needs_a_reason(trust: Trust, reason: str) -> None:
    """An operator will ask for it later."""
    with pytest.raises(TrustRefusal) as caught:
        trust.block("ab" * 32, reason)
    assert caught.value.field == "reason"


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def ca_with_usage(*, key_cert_sign: bool, crl_sign: bool) -> x509.Certificate:
    """Return a CA with the root's key, whose keyUsage says this."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder(issuer_name=root().name, subject_name=root().name)
        .public_key(root().key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(root().key, hashes.SHA256())
    )


def crl_with(
    *, number: bool = True, delta: bool = False, partial: bool = False, critical: bool = True, of_another_issuer: bool = False
) -> x509.CertificateRevocationList:
    """Return a CRL of the issuing CA, odd in one way."""
    builder = x509.CertificateRevocationListBuilder(issuer_name=issuing().name).last_update(NOW).next_update(NOW + DAY)
    if number:
        builder = builder.add_extension(x509.CRLNumber(5), critical=False)
    if delta:
        builder = builder.add_extension(x509.DeltaCRLIndicator(4), critical=True)
    if partial:
        point = x509.IssuingDistributionPoint(
            full_name=None,
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=True,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )
        builder = builder.add_extension(point, critical=critical)
    if of_another_issuer:
        named = x509.CertificateIssuer([x509.DirectoryName(root().name)])
        entry = x509.RevokedCertificateBuilder(serial_number=0x2A, revocation_date=NOW).add_extension(named, critical=True)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuing().key, hashes.SHA256())
