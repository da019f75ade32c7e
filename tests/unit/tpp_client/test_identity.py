"""A TPP's own files."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from psd2.clock import FixedClock
from tests.support.pki import DAY, NUMBER, Authority
from tpp_client.errors import IdentityUnusable
from tpp_client.identity import load_identity

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime.now(dt.UTC)
CLIENT = {
    "client_id": NUMBER,
    "issuer": "https://localhost:8441",
    "profile": "berlin",
    "authorisation_number": NUMBER,
    "redirect_uris": ["https://localhost:8446/callback"],
    "cafile": "../../trust.pem",
    "endpoints": {"edge": "https://localhost:8443"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lend a complete `certs/tpps/acme`."""
    path = tmp_path / "certs" / "tpps" / "acme"
    authority = Authority()
    authority.qwac().write(path, "qwac")
    authority.qseal().write(path, "qseal")
    (path / "client.json").write_text(json.dumps(CLIENT))
    (tmp_path / "certs" / "trust.pem").write_text(authority.pem)
    return path


def test_a_complete_folder_is_an_identity(folder: Path) -> None:
    """Everything a TPP needs, in one frozen value."""
    identity = load_identity(folder, clock=FixedClock(NOW))

    assert (identity.name, identity.client_id, identity.issuer) == ("acme", NUMBER, "https://localhost:8441")
    assert identity.edge == "https://localhost:8443"
    assert identity.certificate.authorisation_number == NUMBER
    assert identity.cafile.is_file()


def test_an_absolute_cafile_stands_for_itself(folder: Path) -> None:
    """Both forms are written by registrars."""
    bundle = folder.parent.parent / "trust.pem"
    (folder / "client.json").write_text(json.dumps(CLIENT | {"cafile": str(bundle)}))

    assert load_identity(folder, clock=FixedClock(NOW)).cafile == bundle


def test_no_key_is_in_the_repr(folder: Path) -> None:
    """Keys are named by path and never read."""
    assert "PRIVATE" not in repr(load_identity(folder, clock=FixedClock(NOW)))


def test_an_unknown_tpp_is_told_who_is_known(folder: Path) -> None:
    """The message helps with a misspelt name."""
    with pytest.raises(IdentityUnusable, match=r"no TPP 'acne' .* registered there: acme\. `sandbox tpp register acne"):
        load_identity(folder.parent / "acne", clock=FixedClock(NOW))


@pytest.mark.parametrize("missing", ["client.json", "qwac.crt", "qwac.key", "../../trust.pem"])
def test_each_missing_file_is_named(folder: Path, missing: str) -> None:
    """And what it would hold."""
    (folder / missing).unlink()

    with pytest.raises(IdentityUnusable, match=r"is missing: it holds"):
        load_identity(folder, clock=FixedClock(NOW))


@pytest.mark.parametrize("field", sorted(CLIENT))
def test_each_missing_field_is_named(folder: Path, field: str) -> None:
    """client.json is checked as a whole."""
    (folder / "client.json").write_text(json.dumps({name: value for name, value in CLIENT.items() if name != field}))

    with pytest.raises(IdentityUnusable, match=field):
        load_identity(folder, clock=FixedClock(NOW))


def test_broken_files_are_named(folder: Path) -> None:
    """Neither a JSON error nor a PEM error reaches the user raw."""
    (folder / "qwac.crt").write_text("no certificate")
    with pytest.raises(IdentityUnusable, match=r"qwac\.crt can't be read as a certificate"):
        load_identity(folder, clock=FixedClock(NOW))
    (folder / "client.json").write_text("{")
    with pytest.raises(IdentityUnusable, match=r"client\.json is not JSON"):
        load_identity(folder, clock=FixedClock(NOW))


def test_an_expired_certificate_says_how_to_renew(folder: Path) -> None:
    """The commonest complaint about sandboxes gets an answer."""
    with pytest.raises(IdentityUnusable, match=r"expired on .* `sandbox cert renew acme` makes a new one"):
        load_identity(folder, clock=FixedClock(NOW + 31 * DAY))


def test_a_certificate_of_the_future_points_at_the_clock(folder: Path) -> None:
    """More often the clock is wrong than the certificate."""
    with pytest.raises(IdentityUnusable, match="not valid before"):
        load_identity(folder, clock=FixedClock(NOW - 2 * DAY))


def test_faulty_certificates_are_found_by_name(folder: Path) -> None:
    """`certs/tpps/NAME/faults/FAULT.crt`, where the register issued one."""
    Authority().qwac().write(folder / "faults", "expired")
    identity = load_identity(folder, clock=FixedClock(NOW))

    found = identity.faulty("expired")
    assert found is not None
    assert found.certificate.name == "expired.crt"
    assert identity.faulty("revoked") is None
