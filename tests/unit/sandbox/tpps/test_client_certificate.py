"""The certificate of a client's own making, by which it authenticates."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sandbox.tpps.client_certificate import with_own_certificate
from sandbox.tpps.client_key import NEXT, next_keys, put_next_in_use, with_own_key
from sandbox.tpps.model import Profile

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
OWN = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}


def registered(folder: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    made = with_own_key(metadata, Profile.FAPI2, folder)
    return with_own_certificate(made, folder / "client.key", name="acme", now=NOW)


def test_the_certificate_stands_beside_its_key(tmp_path: Path) -> None:
    """Signed by that key, for clients, in time; the same when registered again."""
    told = registered(tmp_path, OWN)

    (key,) = told["jwks"]["keys"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    assert certificate == x509.load_pem_x509_certificate((tmp_path / "client.crt").read_bytes())
    assert registered(tmp_path, OWN) == told


@pytest.mark.parametrize(
    "metadata", [{}, {"token_endpoint_auth_method": "private_key_jwt"}, OWN | {"jwks_uri": "https://tpp.example/jwks"}]
)
def test_nobody_else_gets_one(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """Neither who authenticates otherwise nor who brings keys."""
    assert "x5c" not in str(registered(tmp_path, metadata))
    assert not (tmp_path / "client.crt").exists()


def test_it_is_changed_with_its_key(tmp_path: Path) -> None:
    """Both pairs are registered before the new one is in use."""
    before = registered(tmp_path, OWN)["jwks"]
    keys = next_keys(tmp_path, before, at_once=False)
    after = with_own_certificate(OWN | {"jwks": keys}, tmp_path / NEXT, name="acme", now=NOW)["jwks"]["keys"]

    put_next_in_use(tmp_path)

    in_use = x509.load_pem_x509_certificate((tmp_path / "client.crt").read_bytes())
    assert [len(key["x5c"]) for key in after] == [1, 1]
    assert x509.load_der_x509_certificate(base64.b64decode(after[0]["x5c"][0])) == in_use
    assert after[1] == before["keys"][0]
