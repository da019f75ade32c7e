"""Reads a registration request: JSON, strictly, with what a software statement says put over it (RFC 7591 §3.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic_core import to_json

from gateway.oauth.jose.strict_json import NotAnObject, read_object
from gateway.oauth.refusals import invalid_request
from gateway.oauth.registration.document import ClientDocument
from gateway.oauth.registration.refusals import metadata_refused
from gateway.oauth.shapes import rule_of
from gateway.register.model import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.oauth.registration.statements import SoftwareStatements
    from gateway.register.model import Tpp

_STATEMENT: Final = "software_statement"
# RFC 7592 §2.2: the server tells these, and is not told them.
_TOLD: Final = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a TPP wants its client to be; `issuer` is whose software statement it is by.

    `faults` are those of its form, and `unread` the members that the document lacks because of them.
    """

    document: ClientDocument
    issuer: str | None
    faults: tuple[Fault, ...] = ()
    unread: frozenset[str] = frozenset()


def read_wish(body: bytes, tpp: Tpp, statements: SoftwareStatements) -> Wish:
    """Read the body of a registration; raises `OAuthRefused` where it can't be, or its statement is not believed."""
    return _wish(_object(body), tpp, statements, ())


def read_replacement(body: bytes, client_id: str, tpp: Tpp, statements: SoftwareStatements) -> Wish:
    """Read the body of an update, which says again which client it is about; raises what `read_wish` raises."""
    values = _object(body)
    faults = [Fault(name, "is told by the server, and must be left out") for name in _TOLD if name in values]
    if values.get("client_id") != client_id:
        faults.append(Fault("client_id", "must be there, and be the one of the address"))
    return _wish(values, tpp, statements, faults)


def _wish(values: dict[str, Any], tpp: Tpp, statements: SoftwareStatements, faults: Sequence[Fault]) -> Wish:
    found = list(faults)
    if "client_secret" in values:
        found.append(Fault("client_secret", "is not taken: clients prove themselves by certificate or by key"))
    statement, issuer = values.pop(_STATEMENT, None), None
    if isinstance(statement, str):
        said = statements.read(statement, tpp.authorisation_number)
        values, issuer = values | dict(said.metadata), said.issuer
    elif statement is not None:
        found.append(Fault(_STATEMENT, "must be a JWT, as a text"))
    document, unreadable = _document(values)
    unread = frozenset(fault.field.partition(".")[0] for fault in unreadable)
    return Wish(document, issuer, (*found, *unreadable), unread)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return dict(read_object(body))
    except NotAnObject as error:
        raise invalid_request("body", f"must be a JSON object: {error}", clause="RFC 7591 §3.1") from error


def _document(values: dict[str, Any]) -> tuple[ClientDocument, tuple[Fault, ...]]:
    """Return the document as far as it can be read, and what of it can't."""
    try:
        return ClientDocument.model_validate_json(to_json(values)), ()
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
    except ValueError as error:  # of `to_json`: members that mean nothing here are written too
        raise metadata_refused([Fault("body", "is nested too deeply")]) from error
    faults = tuple(Fault(".".join(str(step) for step in fault["loc"]), rule_of(fault)) for fault in found)
    readable = {name: value for name, value in values.items() if name not in {fault["loc"][0] for fault in found}}
    return ClientDocument.model_validate_json(to_json(readable)), faults
