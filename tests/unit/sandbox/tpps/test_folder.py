"""A TPP's folder: private keys private, the certificate before kept aside, everything movable."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.files import write_private
from chassis.home import Home
from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind
from sandbox.tpps.folder import TppFolder
from tests.support.register import NOW, RegisterWorld, issued_certificate, registration, signing_request

if TYPE_CHECKING:
    from pathlib import Path

QWAC, QSEAL = TppCertificateKind.QWAC, TppCertificateKind.QSEAL


@pytest.fixture
def folder(tmp_path: Path) -> TppFolder:
    return TppFolder(Home(tmp_path), "acme")


def test_private_files_are_private(folder: TppFolder) -> None:
    """Keys and client.json, which holds the access token, are readable by their owner only."""
    folder.write_certificate(issued_certificate(QWAC))
    folder.write_faulty(issued_certificate(QWAC, fault=Fault.EXPIRED))
    folder.write_client({"name": "acme"}, "secret")

    for name in ("qwac.key", "faults/expired.key", "client.json"):
        assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o600


def test_client_json_names_files_relative_to_itself(folder: TppFolder, tmp_path: Path) -> None:
    """The certs folder can be copied to another machine."""
    folder.write_client({"name": "acme"}, "secret")

    document = json.loads((folder.path / "client.json").read_text())

    assert (folder.path / document["cafile"]).resolve() == Home(tmp_path).trust_bundle.resolve()
    assert document["certificates"]["qwac"] == {"certificate": "qwac.crt", "key": "qwac.key"}


def test_client_json_follows_the_platform(folder: TppFolder) -> None:
    """Ports may have changed since; who never had a client.json here gets none."""
    folder.refresh_client({"issuer": "https://localhost:9001"})
    assert not folder.path.exists()
    folder.write_client({"issuer": "https://localhost:8441"}, "secret")

    folder.write_client({"issuer": "https://localhost:8441", "dpop_bound_access_tokens": True}, "secret")
    folder.refresh_client({"issuer": "https://localhost:9001"})

    document = json.loads((folder.path / "client.json").read_text())
    assert (document["issuer"], document["registration_access_token"]) == ("https://localhost:9001", "secret")
    assert "dpop_bound_access_tokens" not in document  # what is registered no more


def test_the_pair_before_goes_aside(folder: TppFolder) -> None:
    """After a renewal the old pair is still there, certificate and key together."""
    old, new = issued_certificate(QWAC), issued_certificate(QWAC)
    folder.write_certificate(old)

    folder.write_certificate(new)

    assert folder.serial(QWAC) == new.serial
    assert (folder.path / "qwac.previous.crt").read_text() == old.certificate
    assert (folder.path / "qwac.previous.key").read_text() == old.private_key


def test_a_faulty_certificate_is_not_put_in_use(folder: TppFolder) -> None:
    """It lies in faults/ under its fault's name."""
    good = issued_certificate(QWAC)
    folder.write_certificate(good)

    path = folder.write_faulty(issued_certificate(QWAC, fault=Fault.NOT_YET_VALID))

    assert path == folder.path / "faults" / "not-yet-valid.crt"
    assert folder.serial(QWAC) == good.serial


def test_a_certificate_for_ones_own_key_leaves_the_key_alone(folder: TppFolder) -> None:
    """Where the signing request was made with the key in the folder, the pair stays whole."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(folder.path / "qwac.key", pem)

    folder.write_certificate(issued_certificate(QWAC, csr=signing_request(key)))

    assert (folder.path / "qwac.key").read_bytes() == pem


def test_a_strange_key_is_not_left_beside_the_certificate(folder: TppFolder) -> None:
    """A certificate over a key that is kept elsewhere must not stand beside another key."""
    folder.write_certificate(issued_certificate(QWAC))
    elsewhere = ec.generate_private_key(ec.SECP256R1())

    folder.write_certificate(issued_certificate(QWAC, csr=signing_request(elsewhere)))

    assert not (folder.path / "qwac.key").exists()
    assert (folder.path / "qwac.previous.key").exists()


def _written(world: RegisterWorld, folder: TppFolder) -> None:
    registered = world.register.register_new(registration())
    for issued in registered.certificates.values():
        folder.write_certificate(issued)
    folder.write_client({"name": "acme"}, registered.access_token)


def test_what_is_whole_and_good_counts_as_held(folder: TppFolder) -> None:
    """Both pairs and the token are found again."""
    world = RegisterWorld()
    _written(world, folder)

    holdings = folder.holdings(world.authority.certificates("acme"), now=NOW)

    assert holdings.kinds == {QWAC, QSEAL}
    assert holdings.access_token


@pytest.mark.parametrize(
    "damage", ["key missing", "key of another", "certificate missing", "not recorded", "revoked", "expired"]
)
def test_what_is_not_whole_or_not_good_is_not_held(folder: TppFolder, damage: str) -> None:
    """Each damage alone is enough to have the QWAC issued anew; the QSealC is kept."""
    world = RegisterWorld()
    _written(world, folder)
    serial, now = str(folder.serial(QWAC)), NOW
    match damage:
        case "key missing":
            (folder.path / "qwac.key").unlink()
        case "key of another":
            (folder.path / "qwac.key").write_bytes((folder.path / "qseal.key").read_bytes())
        case "certificate missing":
            (folder.path / "qwac.crt").unlink()
        case "not recorded":
            del world.authority.records[serial]
        case "revoked":
            world.authority.revoke(serial, RevocationReason.SUPERSEDED)
        case _:
            now = NOW + timedelta(days=91)

    holdings = folder.holdings(world.authority.certificates("acme"), now=now)

    assert holdings.kinds == (frozenset() if damage == "expired" else {QSEAL})
