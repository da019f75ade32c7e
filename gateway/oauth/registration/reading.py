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
from gateway.register.model import Fault

if TYPE_CHECKING:
    from gateway.oauth.registration.statements import SoftwareStatements
    from gateway.register.model import Tpp

_STATEMENT: Final = "software_statement"
# RFC 7592 §2.2: the server tells these, and is not told them.
_TOLD: Final = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a TPP wants its client to be; `issuer` is whose software statement it is by."""

    document: ClientDocument
    issuer: str | None


def read_wish(body: bytes, tpp: Tpp, statements: SoftwareStatements) -> Wish:
    """Read the body of a registration; raises `OAuthRefused`."""
    values = _object(body)
    if "client_secret" in values:
        raise metadata_refused([Fault("client_secret", "is not taken: clients prove themselves by certificate or by key")])
    statement = values.pop(_STATEMENT, None)
    if statement is None:
        return Wish(_document(values), None)
    if not isinstance(statement, str):
        raise metadata_refused([Fault(_STATEMENT, "must be a JWT, as a text")])
    said = statements.read(statement, tpp.authorisation_number)
    return Wish(_document(values | dict(said.metadata)), said.issuer)


def read_replacement(body: bytes, client_id: str, tpp: Tpp, statements: SoftwareStatements) -> Wish:
    """Read the body of an update, which says again which client it is about; raises `OAuthRefused`."""
    values = _object(body)
    faults = [Fault(name, "is told by the server, and must be left out") for name in _TOLD if name in values]
    if values.get("client_id") != client_id:
        faults.append(Fault("client_id", "must be there, and be the one of the address"))
    if faults:
        raise metadata_refused(faults)
    return read_wish(body, tpp, statements)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return dict(read_object(body))
    except NotAnObject as error:
        raise invalid_request("body", f"must be a JSON object: {error}", clause="RFC 7591 §3.1") from error


def _document(values: dict[str, Any]) -> ClientDocument:
    try:
        return ClientDocument.model_validate_json(to_json(values))
    except ValidationError as error:
        faults = [
            Fault(".".join(str(step) for step in fault["loc"]) or "body", fault["msg"])
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise metadata_refused(faults) from error
    except ValueError as error:  # of `to_json`: members that mean nothing here are written too
        raise metadata_refused([Fault("body", "is nested too deeply")]) from error
