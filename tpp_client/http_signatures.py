"""Requests signed with the client's own key, and answers taken signed only (RFC 9421, FAPI 2.0 HTTP Signatures §5.3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import ECDSA_P256_SHA256
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from joserfc.jwk import ECKey

from psd2.ids import new_uuid
from tpp_client.discovery import discovery_request, process_discovery_response
from tpp_client.errors import IdentityUnusable, SignedAnswerRejected
from tpp_client.signed_answers import keys_request, process_keys_response

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from psd2.clock import Clock
    from tpp_client.signing_keys import SigningKey
    from tpp_client.wire import HttpRequest, HttpResponse, Transport

REQUEST_TAG: Final = "fapi-2-request"
RESPONSE_TAG: Final = "fapi-2-response"
_SIGNED_PATHS: Final = ("/v1/", "/v2/")
_LABEL: Final = "tpp"
_COVERED: Final = ("@method", "@target-uri", "authorization")
# The server's is asked for by its algorithm: what is believed is decided here, not by what comes.
_WANTED: Final = f'{_LABEL}=("@status");created;keyid;alg="{ECDSA_P256_SHA256.algorithm_id}";tag="{RESPONSE_TAG}"'
_ANSWERS_COVER: Final = ("@status", '"@method";req', '"@target-uri";req', '"signature";req', '"signature-input";req')
_OLDEST: Final = timedelta(seconds=60)
_CLOCKS_APART: Final = timedelta(seconds=10)
_FIRST_REFUSAL: Final = 400


@dataclass(slots=True)
class _Message:
    """A request as the library reads and completes it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(slots=True)
class _Answer:
    """An answer as the library reads it."""

    status_code: int
    headers: dict[str, str]
    request: _Message


@dataclass(slots=True, kw_only=True)
class MessageSigningTransport:
    """Signs every request to the bank's interface that bears a token; others go as they are.

    An answer to it has to be signed by the bank, but for a refusal: that may come from whoever stands in front of it.
    """

    transport: Transport
    key: SigningKey
    issuer: str
    edge: str
    clock: Clock
    _keys: KeySet | None = field(default=None, init=False)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Sign and send it, and judge the answer; raises `SignedAnswerRejected`."""
        if not self._is_signed(request):
            return self.transport.send(request)
        signed = signed_request(request, self.key, now=self.clock.now())
        response = self.transport.send(signed)
        if "signature-input" in response.headers:
            require_signed(response, signed, self._server_keys(), now=self.clock.now())
        elif response.status < _FIRST_REFUSAL:
            raise SignedAnswerRejected(f"the answer to {request.method} {urlsplit(request.url).path} bears no signature")
        return response

    def _is_signed(self, request: HttpRequest) -> bool:
        is_of_bank = request.url.startswith(f"{self.edge}/") and urlsplit(request.url).path.startswith(_SIGNED_PATHS)
        return is_of_bank and "Authorization" in request.headers

    def _server_keys(self) -> KeySet:
        if self._keys is None:
            metadata = process_discovery_response(discovery_request(self.transport, self.issuer), issuer=self.issuer)
            self._keys = process_keys_response(keys_request(self.transport, metadata))
        return self._keys


def signed_request(request: HttpRequest, key: SigningKey, *, now: datetime) -> HttpRequest:
    """Return the request with its signature, and the wish for a signed answer; its body must be sent as it is."""
    message = _Message(request.method, request.url, {**request.headers, "Accept-Signature": _WANTED})
    covered = [*_COVERED, *(["dpop"] if "DPoP" in request.headers else [])]
    # Prepared and applied: the library signs with no PS256, and the key is ours to use.
    signer = HTTPMessageSigner(signature_algorithm=ECDSA_P256_SHA256)
    prepared = signer.prepare(
        message,
        key_id=key.kid,
        created=now,
        nonce=new_uuid(),
        label=_LABEL,
        tag=REQUEST_TAG,
        include_alg=False,
        covered_component_ids=covered,
        body=request.body,
    )
    signer.apply(message, prepared, key.signature(prepared.signature_base))
    return replace(request, headers=message.headers)


def require_signed(response: HttpResponse, request: HttpRequest, keys: KeySet, *, now: datetime) -> None:
    """Raise `SignedAnswerRejected` unless the server has signed this answer, to this request, just now."""
    asked = _Message(request.method, request.url, dict(request.headers))
    answer = _Answer(response.status, dict(response.headers), asked)
    verifier = _Verifier(signature_algorithm=ECDSA_P256_SHA256, key_resolver=_Keys(keys))
    verifier.now = now
    try:
        verifier.verify(answer, expect_tag=RESPONSE_TAG, require_components=_ANSWERS_COVER, body=response.body, max_age=_OLDEST)
    except HTTPMessageSignaturesException as error:
        raise SignedAnswerRejected(f"{str(error) or 'its signature is not that of the key'} (RFC 9421 §3.2)") from error


class _Keys(HTTPSignatureKeyResolver):
    """The server's keys for ES256, by their names."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = {key.kid: key for key in keys.keys if isinstance(key, ECKey) and key.curve_name == "P-256"}

    def resolve_public_key(self, key_id: str) -> Any:  # noqa: ANN401 - as the library has it
        key = self._keys.get(key_id)
        return None if key is None else key.raw_value


class _Verifier(HTTPMessageVerifier):
    """The library's, at a time that it is told."""

    now: datetime

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:  # noqa: ANN401 - as the library has it
        """Raise where the signature is from another time; raises `InvalidSignature`."""
        created = sig_input.params.get("created")
        if type(created) is not int:
            raise InvalidSignature("it does not say when it was made")
        age = self.now - datetime.fromtimestamp(created, UTC)
        if not -_CLOCKS_APART <= age <= (max_age or _OLDEST) + _CLOCKS_APART:
            raise InvalidSignature(f"it was made {age.total_seconds():.0f} seconds ago")


def signing_transport(
    transport: Transport, key: SigningKey | None, *, issuer: str, edge: str, clock: Clock
) -> MessageSigningTransport:
    """Return a transport that signs with the client's key; raises `IdentityUnusable` without one."""
    if key is None:
        msg = (
            "the client has no key to sign with: register it with one (sandbox tpp register … --profile fapi2-message-signing)"
        )
        raise IdentityUnusable(msg)
    return MessageSigningTransport(transport=transport, key=key, issuer=issuer, edge=edge, clock=clock)
