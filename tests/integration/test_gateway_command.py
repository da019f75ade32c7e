"""`gateway` against a running platform: over the control API's mutual TLS, as the operator and as nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from chassis.addresses import Address
from chassis.peers import Peer, PeerSession
from gateway.cli.root import run

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform

DEPLOYMENT = """
[deployments.greeting]
listener = "edge"
upstream = "bank"
mtls = "off"
errors = "problem"

[[deployments.greeting.routes]]
path = "/greeting"
methods = ["GET"]
"""


def test_an_operator_tries_and_reads_what_is_configured(
    platform: RunningPlatform, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Found by the home alone. A deployment's page says whether mutual TLS is on."""
    file = tmp_path_factory.mktemp("documents") / "greeting.toml"
    file.write_text(DEPLOYMENT)
    home = ["--home", str(platform.home.path)]

    assert run(["describe", "deployments", "xs2a-accounts", *home]) == 0
    assert "mutual_tls: on" in capsys.readouterr().out
    assert run(["apply", "--dry-run", "-f", str(file), *home]) == 1
    assert "+ deployments/greeting created" in capsys.readouterr().out
    assert run(["get", "deployments", *home, "--json"]) == 0
    assert "greeting" not in [each["name"] for each in orjson.loads(capsys.readouterr().out)]
    assert run(["audit", "verify", *home]) == 0


@pytest.mark.parametrize("caller", ["gateway", "health"])
def test_no_other_internal_caller_reads_or_changes_the_configuration(platform: RunningPlatform, caller: str) -> None:
    """Though the internal CA vouches for it."""
    address = Address("localhost", platform.ports.admin)
    session = PeerSession(Peer(name="admin", address=address, home=platform.home, caller=caller))

    for method, path in (("GET", "/config"), ("GET", "/audit"), ("POST", "/config"), ("DELETE", "/config/deployments/demo")):
        assert session.request(method, path).status_code == 403
