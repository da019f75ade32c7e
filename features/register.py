"""Registering TPPs by the operator's command: one for each set of roles is shared, a scenario that ruins one takes its own."""

from __future__ import annotations

import json
import random
import secrets
from typing import TYPE_CHECKING

from features.tpps import Tpp
from tpp_client.sandbox_steering import (
    faults_clearing_request,
    personality_request,
    process_faults_clearing_response,
    process_personality_response,
    process_restore_response,
    process_snapshot_response,
    restore_request,
    snapshot_request,
)

if TYPE_CHECKING:
    from pathlib import Path

    from features.platforms import Platform

REDIRECT_URI = "https://localhost:8446/callback"
ALL_ROLES = "AISP,PISP,CBPII"
BERLIN = ("--profile", "berlin")
_BEGINNING = "beginning"


class Register:
    """The TPPs of one run of the suite; their names and numbers are fresh, for a lent platform may know others."""

    def __init__(self, platform: Platform, *, transcript: Path | None = None) -> None:
        """Register at a platform; what its TPPs are answered is written to `transcript`."""
        self._platform = platform
        self._transcript = transcript
        self._shared: dict[tuple[str, int], Tpp] = {}
        self._opened: list[Tpp] = []
        self._steered: Tpp | None = None
        self._signing: Tpp | None = None
        self._message_signing: Tpp | None = None

    def steered(self) -> Tpp:
        """Return a TPP whose bank a scenario may turn upside down: it is put back to its beginning each time, its clock too."""
        if self._steered is None:
            self._steered = self.fresh()
            process_snapshot_response(snapshot_request(self._steered.xs2a, name=_BEGINNING))
        else:
            process_restore_response(restore_request(self._steered.xs2a, name=_BEGINNING))
        process_faults_clearing_response(faults_clearing_request(self._steered.xs2a))
        process_personality_response(personality_request(self._steered.xs2a, name="standard"))
        return self._steered

    def shared(self, roles: str = ALL_ROLES, index: int = 0) -> Tpp:
        """Return the TPP with these roles that many scenarios use; another index is another TPP."""
        key = (roles, index)
        if key not in self._shared:
            self._shared[key] = self.fresh(roles)
        return self._shared[key]

    def fresh(self, roles: str = ALL_ROLES, *, client: tuple[str, ...] = BERLIN) -> Tpp:
        """Register a TPP of its own."""
        name = f"tpp-{secrets.token_hex(4)}"
        self.register(name, fresh_number(), roles, client=client)
        return self.opened(name)

    def signing(self) -> Tpp:
        """Return a TPP whose client speaks FAPI 2.0 and signs to say who it is; scenarios share it."""
        if self._signing is None:
            self._signing = self.fresh(client=("--profile", "fapi2", "--auth-method", "private_key_jwt"))
        return self._signing

    def message_signing(self) -> Tpp:
        """Return a TPP whose client signs all that it can, and has its tokens bound to a key; scenarios share it."""
        if self._message_signing is None:
            profile = ("--profile", "fapi2-message-signing", "--auth-method", "private_key_jwt", "--dpop")
            self._message_signing = self.fresh(client=profile)
        return self._message_signing

    def register(self, name: str, number: str, roles: str, *, client: tuple[str, ...] = BERLIN) -> dict[str, object]:
        """Register by the operator's command and return what it says."""
        who = ("--authorisation-number", number, "--roles", roles, "--redirect-uri", REDIRECT_URI)
        said: dict[str, object] = json.loads(self._platform.sandbox("tpp", "register", name, *who, *client, "--json").stdout)
        return said

    def opened(self, name: str) -> Tpp:
        """Return a registered TPP with a connection of its own."""
        tpp = Tpp(self._platform.home, name, transcript=self._transcript)
        self._opened.append(tpp)
        return tpp

    def close(self) -> None:
        """Close every connection; take the TPPs out of a platform that lives on."""
        for tpp in self._opened:
            tpp.close()
        if not self._platform.owned:
            for name in {tpp.name for tpp in self._opened}:
                self._platform.sandbox("tpp", "remove", name, check=False)


def fresh_number() -> str:
    """Return an authorisation number that nobody has."""
    return f"PSDDE-BAFIN-{random.randrange(10**9, 10**10)}"  # noqa: S311 - no secret
