"""Where attacks take place: a victim TPP with a real token, another TPP, and any certificate to strike with."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tpp_client.attacks.forgery import forge_foreign, forge_self_signed
from tpp_client.attacks.model import NotTried
from tpp_client.authorization import authorization_parameters
from tpp_client.errors import IdentityUnusable
from tpp_client.journeys.ais import ais_journey, ask_for_consent
from tpp_client.journeys.stage import discover, obtain_code
from tpp_client.seals import load_seal
from tpp_client.transport import MutualTlsTransport, transport_for
from tpp_client.wire import HttpRequest, form_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tpp_client.authorization import AuthorizationCode
    from tpp_client.discovery import ServerMetadata
    from tpp_client.identity import Credential, TppIdentity
    from tpp_client.journeys.ais import AisResult
    from tpp_client.journeys.stage import Stage
    from tpp_client.speaking import Voice
    from tpp_client.wire import HttpResponse


class AttackField:
    """The victim is the stage's TPP; its journey is made once, when the first attack needs what it brings."""

    def __init__(self, stage: Stage, *, other: TppIdentity | None, folder: Path) -> None:
        """Take the victim's stage, another TPP if there is one, and a folder for forged certificates."""
        self.stage = stage
        self._other = other
        self._folder = folder

    @cached_property
    def loot(self) -> AisResult:
        """A consent and a token that a real PSU gave the victim."""
        return ais_journey(self.stage)

    @cached_property
    def metadata(self) -> ServerMetadata:
        """The authorization server's metadata."""
        return discover(self.stage)

    @property
    def victim(self) -> TppIdentity:
        """The TPP that is attacked."""
        return self.stage.identity

    @property
    def voice(self) -> Voice:
        """How the victim's client speaks."""
        return self.stage.voice

    def other(self) -> TppIdentity:
        """Return the attacking TPP; raises `NotTried` without one."""
        if self._other is None:
            raise NotTried("needs a second TPP: register one and name it with --other NAME")
        return self._other

    def faulty(self, fault: str) -> Credential:
        """Return a faulty certificate of the victim's; raises `NotTried` when none was issued."""
        credential = self.victim.faulty(fault)
        if credential is None:
            raise NotTried(
                f"needs a faulty certificate: `sandbox cert issue {self.victim.name} --kind qwac --fault {fault}` makes it"
            )
        return credential

    @cached_property
    def self_signed(self) -> Credential:
        """A copy of the victim's QWAC that signs itself."""
        return forge_self_signed(self.victim.certificate, self._folder)

    @cached_property
    def foreign(self) -> Credential:
        """A copy of the victim's QWAC by an impostor of its CA."""
        return forge_foreign(self.victim.certificate, self._folder)

    @cached_property
    def forged_seal(self) -> Credential:
        """A copy of the victim's QSealC that signs itself; raises `NotTried` without a QSealC to copy."""
        try:
            original = load_seal(self.victim.qseal).certificate
        except IdentityUnusable as missing:
            raise NotTried(str(missing)) from missing
        return forge_self_signed(original, self._folder / "seal")

    def read_accounts(self, credential: Credential | None, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """Read accounts with the victim's token over any certificate, or none."""
        token = {"Authorization": f"Bearer {self.loot.tokens.access_token}", "Consent-ID": self.loot.consent_id}
        request_id = {"X-Request-ID": self.stage.xs2a.new_request_id(), "PSU-IP-Address": "127.0.0.1"}
        url = f"{self.victim.edge}/v1/accounts"
        return self.ask(credential, HttpRequest(method="GET", url=url, headers=token | request_id | dict(headers or {})))

    def fresh_code(self) -> AuthorizationCode:
        """Return a code that has not been exchanged yet, for a consent of its own."""
        return obtain_code(self.stage, self.metadata, f"AIS:{ask_for_consent(self.stage)}")

    def redeem(
        self,
        code: AuthorizationCode,
        *,
        credential: Credential | None = None,
        voice: Voice | None = None,
        change: Mapping[str, str | None] | None = None,
    ) -> HttpResponse:
        """Exchange a code as the victim (or over another certificate), some form fields changed or, by None, left out."""
        fields: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code.value,
            "redirect_uri": code.attempt.redirect_uri,
            "client_id": code.attempt.client_id,
            "code_verifier": code.attempt.verifier,
        }
        kept = {name: value for name, value in (fields | dict(change or {})).items() if value is not None}
        return self.ask(credential or self.victim.qwac, form_request(self.metadata.token_endpoint, kept), voice=voice)

    def request_authorization(self, change: Callable[[dict[str, str]], None] = lambda _: None) -> HttpResponse:
        """Ask for authorization, parameters changed: pushed by a client that has to, else as a browser opens the address."""
        scope = f"AIS:{ask_for_consent(self.stage)}"
        parameters = authorization_parameters(self.voice.begin(redirect_uri=self.stage.redirect_uri, scope=scope))
        change(parameters)
        if self.voice.traits.pushes_requests:
            return self.push(self.voice.as_pushed(self.metadata, parameters))
        return self.browse(parameters)

    def push(self, parameters: Mapping[str, str]) -> HttpResponse:
        """Push parameters as the victim."""
        return self.ask(self.victim.qwac, form_request(self.metadata.pushed_authorization_request_endpoint, parameters))

    def browse(self, query: Mapping[str, str]) -> HttpResponse:
        """Open the authorization endpoint as a browser does."""
        url = f"{self.metadata.authorization_endpoint}?{urlencode(query)}"
        return self.send(None, HttpRequest(method="GET", url=url))

    def ask(self, credential: Credential | None, request: HttpRequest, *, voice: Voice | None = None) -> HttpResponse:
        """Send with all that the victim's client adds to a request: as if its keys were stolen too."""
        with self._connection(credential) as transport:
            return (voice or self.voice).over(transport).send(request)

    def _connection(self, credential: Credential | None) -> MutualTlsTransport:
        """Return a connection as the victim opens it, with its client's own certificate where it has one, or as another."""
        if credential == self.victim.qwac:
            return transport_for(self.victim)
        return MutualTlsTransport(cafile=self.victim.cafile, credential=credential)

    def send(self, credential: Credential | None, request: HttpRequest) -> HttpResponse:
        """Send as it is, over a connection of its own, with the certificate given or with none."""
        with MutualTlsTransport(cafile=self.victim.cafile, credential=credential) as transport:
            return transport.send(request)
