"""openid-client, which knows nothing of this project, goes through the authorization server: what it objects to fails here.

It checks by itself what the RFCs ask of servers: issuer, state, token type, `cnf`, signatures of responses, errors.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.support.pki import key_of, self_issued
from tests.support.tpps import ANNA, registered

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity

_CLIENT = Path(__file__).parents[1] / "independent_client"
_DEADLINE_SECONDS = 120
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}
GRANTS = ["authorization_code", "refresh_token"]

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (_CLIENT / "node_modules" / "openid-client").is_dir(),
    reason="Node.js or openid-client is missing: install Node.js 20 and run `make independent-client`",
)


@pytest.fixture(scope="module")
def identity(platform: RunningPlatform) -> TppIdentity:
    """Register a TPP, whose clients register by themselves."""
    return registered(platform)


def journey(platform: RunningPlatform, identity: TppIdentity, name: str, **wish: Any) -> dict[str, Any]:
    """Let the client go one way; returns what it has seen, or fails with what it objected to."""
    document = json.loads((identity.folder / "client.json").read_bytes())
    asked = {
        "journey": name,
        "issuer": platform.front_url,
        "edge": platform.edge_url,
        "ca": str(platform.home.path / "certs" / "trust.pem"),
        "certificate": str(identity.folder / "qwac.crt"),
        "key": str(identity.folder / "qwac.key"),
        "clientId": document["client_id"],
        "redirectUri": document["redirect_uris"][0],
        "psu": ANNA,
    } | wish
    run = subprocess.run(
        ["node", "client.mjs"],
        cwd=_CLIENT,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    assert "failure" not in seen, seen["failure"]
    return seen


def by_key(alg: str, **metadata: Any) -> dict[str, Any]:
    """Return the wish of a client that registers with a key of its own and authenticates by it."""
    key = _private_jwk(alg)
    public = {name: value for name, value in key.items() if name not in _PRIVATE}
    registers = {
        "profile": "fapi2",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public]},
        "grant_types": GRANTS,
    }
    return {"registers": registers | metadata, "jwk": {"key": key, "alg": alg}}


def _private_jwk(alg: str) -> dict[str, Any]:
    key: RSAKey | ECKey | OKPKey
    if alg == "PS256":
        key = RSAKey.generate_key(2048, private=True)
    elif alg == "ES256":
        key = ECKey.generate_key("P-256", private=True)
    else:
        key = OKPKey.generate_key("Ed25519", private=True)
    return {**key.as_dict(private=True), "kid": "own", "alg": alg, "use": "sig"}


def require_whole_life(seen: dict[str, Any]) -> None:
    """Fail unless the token opened the accounts, was renewed, and was worth nothing once revoked."""
    assert seen["accounts"] == seen["accountsAfterRefresh"] > 0
    assert seen["introspection"]["active"] is True
    assert seen["afterRevocation"] == {"active": False}


def test_the_berlin_groups_way(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Discovery, code with PKCE, token, resource, introspection, refresh, revocation; bound to the certificate."""
    seen = journey(platform, identity, "code")
    require_whole_life(seen)
    assert seen["issuer"] == platform.front_url
    assert seen["responseParameters"] == ["code", "iss", "state"]
    assert seen["introspection"]["cnf"].keys() == {"x5t#S256"}


def test_client_credentials(platform: RunningPlatform, identity: TppIdentity) -> None:
    """A token for the client alone."""
    seen = journey(platform, identity, "credentials")
    assert seen["introspection"]["active"] is True


def test_a_client_that_registers_by_itself(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Finds the endpoint in the metadata, registers over mutual TLS, and goes on as who it has become."""
    wanted = {"client_name": "By itself", "grant_types": ["authorization_code", "refresh_token"]}
    seen = journey(platform, identity, "code", registers=wanted)
    require_whole_life(seen)
    assert seen["registered"]["client_name"] == "By itself"
    assert seen["introspection"]["client_id"] == seen["registered"]["client_id"]


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
def test_fapi_2_with_a_key_of_its_own(platform: RunningPlatform, identity: TppIdentity, alg: str) -> None:
    """Pushed requests, private_key_jwt with each algorithm, `iss`; nothing but client_id and request_uri in the browser."""
    seen = journey(platform, identity, "pushed", **by_key(alg))
    require_whole_life(seen)
    assert seen["authorizationParameters"] == ["client_id", "request_uri"]


def test_fapi_2_by_certificate(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Pushed requests of a client that its QWAC alone authenticates."""
    seen = journey(platform, identity, "pushed", registers={"profile": "fapi2", "grant_types": GRANTS})
    require_whole_life(seen)


def test_message_signing(platform: RunningPlatform, identity: TppIdentity) -> None:
    """A signed request object pushed, the answer a signed JWT that the client verifies by our published keys."""
    wish = by_key("PS256", profile="fapi2-message-signing", authorization_signed_response_alg="PS256")
    seen = journey(platform, identity, "signed", **wish)
    require_whole_life(seen)
    assert seen["responseParameters"] == ["response"]


def test_authorization_details(platform: RunningPlatform, identity: TppIdentity) -> None:
    """What is wanted instead of an id; the token response tells the consent that was made of it."""
    seen = journey(platform, identity, "details", registers={"profile": "fapi2", "grant_types": GRANTS})
    assert seen["details"][0]["type"] == "account_information"
    assert seen["accounts"] > 0


def test_dpop(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Tokens bound to a key that the client makes up, with a proof at the token endpoint and at each resource."""
    wish = by_key("ES256", dpop_bound_access_tokens=True)
    seen = journey(platform, identity, "dpop", **wish)
    require_whole_life(seen)
    assert seen["tokenType"].lower() == "dpop"
    assert seen["introspection"]["cnf"].keys() == {"jkt"}


def test_a_self_signed_certificate(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Authenticates the client wherever OAuth is spoken; the QWAC opens the accounts, with tokens that are bound to a key."""
    own = self_issued()
    registers = {
        "profile": "fapi2",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": {"keys": [key_of(own)]},
        "grant_types": GRANTS,
        "dpop_bound_access_tokens": True,
    }
    wish = {"registers": registers, "ownCertificate": {"cert": own.pem, "key": own.key_pem}}
    seen = journey(platform, identity, "dpop", **wish)
    require_whole_life(seen)
    assert seen["introspection"]["cnf"].keys() == {"jkt"}


def test_ciba(platform: RunningPlatform, identity: TppIdentity) -> None:
    """The PSU decides in the bank's app; the client polls until the tokens are there."""
    grants = ["urn:openid:params:grant-type:ciba", "client_credentials"]
    wish = by_key("ES256", grant_types=grants, redirect_uris=[], backchannel_token_delivery_mode="poll")
    seen = journey(platform, identity, "backchannel", **wish)
    assert seen["begun"] == ["auth_req_id", "expires_in", "interval"]
    assert seen["accounts"] > 0
