"""Which clients may be registered: what fits together, and what each profile asks for (RFC 7591 §2, FAPI 2.0 SP §5.3.2)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from gateway.oauth.jose.key_set import read_registered_keys
from gateway.oauth.jose.refusals import KeySetRefused
from gateway.register.distinguished_names import parse_name
from gateway.register.key_certificates import certificate_of
from gateway.register.model import (
    AuthMethod,
    Client,
    ClientRefused,
    DeliveryMode,
    Fault,
    GrantType,
    InvalidRedirectUri,
)
from gateway.register.redirect_uris import require_redirect_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

_Judged = TypeVar("_Judged")
MOST_REDIRECT_URIS: Final = 20
MOST_TYPES: Final = 20
MOST_CHARACTERS: Final = 2000
MOST_REASON: Final = 200
SUBJECT_FIELDS: Final = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
_DNS_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,255}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_TYPE = re.compile(r"[A-Za-z0-9._:/-]{1,100}")
_CIBA_FIELDS: Final = (
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
    "backchannel_authentication_request_signing_alg",
)


@dataclass(frozen=True, slots=True)
class Rule(Generic[_Judged]):
    """One check, and the fields that it reads: where one of them could not be read, it has nothing to say."""

    faults: Callable[[_Judged], Iterable[Fault]]
    reads: frozenset[str]


def faults_by(rules: Iterable[Rule[_Judged]], judged: _Judged, unread: Collection[str] = ()) -> Iterator[Fault]:
    """Give every fault that the rules find, but for what only follows from fields that are `unread`."""
    for rule in rules:
        if rule.reads.isdisjoint(unread):
            yield from rule.faults(judged)


def faults_of_client(client: Client, unread: Collection[str] = ()) -> Iterator[Fault]:
    """Give everything that is wrong with the client."""
    return faults_by(_RULES, client, unread)


def require_consistent_client(client: Client, more: Iterable[Fault] = ()) -> None:
    """Raise `ClientRefused` with everything that is wrong with the client, and what `more` there is."""
    faults = (*faults_of_client(client), *more)
    if faults:
        raise ClientRefused(faults)


def _faults_of_redirect_uris(client: Client) -> Iterator[Fault]:
    uris = client.redirect_uris
    least = 1 if GrantType.AUTHORIZATION_CODE in client.grant_types else 0
    if not least <= len(uris) <= MOST_REDIRECT_URIS:
        yield Fault("redirect_uris", f"{least} to {MOST_REDIRECT_URIS} addresses are taken, {len(uris)} were given")
        return
    for position, uri in enumerate(uris):
        try:
            require_redirect_uri(uri, f"redirect_uris[{position}]")
        except InvalidRedirectUri as refusal:
            yield Fault(refusal.field, refusal.reason)
    if len(set(uris)) != len(uris):
        yield Fault("redirect_uris", "an address is listed twice")


def _faults_of_grant_types(client: Client) -> Iterator[Fault]:
    granted = set(client.grant_types)
    if not granted:
        yield Fault("grant_types", f"must name one at least: {', '.join(GrantType)}")
    if len(granted) != len(client.grant_types):
        yield Fault("grant_types", "a grant type is listed twice")
    if granted and GrantType.REFRESH_TOKEN in granted and not granted & {GrantType.AUTHORIZATION_CODE, GrantType.CIBA}:
        yield Fault("grant_types", "refresh_token alone is of no use: nothing gives the client a refresh token")


def _faults_of_subject(client: Client) -> Iterator[Fault]:
    given = [field for field in SUBJECT_FIELDS if getattr(client, field) is not None]
    if given and client.token_endpoint_auth_method is not AuthMethod.TLS_CLIENT_AUTH:
        yield Fault(given[0], f"belongs to token_endpoint_auth_method {AuthMethod.TLS_CLIENT_AUTH} (RFC 8705 §2.1.2)")
    if len(given) > 1:
        yield Fault(given[1], f"stands beside {given[0]}: one of them at most is taken (RFC 8705 §2.1.2)")
    for field in given:
        if (problem := _problem_of_subject(field, getattr(client, field))) is not None:
            yield Fault(field, problem)


def _problem_of_subject(field: str, value: str) -> str | None:
    if len(value) > MOST_CHARACTERS:
        return f"has more than {MOST_CHARACTERS} characters"
    if field == "tls_client_auth_subject_dn":
        return _problem_of_name(value)
    if field == "tls_client_auth_san_ip":
        return _problem_of_ip(value)
    pattern, right = {
        "tls_client_auth_san_dns": (_DNS_NAME, "a DNS name such as tpp.example.com"),
        "tls_client_auth_san_uri": (_URI, "an absolute URI"),
        "tls_client_auth_san_email": (_EMAIL, "an e-mail address"),
    }[field]
    return None if pattern.fullmatch(value) else f"must be {right}"


def _problem_of_name(value: str) -> str | None:
    try:
        parse_name(value)
    except ValueError:
        return "must be a distinguished name of RFC 4514, such as CN=tpp.example.com,O=Acme,C=DE, without spaces around commas"
    return None


def _problem_of_ip(value: str) -> str | None:
    try:
        ip_address(value)
    except ValueError:
        return "must be an IPv4 or IPv6 address"
    return None


def _faults_of_keys(client: Client) -> Iterator[Fault]:
    method = client.token_endpoint_auth_method
    if client.jwks is not None and client.jwks_uri is not None:
        yield Fault("jwks_uri", "stands beside jwks: one of them at most is taken (RFC 7591 §2)")
    if method.needs_keys and not client.has_keys:
        yield Fault("jwks", f"or jwks_uri is missing: {method} needs the client's keys")
    if client.token_endpoint_auth_signing_alg is not None and method is not AuthMethod.PRIVATE_KEY_JWT:
        yield Fault("token_endpoint_auth_signing_alg", f"belongs to token_endpoint_auth_method {AuthMethod.PRIVATE_KEY_JWT}")
    if client.jwks_uri is not None:
        yield from _faults_of_https("jwks_uri", client.jwks_uri)
    if client.jwks is not None:
        yield from _faults_of_jwks(client.jwks, client)
    if client.must_sign_backchannel_requests and not client.has_keys:
        yield Fault("jwks", "or jwks_uri is missing: its request objects are signed by the client's keys")


def _faults_of_jwks(jwks: Mapping[str, Any], client: Client) -> Iterator[Fault]:
    by_certificate = client.token_endpoint_auth_method is AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
    try:
        registered = read_registered_keys(json.dumps(jwks), for_certificates=by_certificate)
    except KeySetRefused as refused:
        yield Fault(f"jwks.{refused.field}".removesuffix(".jwks"), refused.reason)
        return
    if client.must_sign_backchannel_requests and not registered.keys:
        yield Fault("jwks.keys", "must hold a key that signs its requests: RSA, on P-256 or Ed25519 (FAPI 2.0 SP §5.4.1)")
    certificates = []
    for place, key in enumerate(jwks["keys"]):
        try:
            certificates.append(certificate_of(key))
        except ValueError as error:
            yield Fault(f"jwks.keys.{place}.x5c", f"{str(error)[:MOST_REASON]} (RFC 7517 §4.7)")
    if by_certificate and not any(certificates):
        yield Fault("jwks.keys", "must hold the client's certificate, in x5c of a key (RFC 8705 §2.2.2)")


def _faults_of_profile(client: Client) -> Iterator[Fault]:
    if client.dpop_bound_access_tokens and not client.profile.is_fapi:
        yield Fault("dpop_bound_access_tokens", "is taken with the profiles of FAPI 2.0 only: register profile fapi2")
    if client.require_signed_request_object and not client.profile.is_fapi:
        yield Fault("require_signed_request_object", "is taken with the profiles of FAPI 2.0 only: register profile fapi2")


def _faults_of_backchannel(client: Client) -> Iterator[Fault]:
    mode, endpoint = client.backchannel_token_delivery_mode, client.backchannel_client_notification_endpoint
    if GrantType.CIBA not in client.grant_types:
        for field in _CIBA_FIELDS:
            if getattr(client, field) is not None:
                yield Fault(field, f"needs {GrantType.CIBA} among grant_types (CIBA Core §4)")
        return
    if mode is None:
        yield Fault("backchannel_token_delivery_mode", "is missing: poll or ping (CIBA Core §4)")
    if mode is DeliveryMode.PING and endpoint is None:
        yield Fault("backchannel_client_notification_endpoint", "is missing: where the client is pinged (CIBA Core §4)")
    if mode is not DeliveryMode.PING and endpoint is not None:
        yield Fault("backchannel_client_notification_endpoint", "belongs to delivery mode ping, and only to it (CIBA Core §4)")
    if endpoint is not None:
        yield from _faults_of_https("backchannel_client_notification_endpoint", endpoint)


def _faults_of_types(client: Client) -> Iterator[Fault]:
    types = client.authorization_details_types
    if len(types) > MOST_TYPES or len(set(types)) != len(types) or not all(_TYPE.fullmatch(each) for each in types):
        yield Fault("authorization_details_types", f"must be at most {MOST_TYPES} different names of types (RFC 9396 §10)")


def _faults_of_https(field: str, uri: str) -> Iterator[Fault]:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - reading the port is what judges it
    except ValueError as error:
        yield Fault(field, f"can't be read as a URI: {error}")
        return
    is_plain = len(uri) <= MOST_CHARACTERS and _URI.fullmatch(uri) is not None
    if not is_plain or parts.scheme != "https" or not parts.hostname or "#" in uri or "@" in parts.netloc:
        yield Fault(
            field, f"must be an absolute https address of at most {MOST_CHARACTERS} characters, without fragment or user"
        )


_KEY_FIELDS: Final = frozenset({"jwks", "jwks_uri", "token_endpoint_auth_method"})
_RULES: Final = (
    Rule(_faults_of_redirect_uris, frozenset({"redirect_uris", "grant_types"})),
    Rule(_faults_of_grant_types, frozenset({"grant_types"})),
    Rule(_faults_of_subject, frozenset({*SUBJECT_FIELDS, "token_endpoint_auth_method"})),
    Rule(
        _faults_of_keys,
        _KEY_FIELDS
        | {
            "token_endpoint_auth_signing_alg",
            "require_signed_request_object",
            "profile",
            "backchannel_authentication_request_signing_alg",
        },
    ),
    Rule(_faults_of_profile, frozenset({"profile", "dpop_bound_access_tokens", "require_signed_request_object"})),
    Rule(_faults_of_backchannel, frozenset({*_CIBA_FIELDS, "grant_types"})),
    Rule(_faults_of_types, frozenset({"authorization_details_types"})),
)
