"""The certificate authority's records on real databases: every promise of `CertificateRecords`, on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from sandbox.ca.crl import PublishedCrl
from sandbox.ca.model import CertificateRecord, CertificateStatus, Fault, RevocationReason, TppCertificateKind
from sandbox.ca.records import Revocation
from sandbox.ca.store import CertificateStore
from sandbox.database import certificates, crls
from tests.support.certificate_authority import NOW, TPP, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from sandbox.ca.crl import RevokedEntry
    from tests.support.databases import Databases

CA = "tpp-issuing"


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("sandbox") as engine:
        yield engine


@pytest.fixture
def store(engine: Engine) -> CertificateStore:
    return CertificateStore(engine)


def record(number: int, **changes: object) -> CertificateRecord:
    right = CertificateRecord(
        serial=f"{number:04x}",
        ca=CA,
        profile="qwac",
        subject="CN=acme.example,O=Acme",
        sha256=f"{number:064x}",
        key_sha256=f"{number:064x}",
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        issued_at=NOW + timedelta(seconds=number),
        der=b"\x30" + bytes((number % 256,)),
        tpp="acme",
        authorisation_number="PSDDE-BAFIN-100001",
    )
    return replace(right, **changes)  # type: ignore[arg-type]


def sign(entries: Sequence[RevokedEntry], previous: int | None) -> PublishedCrl:
    """Sign nothing: the list's content is its DER."""
    serials = ",".join(entry.serial for entry in entries)
    return PublishedCrl(
        ca=CA,
        number=(previous or 0) + 1,
        issuer_key_sha256="00",
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
        der=serials.encode(),
    )


def revoke(store: CertificateStore, serial: str, reason: RevocationReason = RevocationReason.SUPERSEDED) -> bool:
    revocation = Revocation(serial=serial, reason=reason, at=NOW + timedelta(hours=1))
    return store.publish_crl(CA, sign, revocation=revocation, unexpired_at=NOW) is not None


def test_the_migrated_tables_are_those_that_the_code_names(engine: Engine) -> None:
    inspector = inspect(engine)
    for table in (certificates, crls):
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert found == {column.name: column.nullable for column in table.columns}
        indices = {str(index["name"]) for index in inspector.get_indexes(table.name)}
        assert {str(index.name) for index in table.indexes} <= indices


def test_a_record_comes_back_as_it_was(store: CertificateStore) -> None:
    full = record(1, fault=Fault.EXPIRED, replaces="0abc")

    store.add([full, record(2, tpp=None, authorisation_number=None)])

    assert store.get("0001") == full
    assert store.get("0003") is None


def test_records_are_added_all_or_none(store: CertificateStore) -> None:
    with pytest.raises(IntegrityError):
        store.add([record(1), record(1, sha256="ff" * 32)])

    assert store.listed(tpp=None, limit=10) == []
    store.add([])


def test_records_are_listed_newest_first_by_tpp_and_limited(store: CertificateStore) -> None:
    store.add([record(1), record(3), record(2), record(4, tpp="other"), record(5, tpp=None)])

    assert [each.serial for each in store.listed(tpp="acme", limit=2)] == ["0003", "0002"]
    assert len(store.listed(tpp=None, limit=10)) == 5


def test_statuses_are_told_for_many_serial_numbers_at_once(store: CertificateStore) -> None:
    store.add([record(1), record(2)])
    revoke(store, "0002")

    statuses = store.statuses(f"{number:04x}" for number in range(1_200))

    assert statuses == {"0001": CertificateStatus.VALID, "0002": CertificateStatus.REVOKED}


def test_only_valid_certificates_count(store: CertificateStore) -> None:
    store.add([record(1), record(2), record(3, not_after=NOW), record(4, tpp="other")])
    revoke(store, "0002")

    with store.issuing("acme", "PSDDE-BAFIN-100001") as issuing:
        assert issuing.count_valid(now=NOW) == 1


def test_lives_are_those_of_one_number_that_were_issued_or_end_late_enough(store: CertificateStore) -> None:
    """Whatever their status, and whatever the TPP is called by now."""
    long_ago, hour = NOW - timedelta(days=400), timedelta(hours=1)
    number = {"authorisation_number": "PSDDE-BAFIN-1"}
    store.add(
        [
            record(1, issued_at=NOW, not_after=NOW - hour, **number),
            record(2, issued_at=long_ago, not_after=NOW + hour, tpp="renamed", **number),
            record(3, issued_at=long_ago, not_after=NOW - hour, **number),
            record(4, issued_at=NOW, not_after=NOW + hour, authorisation_number="PSDDE-BAFIN-2"),
        ]
    )
    revoke(store, "0002")

    with store.issuing("acme", "PSDDE-BAFIN-1") as issuing:
        lives = issuing.lives(issued_after=NOW - hour, ended_after=NOW)

    assert sorted((life.issued_at, life.not_after) for life in lives) == [(long_ago, NOW + hour), (NOW, NOW - hour)]


def test_a_key_is_compromised_once_one_of_its_certificates_was(store: CertificateStore) -> None:
    store.add([record(1, key_sha256="aa"), record(2, key_sha256="bb")])
    revoke(store, "0001", RevocationReason.KEY_COMPROMISE)
    revoke(store, "0002", RevocationReason.SUPERSEDED)

    assert store.is_compromised("aa")
    assert not store.is_compromised("bb")


def test_revoking_marks_and_publishes_in_one_step(store: CertificateStore) -> None:
    store.add([record(1), record(2)])
    assert store.crl(CA) is None

    assert revoke(store, "0001")

    published, revoked = store.crl(CA), store.get("0001")
    assert published is not None
    assert (published.number, published.der) == (1, b"0001")
    assert revoked is not None
    assert (revoked.status, revoked.reason) == (CertificateStatus.REVOKED, RevocationReason.SUPERSEDED)
    assert revoked.revoked_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("serial", ["0001", "0002", "0009"])
def test_what_cannot_be_revoked_changes_nothing(store: CertificateStore, serial: str) -> None:
    """Revoked already, another authority's, or unknown."""
    store.add([record(1), record(2, ca="server-issuing")])
    revoke(store, "0001")
    before = store.crl(CA)

    assert not revoke(store, serial, RevocationReason.KEY_COMPROMISE)

    assert store.crl(CA) == before
    first = store.get("0001")
    assert first is not None
    assert first.reason is RevocationReason.SUPERSEDED


def test_a_signer_that_fails_leaves_the_certificate_valid(store: CertificateStore) -> None:
    """Revoked but unpublished would be the worst of both."""
    store.add([record(1)])

    def fail(_entries: Sequence[RevokedEntry], _previous: int | None) -> PublishedCrl:
        raise OSError("the key cannot be read")

    revocation = Revocation(serial="0001", reason=RevocationReason.SUPERSEDED, at=NOW)
    with pytest.raises(OSError, match="the key cannot be read"):
        store.publish_crl(CA, fail, revocation=revocation, unexpired_at=NOW)

    assert store.statuses(["0001"]) == {"0001": CertificateStatus.VALID}
    assert store.crl(CA) is None


def test_expired_certificates_leave_the_list(store: CertificateStore) -> None:
    store.add([record(1), record(2, not_after=NOW + timedelta(days=1))])
    revoke(store, "0001")
    revoke(store, "0002")

    later = store.publish_crl(CA, sign, revocation=None, unexpired_at=NOW + timedelta(days=2))

    assert later is not None
    assert later.der == b"0001"


def test_revocations_at_the_same_time_are_all_in_the_last_list(store: CertificateStore) -> None:
    """Two publishers that do not see each other would each leave the other's out."""
    store.add([record(number) for number in range(24)])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda number: revoke(store, f"{number:04x}"), range(24)))

    published = store.crl(CA)
    assert published is not None
    assert published.number == 24
    assert sorted(published.der.decode().split(",")) == [f"{number:04x}" for number in range(24)]


def test_the_authority_works_on_it_from_issue_to_list(store: CertificateStore, tmp_path: Path) -> None:
    authority = setting(tmp_path, records=store).authority
    own = authority.ensure_hierarchy()
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=TppCertificateKind.QWAC)

    authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    revocations = x509.load_der_x509_crl(authority.crl(CA))
    assert revocations.get_revoked_certificate_by_serial_number(int(issued.serial, 16)) is not None
    assert len(authority.certificates()) == len(own) + 1
