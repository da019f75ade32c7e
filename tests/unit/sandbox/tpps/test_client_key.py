"""The key that is made for a client that has to sign and brings none."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey

from sandbox.tpps.client_certificate import with_own_certificate
from sandbox.tpps.client_key import next_keys, put_next_in_use, with_own_key
from sandbox.tpps.errors import RegistrationRefused
from sandbox.tpps.model import Profile
from sandbox.tpps.openssl import certificate_command, signing_key_command

if TYPE_CHECKING:
    from pathlib import Path

SIGNS = {"token_endpoint_auth_method": "private_key_jwt"}


def test_a_signing_client_gets_a_key_of_its_own_once(tmp_path: Path) -> None:
    """0600; the register hears of its public half alone, the same each time."""
    told = with_own_key(SIGNS, Profile.FAPI2, tmp_path)

    (key,) = told["jwks"]["keys"]
    private = ECKey.import_key((tmp_path / "client.key").read_bytes())
    assert "d" not in key
    assert key["kid"] == private.thumbprint()
    assert (tmp_path / "client.key").stat().st_mode & 0o777 == 0o600
    assert with_own_key(SIGNS, Profile.FAPI2, tmp_path) == told


def test_a_client_that_signs_its_requests_gets_one_too(tmp_path: Path) -> None:
    """FAPI 2.0 Message Signing."""
    assert "jwks" in with_own_key({}, Profile.FAPI2_MESSAGE_SIGNING, tmp_path)


@pytest.mark.parametrize("metadata", [{}, SIGNS | {"jwks": {"keys": []}}, SIGNS | {"jwks_uri": "https://tpp.example/jwks"}])
def test_nobody_else_does(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """Nothing is made for whoever brings keys or needs none."""
    assert with_own_key(metadata, Profile.FAPI2, tmp_path) == metadata
    assert not list(tmp_path.iterdir())


def test_a_client_whose_requests_have_to_be_signed_gets_one(tmp_path: Path) -> None:
    """Whatever its profile."""
    assert "jwks" in with_own_key({"require_signed_request_object": True}, Profile.FAPI2, tmp_path)
    assert "jwks" in with_own_key({"backchannel_authentication_request_signing_alg": "ES256"}, Profile.FAPI2, tmp_path)


def test_a_key_to_bind_tokens_to_is_made_and_told_to_nobody(tmp_path: Path) -> None:
    """Proofs bring its public half along (RFC 9449 §4.2)."""
    metadata = {"dpop_bound_access_tokens": True}

    assert with_own_key(metadata, Profile.FAPI2, tmp_path) == metadata
    assert (tmp_path / "dpop.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_changed_without_a_gap(tmp_path: Path) -> None:
    """The next is registered beside the one in use; then it is in use, and registering again asks for the same two."""
    (first,) = with_own_key(SIGNS, Profile.FAPI2, tmp_path)["jwks"]["keys"]
    both = next_keys(tmp_path, {"keys": [first, {"kid": "long gone"}]}, at_once=False)
    assert len(both["keys"]) == 2
    assert first in both["keys"]
    assert ECKey.import_key((tmp_path / "client.key").read_bytes()).thumbprint() == first["kid"]

    put_next_in_use(tmp_path)
    (tmp_path / "client.json").write_bytes(orjson.dumps({"jwks": both}))

    assert ECKey.import_key((tmp_path / "client.key").read_bytes()).thumbprint() == both["keys"][0]["kid"]
    assert with_own_key(SIGNS, Profile.FAPI2, tmp_path)["jwks"] == both
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")} == {0o600}
    assert len(next_keys(tmp_path, both, at_once=True)["keys"]) == 1


def test_the_command_of_the_portal_makes_such_a_key(tmp_path: Path) -> None:
    """Pasted as it stands there: openssl and a shell are all it takes."""
    script = ["sh", "-c", signing_key_command()]
    printed = subprocess.run(script, cwd=tmp_path, check=True, capture_output=True, timeout=60).stdout

    private = ECKey.import_key((tmp_path / "client.key").read_bytes())
    told = {**private.as_dict(private=False), "kid": private.thumbprint(), "alg": "ES256", "use": "sig"}
    assert orjson.loads(printed) == {"keys": [told]}
    assert (tmp_path / "client.key").stat().st_mode & 0o777 == 0o600


def test_the_commands_of_the_portal_make_its_certificate_too(tmp_path: Path) -> None:
    """RFC 8705 §2.2.2: the set holds it in x5c, beside the key that it is of."""
    script = ["sh", "-c", signing_key_command() + certificate_command()]
    printed = subprocess.run(script, cwd=tmp_path, check=True, capture_output=True, timeout=60).stdout

    plain, certified = (orjson.loads(line)["keys"][0] for line in printed.splitlines())
    certificate = x509.load_pem_x509_certificate((tmp_path / "client.crt").read_bytes())
    assert base64.b64decode(certified.pop("x5c")[0]) == certificate.public_bytes(serialization.Encoding.DER)
    assert certified == plain
    assert with_own_certificate(
        {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [plain]}},
        tmp_path / "client.key",
        name="acme",
        now=certificate.not_valid_before_utc,
    )["jwks"]["keys"][0]["x5c"]


def test_a_file_that_is_no_such_key_is_told(tmp_path: Path) -> None:
    """By its name, before anything is registered."""
    (tmp_path / "client.key").write_text("x")

    with pytest.raises(RegistrationRefused, match=r"client\.key holds no EC key"):
        with_own_key(SIGNS, Profile.FAPI2, tmp_path)
