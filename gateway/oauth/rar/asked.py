"""What an authorization request asks for: a consent or payment that there is, or one to be made (BG IG §13.1, RFC 9396 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.oauth.grant_management.model import SCOPES as GRANT_API_SCOPES
from gateway.oauth.rar.judgement import require_allowed
from gateway.oauth.rar.reading import read_details
from gateway.oauth.rar.refusals import PARAMETER
from gateway.oauth.refusals import invalid_request, invalid_scope
from gateway.oauth.scope import BerlinScope, Service, parse_scope

if TYPE_CHECKING:
    from gateway.oauth.parameters import Parameters
    from gateway.oauth.rar.model import AuthorizationDetail
    from gateway.register.model import Tpp

# The PSU picks the accounts on the bank's page, and the consent is made there.
ACCOUNTS_SCOPE: Final = "accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which service, on which consent or payment; `resource` None: one that is yet to be made, as `detail` says.

    Without `detail` it is a consent to what the PSU chooses.
    """

    service: Service
    resource: str | None = None
    detail: AuthorizationDetail | None = None

    @property
    def error(self) -> str:
        """The error of a request that asks for what can't be had (RFC 6749 §4.1.2.1, RFC 9396 §5)."""
        return "invalid_scope" if self.detail is None else "invalid_authorization_details"

    def __str__(self) -> str:
        """Write what was asked for, for a refusal."""
        if self.detail is not None:
            return f"{PARAMETER}: {self.detail.type}"
        return f"scope: {ACCOUNTS_SCOPE if self.resource is None else BerlinScope(self.service, self.resource)}"


def read_asked(parameters: Parameters) -> Asked:
    """Read `scope` or `authorization_details`, whichever came; raises `OAuthRefused`."""
    scope, details = parameters.get("scope"), parameters.get(PARAMETER)
    _require_no_api_scope(scope)
    if details is not None:
        if scope is not None:
            raise _either_or()
        detail = read_details(details)
        return Asked(service=detail.type.service, resource=detail.identifier, detail=detail)
    if scope == ACCOUNTS_SCOPE:
        return Asked(service=Service.AIS)
    rule = f"is missing: write AIS:<consentId> or its like, {ACCOUNTS_SCOPE}, or send {PARAMETER}"
    berlin = parse_scope(parameters.require("scope", rule))
    return Asked(service=berlin.service, resource=berlin.resource)


def require_may_ask(asked: Asked, tpp: Tpp, *, types: tuple[str, ...], location: str) -> None:
    """Raise `OAuthRefused` unless the TPP has the role, and its client may send such details; see `require_allowed`."""
    if asked.detail is not None:
        require_allowed(asked.detail, roles=tpp.roles, types=types, location=location)
    elif asked.service.role not in tpp.roles:
        raise invalid_scope(
            f"scope: {asked.service} needs the role {asked.service.role}, which the TPP does not hold",
            reason="psd2.role",
            hint=f"the TPP is registered with the roles {' '.join(sorted(tpp.roles))}",
        )


def require_announced(asked: Asked, *, is_pushed: bool) -> None:
    """Raise `OAuthRefused` where something would be made at the bank on the word of an address that anybody can write.

    What was pushed, its client has authenticated for.
    """
    if asked.resource is None and not is_pushed:
        parameter = "scope" if asked.detail is None else PARAMETER
        rule = "asks for something that the bank is to make: push the request first (POST /par), and send its request_uri"
        raise invalid_request(parameter, rule, clause="RFC 9126 §1")


def _require_no_api_scope(scope: str | None) -> None:
    """Raise `OAuthRefused` for a scope that is over all grants of a client, which no one PSU can give."""
    api_scopes = sorted(GRANT_API_SCOPES.intersection((scope or "").split(" ")))
    if api_scopes:
        raise invalid_scope(
            f"scope: {api_scopes[0]} is given to a client alone, by grant_type=client_credentials, and by no PSU",
            reason="oauth.scope",
            hint=f"leave it out here; POST /token with grant_type=client_credentials and scope={' '.join(api_scopes)}",
            clause="Grant Management §6.1",
        )


def _either_or() -> Exception:
    return invalid_scope(
        f"scope: says nothing beside {PARAMETER}: send one of the two",
        reason="oauth.scope",
        hint=f"what scope says, {PARAMETER} can say too: by the type, and by identifier for what there is already",
    )
