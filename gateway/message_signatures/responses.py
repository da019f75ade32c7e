"""What of an answer is signed, and what a client asks to have signed (FAPI 2.0 HTTP Signatures §5.3.2.1, RFC 9421 §2.4, §5)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import http_sf

from gateway.message_signatures.algorithms import REGISTERED
from gateway.message_signatures.base import ResponseBase
from gateway.message_signatures.content_digest import FIELD as DIGEST
from gateway.message_signatures.content_digest import content_digest
from gateway.message_signatures.fields import (
    INPUT,
    RESPONSE_TAG,
    SIGNATURE,
    Component,
    MalformedField,
    combined,
    components_of,
    read_dictionary,
)
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.message_signatures.messages import RequestMessage

ASKED_BY: Final = "accept-signature"
REPLACED: Final = frozenset({DIGEST, INPUT, SIGNATURE})
_USUAL_LABEL: Final = "sig1"
_OF_REQUEST: Final = (("req", True),)
_DERIVED_OF_REQUEST: Final = ("@method", "@target-uri")
_FIELDS_OF_REQUEST: Final = (DIGEST, SIGNATURE, INPUT)
_ALGORITHMS: Final = {name: algorithm for algorithm, name in REGISTERED.items() if name is not None}
_MOST_NONCE_CHARACTERS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be signed beside what always is, under which label; `alg` is what the client has named itself, if anything."""

    label: str = _USUAL_LABEL
    components: tuple[Component, ...] = ()
    nonce: str | None = None
    alg: str | None = None

    @property
    def algorithm(self) -> SigningAlg:
        """With which key."""
        return _ALGORITHMS[self.alg] if self.alg is not None else SigningAlg.ES256


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMessage:
    """An answer: names of `lines` are in lower case, `body` is whole, and empty where none goes out (HEAD, 204, 304)."""

    status: int
    lines: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBeSigned:
    """What the signer gets, and what stands in the answer beside the signature."""

    label: str
    algorithm: SigningAlg
    base: ResponseBase
    digest: str | None

    def fields(self, keyid: str, signature: bytes) -> list[tuple[str, str]]:
        """Return the fields of the signed answer."""
        encoded = base64.b64encode(signature).decode("ascii")
        signed = [
            (INPUT, f"{self.label}={self.base.signed_parameters(keyid)}"),
            (SIGNATURE, f"{self.label}=:{encoded}:"),
        ]
        return signed if self.digest is None else [(DIGEST, self.digest), *signed]


def wish_of(values: Sequence[str]) -> Wish | None:
    """Return the first of the asked-for signatures that could be made; None where none can, or nothing can be read (§5.2)."""
    try:
        members = read_dictionary("Accept-Signature", ", ".join(values))
    except MalformedField:
        return None
    wishes = (_wish(label, member) for label, member in members.items())
    return next((wish for wish in wishes if wish is not None), None)


def _wish(label: str, member: Any) -> Wish | None:  # noqa: ANN401 - whatever a dictionary holds
    try:
        components = components_of(label, member)
    except MalformedField:
        return None
    parameters: Mapping[str, object] = member[1]
    nonce, alg = parameters.get("nonce"), parameters.get("alg")
    is_fit = (
        parameters.get("tag", RESPONSE_TAG) == RESPONSE_TAG
        and parameters.get("created", True) is True
        and parameters.get("keyid", True) is True  # which key signs is the server's to say, that it is named the client's
        and parameters.keys() <= {"tag", "created", "keyid", "nonce", "alg"}
        and (nonce is None or (type(nonce) is str and len(nonce) <= _MOST_NONCE_CHARACTERS))
        and (alg is None or (type(alg) is str and alg in _ALGORITHMS))
        and all(map(_can_be_covered, components))
    )
    return Wish(label=label, components=components, nonce=nonce, alg=alg) if is_fit else None  # type: ignore[arg-type]


def _can_be_covered(component: Component) -> bool:
    if component.parameters == _OF_REQUEST:
        return component.name in _DERIVED_OF_REQUEST or component.name in _FIELDS_OF_REQUEST
    is_signature = component.name in {INPUT, SIGNATURE}  # of the answer itself
    return not component.parameters and not is_signature and (component.name == "@status" or component.name[0] != "@")


def to_be_signed(request: RequestMessage, response: ResponseMessage, wish: Wish, *, created: int) -> ToBeSigned | None:
    """Return what to sign; None where the wish names something that is not there. `created` is epoch seconds."""
    digest = content_digest(response.body) if response.body else None
    values = _values(request, response, digest)
    # What FAPI wants covered, then what the client asks for beside it; each once.
    components = tuple(dict.fromkeys((*_always(values), *wish.components)))
    if not all(component in values for component in components):
        return None
    lines = tuple(f"{component}: {values[component]}" for component in components)
    if not all(line.isascii() and line.isprintable() for line in lines):
        return None
    base = ResponseBase(lines=lines, parameters=_parameters(components, wish, created))
    return ToBeSigned(label=wish.label, algorithm=wish.algorithm, base=base, digest=digest)


def _always(values: Mapping[Component, str]) -> list[Component]:
    derived = [Component("@status"), *(Component(name, _OF_REQUEST) for name in _DERIVED_OF_REQUEST)]
    fields = [Component(DIGEST), *(Component(name, _OF_REQUEST) for name in _FIELDS_OF_REQUEST)]
    return derived + [component for component in fields if component in values]


def _values(request: RequestMessage, response: ResponseMessage, digest: str | None) -> dict[Component, str]:
    """Return all that can be covered, with its value (RFC 9421 §2.1, §2.2.9, §2.4)."""
    names = {name for name, _ in response.lines} - REPLACED
    values = {Component(name): combined(response.lines, name) or "" for name in names}
    values |= {
        Component("@status"): str(response.status),
        Component("@method", _OF_REQUEST): request.method,
        Component("@target-uri", _OF_REQUEST): request.url,
    }
    asked = {name: combined(request.lines, name) for name in _FIELDS_OF_REQUEST}
    if asked[INPUT] is None:
        asked[SIGNATURE] = None  # then that field is the Berlin Group's
    values |= {Component(name, _OF_REQUEST): value for name, value in asked.items() if value is not None}
    return values if digest is None else values | {Component(DIGEST): digest}


def _parameters(components: Sequence[Component], wish: Wish, created: int) -> str:
    said: dict[str, object] = {"created": created}
    said |= {name: value for name, value in (("nonce", wish.nonce), ("alg", wish.alg)) if value is not None}
    said["tag"] = RESPONSE_TAG
    listed = [(component.name, dict(component.parameters)) for component in components]
    # The library writes no inner list by itself.
    return http_sf.ser({"sig": (listed, said)}).removeprefix("sig=")  # type: ignore[dict-item]
