"""Client metadata as a TPP writes it and is told it: the names of RFC 7591 §2 and of the RFCs that add to it.

A member that is not known here is ignored, as RFC 7591 §2 asks; `profile` is this server's own (docs/authorization-server.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from gateway.oauth.grant_management.model import SCOPES
from gateway.oauth.rar.bodies import printable
from gateway.oauth.rar.model import TYPES, DetailType
from gateway.oauth.scope import ACCOUNTS_SCOPE, Service
from gateway.register.client_fields import FIELDS, MOST_ENTRIES, ClientFields, Text, said_of_client
from gateway.register.client_metadata import plain_metadata
from gateway.register.client_rules import Rule, faults_by
from gateway.register.model import Client, ClientProfile, Fault, GrantType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gateway.register.model import Tpp
    from psd2.roles import PspRole

# The PSU is shown it, beside what is consented to.
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]


class ClientDocument(ClientFields):
    """The body of `POST /register` and `PUT /register/{client_id}`, a software statement's claims taken into it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    client_id: str | None = None
    client_name: _Name | None = None
    profile: ClientProfile | None = None
    # RFC 7591 §2: who names none uses the code grant only.
    grant_types: Annotated[tuple[GrantType, ...], Field(max_length=MOST_ENTRIES)] = (GrantType.AUTHORIZATION_CODE,)
    authorization_details_types: Annotated[tuple[DetailType, ...], Field(max_length=MOST_ENTRIES)] = ()
    response_types: tuple[Literal["code"], ...] | None = None
    scope: Text | None = None
    tls_client_certificate_bound_access_tokens: bool | None = None
    require_pushed_authorization_requests: bool = False

    def client(self, client_id: str, tpp: Tpp, **own: Any) -> Client:  # noqa: ANN401 - members of `Client`
        """Return the client of `tpp` that is asked for, whatever is wrong with it."""
        return Client(
            client_id=client_id,
            authorisation_number=tpp.authorisation_number,
            name=self.client_name or tpp.name,
            profile=self._profile,
            **said_of_client(self),
            **own,
        )

    def faults(self, tpp: Tpp, unread: Collection[str]) -> Iterator[Fault]:
        """Give what the TPP's roles don't allow, and what is said of tokens and requests that is not so."""
        yield from self._faults_of_roles(tpp.roles)
        yield from faults_by(_RULES, self, unread)

    @property
    def _profile(self) -> ClientProfile:
        if self.profile is not None:
            return self.profile
        return ClientProfile.FAPI2 if self.require_pushed_authorization_requests else ClientProfile.BERLIN

    def _faults_of_roles(self, roles: frozenset[PspRole]) -> Iterator[Fault]:
        for name in (self.scope or "").split():
            if name not in _scopes(roles):
                held = " ".join(_scopes(roles))
                yield Fault("scope", f"{name[:40]} is no scope that the TPP's roles allow, which are: {held}")
        for type_ in self.authorization_details_types:
            if type_.service.role not in roles:
                yield Fault("authorization_details_types", f"{type_} needs the role {type_.service.role}")

    def _faults_of_binding(self) -> Iterator[Fault]:
        if self.tls_client_certificate_bound_access_tokens is self.dpop_bound_access_tokens:
            right = "false" if self.dpop_bound_access_tokens else "true"
            yield Fault(
                "tls_client_certificate_bound_access_tokens",
                f"must be {right} or left out: each token here is bound, to the certificate or by DPoP",
            )

    def _faults_of_profile(self) -> Iterator[Fault]:
        if self.require_pushed_authorization_requests and not self._profile.pushes_requests:
            yield Fault("require_pushed_authorization_requests", f"is what profile {self._profile} does not ask of its clients")


_RULES: Final = (
    Rule(
        ClientDocument._faults_of_binding,  # noqa: SLF001 - its own
        frozenset({"tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens"}),
    ),
    Rule(ClientDocument._faults_of_profile, frozenset({"profile", "require_pushed_authorization_requests"})),  # noqa: SLF001 - its own
)


def told_document(client: Client, tpp: Tpp) -> dict[str, object]:
    """Return the client as RFC 7591 §3.2.1 tells it: all that is registered, and nothing of what is not."""
    metadata = plain_metadata(client)
    said = {name: metadata[name] for name in FIELDS if metadata.get(name) not in (None, [], False)}
    return {
        "client_id": client.client_id,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "profile": client.profile.value,
        **said,
        "token_endpoint_auth_method": client.token_endpoint_auth_method.value,
        "grant_types": [grant_type.value for grant_type in client.grant_types],
        "response_types": ["code"] if GrantType.AUTHORIZATION_CODE in client.grant_types else [],
        "scope": " ".join(_scopes(tpp.roles)),
        "authorization_details_types": list(client.authorization_details_types)
        or [TYPES[each] for each in _services(tpp.roles)],
        "require_pushed_authorization_requests": client.profile.pushes_requests,
        "tls_client_certificate_bound_access_tokens": not client.dpop_bound_access_tokens,
    }


def _services(roles: frozenset[PspRole]) -> tuple[Service, ...]:
    return tuple(service for service in Service if service.role in roles)


def _types(roles: frozenset[PspRole]) -> list[str]:
    return [TYPES[service].value for service in _services(roles)]


def _scopes(roles: frozenset[PspRole]) -> tuple[str, ...]:
    """Return the scopes as a client registers for them: which consent it will be about, nobody knows yet."""
    services = _services(roles)
    chosen = (ACCOUNTS_SCOPE,) if Service.AIS in services else ()
    return (*(service.value for service in services), *chosen, *sorted(SCOPES))
