"""One request of a TPP to further an authorisation, taken where it belongs (BG IG 1.3.8 §7.2, §7.3, §7.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bank_backend.authorisations.approaches import REDIRECTS
from bank_backend.authorisations.embedded import Stepped
from bank_backend.authorisations.errors import NoPsuData, PsuIdUnknown
from bank_backend.authorisations.model import ScaStatus
from bank_backend.errors import FormatError, TokenInvalid
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from bank_backend.authorisations.confirmations import Confirmations
    from bank_backend.authorisations.embedded import Embedded
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.openings import Psus
    from bank_backend.authorisations.psu_data import PsuData
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Announcer, Signing
    from bank_backend.authorisations.standing import Standing, Target
    from bank_backend.calls import TppCall
    from bank_backend.database import Database
    from psd2.ids import PsuId

_SCOPES = {"ais": "AIS", "pis": "PIS", "pis-cancellation": "PIS", "piis": "PIIS"}


class Updates:
    """Sees what a request is: an identification, a password, a method, a code, or a confirmation."""

    def __init__(
        self,
        *,
        database: Database,
        authorisations: Authorisations,
        standing: Standing,
        signing: Signing,
        announcer: Announcer,
        psus: Psus,
        embedded: Embedded,
        confirmations: Confirmations,
    ) -> None:
        """Take steps of `embedded` and `confirmations`."""
        self._database = database
        self._authorisations = authorisations
        self._standing = standing
        self._signing = signing
        self._announcer = announcer
        self._psus = psus
        self._embedded = embedded
        self._confirmations = confirmations

    def found(self, target: Target) -> Authorisation:
        """Return the authorisation as it stands now; raises `PathResourceUnknown`."""
        with self._database.reading() as connection:
            return self._standing.found(target, connection)

    def standing(self, target: Target) -> Stepped:
        """Return how far the authorisation has come; raises `PathResourceUnknown`."""
        return self._embedded.standing(target)

    def further(self, target: Target, data: PsuData, call: TppCall) -> Stepped:
        """Take one step; raises what `Embedded` and `Confirmations` raise, `NoPsuData`, `FormatError`, `TokenInvalid`."""
        found = self.found(target)
        if data.confirmation is not None:
            return Stepped(authorisation=self._confirmations.by_code(target, data.confirmation))
        if found.approach in REDIRECTS:
            return self._redirected(target, found, data, call)
        if data.password is not None:
            return self._embedded.authenticate(self._embedded_only(target, found, "psuData"), data.psu, data.password)
        if data.method is not None:
            return self._embedded.select(self._embedded_only(target, found, "authenticationMethodId"), data.method)
        if data.code is not None:
            return self._embedded.answer(self._embedded_only(target, found, "scaAuthenticationData"), data.code)
        return Stepped(authorisation=self._identified(target, data.psu))

    def _redirected(self, target: Target, found: Authorisation, data: PsuData, call: TppCall) -> Stepped:
        """Take the one thing that a redirect can want: the access token that it led to (§7.6.4)."""
        if found.status is ScaStatus.UNCONFIRMED and data.is_only_psu and call.has_token:
            if f"{_SCOPES.get(target.kind)}:{target.resource}" not in call.scope:
                raise TokenInvalid("the access token was granted for something else than this resource")
            return Stepped(authorisation=self._confirmations.by_token(target))
        text = (
            "no PSU data is taken for this authorisation: the PSU proves itself at the bank itself, by scaRedirect or scaOAuth"
        )
        raise NoPsuData(text, path=_sent(data))

    def _embedded_only(self, target: Target, found: Authorisation, path: str) -> Target:
        if found.approach is not ScaApproach.EMBEDDED:
            text = "no PSU data is taken for this authorisation: the PSU approves in its bank app"
            raise NoPsuData(text, path=path)
        return target

    def _identified(self, target: Target, named: PsuId | None) -> Authorisation:
        if named is None:
            text = "nothing was sent: send the header PSU-ID, or one of psuData, authenticationMethodId, scaAuthenticationData"
            raise FormatError(text, path="PSU-ID")
        if self._psus.psu(target.tenant, named) is None:
            raise PsuIdUnknown(f"the bank has no PSU {named[:40]!r} for this TPP", path="PSU-ID")
        with self._database.writing() as connection:
            waiting = {ScaStatus.RECEIVED, ScaStatus.PSU_IDENTIFIED}
            known = self._standing.locked(connection, target, waiting, path="PSU-ID")
            if known.approach is ScaApproach.DECOUPLED:
                # The request lies in somebody's app from then on.
                known = self._standing.locked(connection, target, {ScaStatus.RECEIVED}, path="PSU-ID")
            self._signing.require_new_signatory(connection, known, named)
            self._authorisations.move(connection, known.id, ScaStatus.PSU_IDENTIFIED, psu=named)
            identified = replace(known.moved(ScaStatus.PSU_IDENTIFIED), psu=named)
            if identified.approach is not ScaApproach.DECOUPLED:
                return identified
            return self._announcer.announce(connection, identified, self._signing.ask(connection, identified))


def _sent(data: PsuData) -> str:
    names = {"psuData": data.password, "authenticationMethodId": data.method, "scaAuthenticationData": data.code}
    return next((name for name, value in names.items() if value is not None), "PSU-ID")
