"""What an organisation of the portal does with TPPs of its own: enrol, change, claim, leave."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from psd2.ids import new_secret
from sandbox.answers import PeerRefused
from sandbox.tpps.applications import Applicant, is_token, token_sha256
from sandbox.tpps.errors import AccessDenied, ClientRefused, TppBlocked, UnknownTpp
from sandbox.tpps.introduction import introduce
from sandbox.tpps.model import TppStatus

if TYPE_CHECKING:
    from threading import RLock

    from sandbox.bank_client import Bank
    from sandbox.gateway_client import Gateway
    from sandbox.tpps.applications import Applications, RegisterLimits
    from sandbox.tpps.model import Amendment, ClientAmendment, RegistrationRequest, Tpp


class Records(Protocol):
    """What is on record of whom."""

    def find(self, name_or_number: str) -> Tpp | None:
        """Return the TPP of this name or authorisation number."""

    def amend(self, tpp: Tpp, amendment: Amendment) -> None:
        """Write what a TPP has changed of itself and nothing else."""

    def amend_client(self, tpp: Tpp, amendment: ClientAmendment) -> None:
        """Write what a TPP has changed of its client and nothing else."""

    def forget(self, tpp: Tpp) -> None:
        """Take out a TPP that never came to be."""

    def activate(self, tpp: Tpp) -> bool:
        """Make a registering TPP active; return False, and change nothing, where it is not registering."""

    def claim(self, tpp: Tpp, organisation_id: str, *, limits: RegisterLimits) -> bool:
        """Give a TPP that is nobody's to an organisation; return False, and change nothing, where it is somebody's.

        Raises `RegisterFull`.
        """

    def set_access_token(self, tpp: Tpp, sha256: str) -> None:
        """Keep the hash of the TPP's access token."""

    def access_token_sha256(self, tpp: Tpp) -> str | None:
        """Return the hash of the TPP's access token."""


class Ownership:
    """TPPs in the hands of organisations."""

    def __init__(
        self,
        *,
        records: Records,
        applications: Applications,
        bank: Bank,
        gateway: Gateway,
        limits: RegisterLimits,
        changes: RLock,
    ) -> None:
        """Work with these; `changes` is held while a TPP is changed, by blocking it for one."""
        self._records = records
        self._applications = applications
        self._bank = bank
        self._gateway = gateway
        self._limits = limits
        self._changes = changes

    def enrol(self, request: RegistrationRequest, *, organisation_id: str) -> Tpp:
        """Register a TPP, or continue where it broke off; its certificates are asked for one by one afterwards.

        The same request by the same organisation again, once it is done, returns the TPP. Raises `RegistrationConflict`,
        `RegisterFull`, `RegistrationInterrupted`, `ClientRefused`.
        """
        applicant = Applicant(organisation_id=organisation_id)
        standing = self._applications.standing(request, applicant)
        tpp = standing or self._applications.admit(request, applicant)
        try:
            return self.resume(tpp)
        except (PeerRefused, ClientRefused):
            if standing is None:
                self._records.forget(tpp)  # what nobody takes is not left half registered, with data nobody can correct
            raise

    def resume(self, tpp: Tpp) -> Tpp:
        """Continue a registration that broke off; one that is done stays as it is. Raises `RegistrationInterrupted`."""
        if tpp.status is not TppStatus.REGISTERING:
            return tpp
        introduce(tpp, bank=self._bank, gateway=self._gateway)
        self.let_in(tpp)
        return self._records.find(str(tpp.authorisation_number)) or tpp

    def let_in(self, tpp: Tpp) -> bool:
        """Make a registering TPP active, and return whether this did it.

        One that was blocked or taken out meanwhile stays out: the gateway has just been told that it is active.
        """
        with self._changes:
            if self._records.activate(tpp):
                return True
            standing = self._records.find(str(tpp.authorisation_number))
            if standing is None or standing.status is TppStatus.BLOCKED:
                self._gateway.put_tpp(standing or tpp, blocked=True)
            return False

    def amend(self, tpp: Tpp, amendment: Amendment) -> Tpp:
        """Change name of the firm and redirect URIs, at the bank and the gateway first: what is on record is in force.

        Raises `RegistrationInterrupted`: the same again continues.
        """
        with self._changes:
            standing = self._standing(tpp)
            changed = replace(standing, organisation=amendment.organisation, redirect_uris=amendment.redirect_uris)
            if changed != standing:
                introduce(changed, bank=self._bank, gateway=self._gateway)
                self._records.amend(standing, amendment)
        return changed

    def amend_client(self, tpp: Tpp, amendment: ClientAmendment) -> Tpp:
        """Change profile, keys and whatever else a client has registered, at the gateway first.

        Raises `ClientRefused` where the gateway does not take it, `RegistrationInterrupted`: the same again continues.
        """
        with self._changes:
            standing = self._standing(tpp)
            changed = replace(standing, profile=amendment.profile, client_metadata=amendment.client_metadata)
            if changed != standing:
                introduce(changed, bank=self._bank, gateway=self._gateway)
                self._records.amend_client(standing, amendment)
        return changed

    def _standing(self, tpp: Tpp) -> Tpp:
        standing = self._records.find(str(tpp.authorisation_number))
        if standing is None:
            raise UnknownTpp(tpp.name)  # it has left meanwhile, and the gateway must not hear of it again
        return standing

    def claim(self, number: str, token: str, *, organisation_id: str) -> Tpp:
        """Take over a TPP that was registered without the portal; its access token proves whose it is.

        Raises `AccessDenied` for a wrong token, an unknown TPP and one of another organisation alike, and `RegisterFull`.
        """
        tpp = self._records.find(number)
        if tpp is None or not is_token(token, self._records.access_token_sha256(tpp)):
            raise AccessDenied
        if tpp.organisation_id == organisation_id:
            return tpp
        if not self._records.claim(tpp, organisation_id, limits=self._limits):
            raise AccessDenied
        return replace(tpp, organisation_id=organisation_id)

    def new_access_token(self, tpp: Tpp) -> str:
        """Make an access token for the registration API, to be shown once; the one before stops working."""
        if tpp.status is TppStatus.REGISTERING:
            raise TppBlocked(f"{tpp.name} is not registered yet: continue its registration first")
        token = new_secret()
        self._records.set_access_token(tpp, token_sha256(token))
        return token
