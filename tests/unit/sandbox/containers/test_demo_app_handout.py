"""The demo app that runs apart: from what it is handed it speaks as it is registered, whatever its client has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.containers.handout import hand_out
from sandbox.tpps.demo_app import NAME, NUMBER, ensure_demo_app
from tests.support.certificate_authority import setting
from tests.support.portal import PortalUnderTest
from tests.support.register import RegisterWorld
from tpp_client.identity import load_identity
from tpp_client.speaking import voice_of

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.clock import Clock
    from tpp_client.speaking import Voice

PROFILES = ("berlin", "fapi2", "fapi2-message-signing")


class Apart:
    """A portal with a real authority, and the homes of the servers that run apart from it."""

    def __init__(self, folder: Path) -> None:
        made = setting(folder / "authority")
        made.authority.ensure_hierarchy()
        self.clock: Clock = made.clock
        self.home, self.homes = made.home, folder / "homes"
        self.world = RegisterWorld(authority=made.authority, clock=made.clock)

    @property
    def folder(self) -> Path:
        """Where the container of the demo app finds its TPP: its home is /srv/sandbox there."""
        return self.homes / "demo" / "certs" / "tpps" / NAME

    def started(self, monkeypatch: pytest.MonkeyPatch, profile: str) -> Voice:
        """Start the portal with this profile, let it do its chore, and speak as the demo app does."""
        monkeypatch.setenv("SANDBOX_DEMO_PROFILE", profile)
        ensure_demo_app(PortalUnderTest(self.home.path, world=self.world).services)
        hand_out(self.home, self.homes)
        return voice_of(load_identity(self.folder, clock=self.clock), clock=self.clock)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_demo_app_speaks_with_what_it_was_handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    """`client.key` signs where the profile has it so: beside client.json, for its owner alone, the registered one."""
    apart = Apart(tmp_path)

    voice = apart.started(monkeypatch, profile)

    tpp, key = apart.world.register.require(NUMBER), apart.folder / "client.key"
    assert (tpp.profile, voice.traits.profile) == (profile, profile)
    assert voice.identity.cafile.resolve() == apart.homes / "demo" / "certs" / "trust.pem"
    if profile == "berlin":
        assert voice.key is None
        assert not key.exists()
    else:
        assert voice.key is not None
        assert [each["kid"] for each in tpp.client_metadata["jwks"]["keys"]] == [voice.key.kid]
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.parent.stat().st_mode & 0o777 == 0o700


def test_another_profile_is_handed_out_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator changes it by starting the portal anew; back again the client signs no more."""
    apart = Apart(tmp_path)
    apart.started(monkeypatch, "berlin")

    signing = apart.started(monkeypatch, "fapi2-message-signing")
    plain = apart.started(monkeypatch, "berlin")

    assert signing.key is not None
    assert plain.key is None
