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

from tests.support.tpps import ANNA, registered

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity

_CLIENT = Path(__file__).parents[1] / "independent_client"
_DEADLINE_SECONDS = 120

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (_CLIENT / "node_modules" / "openid-client").is_dir(),
    reason="Node.js or openid-client is missing: install Node.js 20 and run `make independent-client`",
)


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


def require_whole_life(seen: dict[str, Any]) -> None:
    """Fail unless the token opened the accounts, was renewed, and was worth nothing once revoked."""
    assert seen["accounts"] == seen["accountsAfterRefresh"] > 0
    assert seen["introspection"]["active"] is True
    assert seen["afterRevocation"] == {"active": False}


def test_the_berlin_groups_way(platform: RunningPlatform) -> None:
    """Discovery, code with PKCE, token, resource, introspection, refresh, revocation; bound to the certificate."""
    seen = journey(platform, registered(platform), "code")
    require_whole_life(seen)
    assert seen["issuer"] == platform.front_url
    assert seen["responseParameters"] == ["code", "iss", "state"]
    assert seen["introspection"]["cnf"].keys() == {"x5t#S256"}


def test_client_credentials(platform: RunningPlatform) -> None:
    """A token for the client alone."""
    seen = journey(platform, registered(platform), "credentials")
    assert seen["introspection"]["active"] is True


def test_a_client_that_registers_by_itself(platform: RunningPlatform) -> None:
    """Finds the endpoint in the metadata, registers over mutual TLS, and goes on as who it has become."""
    identity = registered(platform)
    wanted = {"client_name": "By itself", "grant_types": ["authorization_code", "refresh_token"]}
    seen = journey(platform, identity, "code", registers=wanted)
    require_whole_life(seen)
    assert seen["registered"]["client_name"] == "By itself"
    assert seen["introspection"]["client_id"] == seen["registered"]["client_id"]
