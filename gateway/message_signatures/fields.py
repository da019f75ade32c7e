"""The fields Signature-Input and Signature, read strictly: two programs must not read two things (RFC 9421 §4, RFC 9651)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import http_sf

from gateway.message_signatures.faults import SignatureFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INPUT: Final = "signature-input"
SIGNATURE: Final = "signature"
REQUEST_TAG: Final = "fapi-2-request"
RESPONSE_TAG: Final = "fapi-2-response"
MOST_CHARACTERS: Final = 8 * 1024
MOST_SIGNATURES: Final = 8
MOST_COMPONENTS: Final = 50
# RFC 9421 §2.3, each with its type; another one may change what a signature means.
_PARAMETERS: Final[Mapping[str, type]] = {
    "created": int, "expires": int, "nonce": str, "alg": str, "keyid": str, "tag": str,
}  # fmt: skip


class MalformedField(ValueError):
    """A field that is not what it has to be; the message says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class Component:
    """A component that is covered: a field's name or a derived component's, and its parameters as they are written."""

    name: str
    parameters: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        """Return it as it stands in a signature base."""
        return http_sf.ser((self.name, dict(self.parameters)))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedSignature:
    """A signature and what it says of itself; moments are epoch seconds."""

    label: str
    components: tuple[Component, ...]
    signature: bytes
    created: int | None = None
    expires: int | None = None
    nonce: str | None = None
    alg: str | None = None
    keyid: str | None = None
    tag: str | None = None

    def covers(self, name: str) -> bool:
        """Whether a component of this name is covered whole, as it is."""
        return Component(name) in self.components


def combined(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    """Return a field's value, that of several lines as one (RFC 9110 §5.3); None without any. Names are in lower case."""
    values = [value.strip(" \t") for each, value in headers if each == name]
    return ", ".join(values) if values else None


def presented_signature(headers: Sequence[tuple[str, str]], *, tag: str | None) -> PresentedSignature:
    """Return the one signature of this tag; others, of other applications, are not looked at. Raises `SignatureFault`."""
    try:
        inputs, signatures = _both(headers)
        presented = [_presented(label, member, signatures[label]) for label, member in inputs.items()]
    except MalformedField as error:
        raise SignatureFault("malformed", f"The signature can't be read: {error}.") from error
    tagged = [each for each in presented if each.tag == tag]
    if not tagged:
        raise SignatureFault("tag", f'None of the signatures has the parameter tag="{tag}".')
    if len(tagged) > 1:
        raise SignatureFault("ambiguous", f'{len(tagged)} signatures have the parameter tag="{tag}".')
    return tagged[0]


def read_dictionary(name: str, value: str) -> dict[str, Any]:
    """Return the members of a dictionary; raises `MalformedField`, also where a key or parameter is there twice."""

    def refuse(key: str, _context: str) -> None:
        raise MalformedField(f"{name} says {key} twice")

    if len(value) > MOST_CHARACTERS:
        raise MalformedField(f"{name} has {len(value)} characters, at most {MOST_CHARACTERS} are read")
    try:
        members: Any = http_sf.parse(value.encode("latin-1"), tltype="dictionary", on_duplicate_key=refuse)
    except MalformedField:
        raise
    except ValueError as error:
        raise MalformedField(f"{name} is no dictionary of structured fields") from error
    if not 0 < len(members) <= MOST_SIGNATURES:
        raise MalformedField(f"{name} has {len(members)} members, 1 to {MOST_SIGNATURES} are read")
    return dict(members)


def components_of(label: str, member: Any) -> tuple[Component, ...]:  # noqa: ANN401 - whatever a dictionary holds
    """Return the covered components of a dictionary's member, each once; raises `MalformedField`."""
    items = member[0] if isinstance(member, tuple) else None
    if not isinstance(items, list):
        raise MalformedField(f"{label} is no list of components in parentheses")
    if len(items) > MOST_COMPONENTS:
        raise MalformedField(f"{label} covers {len(items)} components, at most {MOST_COMPONENTS} are read")
    components = tuple(_component(label, *item) for item in items)
    if len({(each.name, frozenset(each.parameters)) for each in components}) < len(components):
        raise MalformedField(f"{label} covers a component twice")
    return components


def _both(headers: Sequence[tuple[str, str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, signatures = combined(headers, INPUT), combined(headers, SIGNATURE)
    if inputs is None or signatures is None:
        there, absent = ("Signature", "Signature-Input") if inputs is None else ("Signature-Input", "Signature")
        raise MalformedField(f"there is {there}, and no {absent}: they go together")
    members = read_dictionary("Signature-Input", inputs), read_dictionary("Signature", signatures)
    if members[0].keys() != members[1].keys():
        raise MalformedField("Signature-Input and Signature have different labels")
    return members


def _presented(label: str, member: Any, value: Any) -> PresentedSignature:  # noqa: ANN401 - as above
    components = components_of(label, member)
    signature = value[0] if isinstance(value, tuple) else None
    if not isinstance(signature, bytes) or not signature:
        raise MalformedField(f"the Signature {label} is no byte sequence between colons")
    parameters = member[1]
    for name, given in parameters.items():
        wanted = _PARAMETERS.get(name)
        if wanted is None:
            raise MalformedField(f"{label} has the parameter {name}, which is not known here")
        if type(given) is not wanted:
            kind = "an integer" if wanted is int else "a text between quotes"
            raise MalformedField(f"the parameter {name} of {label} is not {kind}")
    return PresentedSignature(label=label, components=components, signature=signature, **parameters)


def _component(label: str, name: object, parameters: Mapping[str, object]) -> Component:
    # Not `isinstance`: a token is no text, though it looks like one.
    if type(name) is not str or name != name.lower() or not name:
        raise MalformedField(f"{label} covers something that is no name in small letters between quotes")
    return Component(name, tuple(parameters.items()))
