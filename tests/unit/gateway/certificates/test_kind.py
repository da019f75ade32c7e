"""Documents of certificates: what is wrong with one is told with its place; keys are shown to nobody and stored sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from chassis.sealing import KeyFile, Seal
from gateway.certificates.kind import CERTIFICATES, parse_certificate
from gateway.configuration.changes import Change
from gateway.configuration.model import Document, DocumentRefused, Kinds
from gateway.configuration.sealing import SealedKinds
from gateway.configuration.secrets import redacted
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from gateway.tables.configuration import admin_audit, document_versions, documents
from psd2.clock import FixedClock
from tests.support.pki import DAY, Authority, Issued
from tests.support.stored_certificates import ISSUING, NOW, ROOT, key_pem, version

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

_TOO_FEW_BITS = 1024


def faults(*versions: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DocumentRefused) as caught:
        parse_certificate(Document("certificates", "shop", {"versions": list(versions)}))
    return [(fault.field, fault.problem) for fault in caught.value.faults]


@pytest.fixture(scope="module")
def leaf() -> Issued:
    return ISSUING.server("shop.example", "*.shop.example")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "documents.key"


@pytest.fixture
def configuration(engine: Engine, key_file: Path) -> Configuration:
    """Lend a configuration whose secrets are sealed."""
    store = SqlConfigurationStore(engine, SealedKinds(Seal(KeyFile(key_file)), [CERTIFICATES.name]))
    return Configuration(kinds=Kinds((CERTIFICATES,)), store=store, clock=FixedClock(NOW))


def put(configuration: Configuration, *versions: dict[str, Any]) -> None:
    configuration.apply([Change(kind="certificates", name="shop", body={"versions": list(versions)})])


def test_a_chain_and_its_key_are_taken(leaf: Issued) -> None:
    """The version in use is found under the name, known by its SHA-256; nothing prints its key."""
    model = parse_certificate(Document("certificates", "shop", {"versions": [version(leaf)]}))

    assert model.current.sha256 == leaf.sha256
    assert model.current.chain == (leaf.certificate, ISSUING.certificate)
    assert model.current.dns_names == ("shop.example", "*.shop.example")
    assert "PRIVATE KEY" not in repr(model)


def test_a_chain_without_a_key_is_taken(leaf: Issued) -> None:
    """To be watched, not shown."""
    body = {"versions": [{"stage": "current", "chain": leaf.pem}]}

    assert parse_certificate(Document("certificates", "shop", body)).current.key_pem is None


def test_each_fault_of_a_chain_is_told_with_its_place(leaf: Issued) -> None:
    """Wrong in exactly one way each."""
    other = ISSUING.server("other.example")
    weak = ISSUING.qwac(subject_key=rsa.generate_private_key(65537, _TOO_FEW_BITS))
    cases = {
        "no readable certificate": version(leaf, chain="not PEM"),
        "is a CA": version(Issued(ISSUING.certificate, ISSUING.key)),
        "is too weak": version(weak),
        "the chain is broken": version(leaf, chain=leaf.pem.split("-----END CERTIFICATE-----\n")[0] + _END + ROOT.pem),
        "is no CA": version(leaf, chain=leaf.pem + other.pem),
    }
    for problem, case in cases.items():
        (first, *_) = faults(case)
        assert first[0] == "versions[0].chain"
        assert problem in first[1]


_END = "-----END CERTIFICATE-----\n"


def test_each_fault_of_a_key_is_told_and_never_the_key(leaf: Issued) -> None:
    """Another's, encrypted, unreadable."""
    other = key_pem(ISSUING.server("other.example"))
    cases = {
        "not the private key of": other,
        "is encrypted": key_pem(leaf, password=b"open sesame"),
        "no readable private key": "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    }
    for problem, key in cases.items():
        ((field, told),) = faults(version(leaf, key=key))
        assert field == "versions[0].key"
        assert problem in told
        assert key.splitlines()[1] not in told


def test_exactly_one_version_is_current_and_each_is_there_once(leaf: Issued) -> None:
    """One pending and one previous at most."""
    other = ISSUING.server("other.example")
    assert faults(version(leaf, stage="pending"))[0][1].startswith("0 are current")
    assert faults(version(leaf), version(other))[0][1].startswith("2 are current")
    assert faults(version(leaf), version(leaf, stage="previous"))[0][0] == "versions[1].chain"


def test_what_has_expired_or_is_of_the_future_does_not_come_into_use(configuration: Configuration) -> None:
    """As a version of the past it may stand; one of the future is pending."""
    good = ISSUING.server("shop.example")
    expired = ISSUING.qwac(not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    future = ISSUING.qwac(not_before=NOW + DAY, not_after=NOW + 9 * DAY)
    for wrong, word in ((expired, "expired at"), (future, "not valid before")):
        with pytest.raises(SetRefused) as caught:
            put(configuration, version(wrong))
        assert [(fault.field, word in fault.problem) for fault in caught.value.faults] == [("versions[0].chain", True)]
    put(configuration, version(good), version(future, stage="pending"), version(expired, stage="previous"))


def test_an_authority_that_has_expired_is_refused_too(configuration: Configuration) -> None:
    """No client would believe the chain."""
    dying = Authority("Dying", parent=ROOT, not_after=NOW - DAY)
    with pytest.raises(SetRefused, match=r"CN=Dying,C=DE expired"):
        put(configuration, version(dying.server("shop.example")))


def test_a_private_key_is_in_no_answer_and_not_in_the_audit(configuration: Configuration, engine: Engine, leaf: Issued) -> None:
    """Also where the document is read again, replaced, or deleted."""
    put(configuration, version(leaf))
    standing = configuration.version("certificates", "shop")
    shown = redacted(standing.document.body, CERTIFICATES.secrets, version=standing.number)
    assert shown["versions"][0]["key"] == "(secret of version 1: versions[0].key)"

    configuration.apply([Change(kind="certificates", name="shop", body=shown | {"description": "edited"})])
    assert configuration.version("certificates", "shop").document.body["versions"][0]["key"] == key_pem(leaf)
    configuration.apply([Change(kind="certificates", name="shop", body=None)])
    with engine.connect() as connection:
        told = " ".join(str(value) for row in connection.execute(select(admin_audit)) for value in row)
    assert "(secret)" in told
    assert "PRIVATE KEY" not in told


def test_in_the_database_documents_with_keys_are_sealed(
    configuration: Configuration, engine: Engine, leaf: Issued, key_file: Path
) -> None:
    """With a key that only its owner may read, beside the database."""
    put(configuration, version(leaf))
    with engine.connect() as connection:
        stored = [row.body for table in (documents, document_versions) for row in connection.execute(select(table))]

    assert all(text.startswith("sealed:") and "PRIVATE" not in text for text in stored)
    assert key_file.stat().st_mode & 0o777 == 0o600
    (stands,) = configuration.standing("certificates")
    assert stands.document.body["versions"][0]["key"] == key_pem(leaf)


def test_a_sealed_document_opens_for_its_own_name_and_with_its_own_key_only(
    configuration: Configuration, engine: Engine, leaf: Issued, tmp_path: Path
) -> None:
    """Nobody who can write into the database puts one certificate into another's place; nothing is in force unread."""
    put(configuration, version(leaf))
    with engine.begin() as connection:
        connection.execute(documents.update().values(name="other"))
    with pytest.raises(SetRefused, match="sealed with another key"):
        configuration.snapshot()

    with engine.begin() as connection:
        connection.execute(documents.update().values(name="shop"))
    sealing = SealedKinds(Seal(KeyFile(tmp_path / "another.key")), [CERTIFICATES.name])
    stranger = Configuration(kinds=Kinds((CERTIFICATES,)), store=SqlConfigurationStore(engine, sealing), clock=FixedClock(NOW))
    with pytest.raises(SetRefused, match="sealed with another key"):
        stranger.snapshot()
