"""Being the PSU without a browser: an authorization URL in, the redirect it ends in out (docs/architecture.md §3.6).

The same way as a browser's, step by step; only the PSU's decision is handed to the bank instead of being clicked. Addresses
of the bank's own (a `scaRedirect` link, an authorisation resource) are decided on by the bank alone.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.oauth.authorization_request import KNOWN_PARAMETERS
from gateway.oauth.bank import AddressedDecision, Bank, BankUnavailable, DecidedAddress, Decision, DecisionRefused
from gateway.oauth.metadata import AUTHORIZE_PATH
from gateway.oauth.parameters import parse_parameters
from gateway.oauth.refusals import OAuthRefused, Refusal, Refused

if TYPE_CHECKING:
    from gateway.oauth.authorization import Authorization, Begun
    from gateway.oauth.authorization_request import ValidRequest
    from gateway.oauth.bank import Interaction
    from psd2.certificates import Psd2Certificate

MOST_URL_CHARACTERS: Final = 8000
MOST_ACCOUNTS: Final = 100
_OF_BANK: Final = ("/psu/authorisations/", "/v1/", "/v2/")
_Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Result(StrEnum):
    """What the PSU decides."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class PsuInteraction(BaseModel):
    """The body of `POST /sandbox/v1/psu-interactions`. `accounts` are ids or IBANs; left out: all that were asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, StringConstraints(min_length=1, max_length=MOST_URL_CHARACTERS)]
    psu: _Word
    result: Result
    accounts: Annotated[list[_Word], Field(max_length=MOST_ACCOUNTS)] | None = None

    @property
    def decision(self) -> Decision:
        """What the PSU decides."""
        return Decision(psu=self.psu, approved=self.result is Result.APPROVED, accounts=self.accounts)


class InteractionRefused(Refused):
    """A PSU interaction that could not be carried out; `errors` names fields and what is wrong with them."""

    def __init__(self, refusal: Refusal, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(replace(refusal, errors=tuple(errors or ())))


class PsuInteractions:
    """Decides in a PSU's place, for the TPP's own authorization requests only."""

    def __init__(self, *, authorization: Authorization, bank: Bank, issuer: str) -> None:
        self._authorization = authorization
        self._bank = bank
        self._issuer = issuer

    def decide(self, wish: PsuInteraction, certificate: Psd2Certificate) -> DecidedAddress:
        """Return the redirect that a browser would end at, if there is one; raises `InteractionRefused`."""
        parts = _split(wish.url, self._issuer)
        if f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self._issuer}{AUTHORIZE_PATH}":
            return DecidedAddress(redirect=self._by_oauth(wish, certificate), sca_status=None)
        if not _is_of_bank(parts):
            raise _not_an_authorization_url(self._issuer)
        return self._at_bank(wish, certificate)

    def _at_bank(self, wish: PsuInteraction, certificate: Psd2Certificate) -> DecidedAddress:
        tenant = certificate.authorisation_number or ""
        try:
            return self._bank.decide_at(AddressedDecision(tenant=tenant, address=wish.url, decision=wish.decision))
        except DecisionRefused as refused:
            raise _decision_refused(refused) from refused
        except BankUnavailable as error:
            raise InteractionRefused(_BANK_UNAVAILABLE) from error

    def _by_oauth(self, wish: PsuInteraction, certificate: Psd2Certificate) -> str:
        try:
            query = urlsplit(wish.url).query.encode("utf-8", "surrogatepass")
            request = self._authorization.validate(parse_parameters(query, known=KNOWN_PARAMETERS))
            if request.client.authorisation_number != certificate.authorisation_number:
                raise _other_tpps_client()
            begun = self._begun(request, wish.decision)
            decided = begun.interaction.decided or self._decided_at_bank(begun, wish.decision)
            return self._authorization.finish_decided(begun, decided)
        except OAuthRefused as refused:
            # What a browser would be shown or sent away with is told here as it is, with the field it lies in.
            raise InteractionRefused(refused.refusal, [_error("url", refused.refusal.description)]) from refused

    def _begun(self, request: ValidRequest, decision: Decision) -> Begun:
        try:
            return self._authorization.begin(request, decision)
        except DecisionRefused as refused:
            raise _decision_refused(refused) from refused

    def _decided_at_bank(self, begun: Begun, decision: Decision) -> Interaction:
        try:
            return self._decide_at_bank(begun.interaction.id, decision)
        except InteractionRefused:
            self._authorization.abandon(begun)
            raise

    def _decide_at_bank(self, interaction: str, decision: Decision) -> Interaction:
        try:
            return self._bank.decide(interaction, decision)
        except DecisionRefused as refused:
            raise _decision_refused(refused) from refused
        except BankUnavailable as error:
            raise InteractionRefused(_BANK_UNAVAILABLE) from error


_BANK_UNAVAILABLE: Final = Refusal(
    error="temporarily_unavailable",
    description="the bank can't be reached at the moment",
    reason="upstream.bank",
    hint="try again in a moment",
    clause="RFC 9110 §15.6.4",
    status=503,
)


def _split(url: str, issuer: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise _not_an_authorization_url(issuer) from error


def _is_of_bank(parts: SplitResult) -> bool:
    """Whether it is an address that the bank may know; host and port are whatever way led the caller there."""
    return parts.scheme == "https" and parts.path.startswith(_OF_BANK)


def _error(field: str, problem: str) -> dict[str, str]:
    return {"field": field, "problem": problem}


def _not_an_authorization_url(issuer: str) -> InteractionRefused:
    rule = (
        f"must be the authorization URL that a browser would open, {issuer}{AUTHORIZE_PATH}?client_id=..., a scaRedirect link,"
        " or the address of an authorisation"
    )
    refusal = Refusal(
        error="invalid_request",
        description=f"url: {rule}",
        reason="interaction.url",
        hint="build it from authorization_endpoint of /.well-known/oauth-authorization-server",
        clause="RFC 6749 §4.1.1",
        status=422,
    )
    return InteractionRefused(refusal, [_error("url", rule)])


def _other_tpps_client() -> InteractionRefused:
    rule = "its client belongs to another TPP than the certificate"
    refusal = Refusal(
        error="unauthorized_client",
        description=f"url: {rule}",
        reason="interaction.other_tpp",
        hint="use an authorization URL of one of your own clients",
        clause="RFC 8705 §2.1",
        status=403,
    )
    return InteractionRefused(refusal, [_error("url", rule)])


def _decision_refused(refused: DecisionRefused) -> InteractionRefused:
    field = "psu" if refused.code.startswith("psu.") else "result"
    refusal = Refusal(
        error="invalid_request",
        description=refused.detail,
        reason=refused.code,
        hint="GET /sandbox/v1/data lists the PSUs and their accounts",
        clause="docs/architecture.md §3.2",
        status=422,
    )
    return InteractionRefused(refusal, list(refused.errors) or [_error(field, refused.detail)])
