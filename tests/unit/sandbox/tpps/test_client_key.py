"""The key that is made for a client that has to sign and brings none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from sandbox.tpps.client_key import with_own_key
from sandbox.tpps.model import Profile

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
