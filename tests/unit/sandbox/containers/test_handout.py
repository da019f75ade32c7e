"""Each server that runs apart is given its own keys, and no other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chassis.files import write_private, write_public
from chassis.home import Home
from sandbox.containers.handout import BELONGINGS, hand_out

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = ("edge", "authorization", "admin", "bank", "portal", "demo")
AUTHORITIES = ("root", "tpp-issuing", "server-issuing", "internal", "ocsp-tpp-issuing")
DEMO_TPP = "kontoblick"


@pytest.fixture
def authority(tmp_path: Path) -> Home:
    """Make the authority's home: every file holds its own name."""
    home = Home(tmp_path / "authority")
    pairs = [home.ca(name) for name in AUTHORITIES]
    pairs += [home.server(name) for name in SERVERS]
    pairs += [home.internal(name) for name in ("gateway", "portal", "operator", "health")]
    for pair in pairs:
        write_private(pair.key, f"key {pair.key.name}".encode())
        write_public(pair.certificate, f"certificate {pair.certificate.name}".encode())
    write_public(home.trust_bundle, b"the root")
    return home


def keys(home: Path) -> set[str]:
    return {str(path.relative_to(home / "certs")) for path in home.rglob("*.key")}


@pytest.mark.parametrize(
    ("server", "its"),
    [
        ("edge", {"servers/edge.key", "internal/gateway.key", "gateway-documents.key"}),
        ("authorization", {"servers/authorization.key", "internal/gateway.key", "internal/health.key", "gateway-signing.key"}),
        ("admin", {"servers/admin.key", "internal/operator.key", "internal/health.key", "gateway-documents.key"}),
        ("bank", {"servers/bank.key", "internal/health.key"}),
        ("demo", {"servers/demo.key", "internal/health.key"}),
    ],
)
def test_a_server_is_given_its_own_keys_only(authority: Home, tmp_path: Path, server: str, its: set[str]) -> None:
    hand_out(authority, tmp_path / "homes")

    assert keys(tmp_path / "homes" / server) == its


def test_nobody_is_given_an_authority_s_key(authority: Home, tmp_path: Path) -> None:
    hand_out(authority, tmp_path / "homes")

    assert {path.name for path in (tmp_path / "homes").iterdir()} == set(BELONGINGS) == set(SERVERS) - {"portal"}
    assert list((tmp_path / "homes").rglob("ca/*.key")) == []
    assert [path for path in (tmp_path / "homes").rglob("*") if path.is_file() and b"key portal" in path.read_bytes()] == []


def test_private_files_stay_private(authority: Home, tmp_path: Path) -> None:
    write_private(authority.tpp(DEMO_TPP) / "client.json", b"{}")
    for kind in ("qwac", "qseal"):
        write_private(authority.tpp(DEMO_TPP) / f"{kind}.key", kind.encode())
        write_public(authority.tpp(DEMO_TPP) / f"{kind}.crt", kind.encode())
    write_private(authority.tpp(DEMO_TPP) / "client.key", b"with which its client signs")

    hand_out(authority, tmp_path / "homes")

    assert keys(tmp_path / "homes" / "demo") >= {f"tpps/{DEMO_TPP}/{name}.key" for name in ("qwac", "qseal", "client")}
    private = [path for path in (tmp_path / "homes").rglob("*") if path.suffix in {".key", ".json"}]
    assert (tmp_path / "homes" / "demo" / "certs" / "tpps" / DEMO_TPP / "client.json") in private
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_a_renewal_is_handed_out_and_nothing_else_is_touched(authority: Home, tmp_path: Path) -> None:
    """Listeners take up a file that has changed; the others must not look new."""
    hand_out(authority, tmp_path / "homes")
    write_public(authority.server("bank").certificate, b"renewed")

    assert hand_out(authority, tmp_path / "homes") == (Home(tmp_path / "homes" / "bank").server("bank").certificate,)
    assert Home(tmp_path / "homes" / "bank").server("bank").certificate.read_bytes() == b"renewed"


def test_the_other_tpps_keys_are_given_to_nobody(authority: Home, tmp_path: Path) -> None:
    write_private(authority.tpp("acme") / "qwac.key", b"acme's")

    hand_out(authority, tmp_path / "homes")

    assert [path for path in (tmp_path / "homes").rglob("*") if path.is_file() and path.read_bytes() == b"acme's"] == []
