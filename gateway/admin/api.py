"""The control API's resources (docs/architecture.md §3.4): TPPs, clients, trust, the block list."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, abort, jsonify, request

from gateway.admin.bodies import BlockBody, TppBody, TrustStoreBody, tpp_json
from gateway.admin.client_bodies import ClientBody, client_json
from gateway.admin.configuration_bodies import ChangeQuery
from gateway.admin.operations import operation
from gateway.admin.preconditions import stated_precondition
from gateway.admin.problems import NotFound
from gateway.configuration.tags import entity_tag
from gateway.trust.model import TPP_STORE

if TYPE_CHECKING:
    from pydantic import BaseModel

    from gateway.register.service import Register
    from gateway.trust.service import Trust

MOST_JSON_BYTES = 4 * 1024 * 1024
_Parsed = TypeVar("_Parsed", bound="BaseModel")


def register_blueprint(register: Register) -> Blueprint:
    """Return the resources of the register."""
    api = Blueprint("register", __name__)
    _add_tpps(api, register)
    _add_clients(api, register)
    return api


def _add_tpps(api: Blueprint, register: Register) -> None:
    @api.put("/tpps/<authorisation_number>")
    @operation(
        "Register or change a TPP",
        query=ChangeQuery,
        body=TppBody,
        conditional=True,
        statuses=(HTTPStatus.OK, HTTPStatus.CREATED),
    )
    def put_tpp(authorisation_number: str) -> tuple[Response, int]:
        expected = stated_precondition(request.headers, may_create=True)
        tpp = _body(TppBody).tpp(authorisation_number)
        is_new = register.save_tpp(tpp, expected)
        return _tagged(tpp_json(tpp), tpp), _created_or_ok(is_new=is_new)

    @api.get("/tpps")
    @operation("List TPPs")
    def get_tpps() -> Response:
        return jsonify({"tpps": [tpp_json(tpp) for tpp in register.tpps()]})

    @api.get("/tpps/<authorisation_number>")
    @operation("Show a TPP")
    def get_tpp(authorisation_number: str) -> Response:
        tpp = register.tpp(authorisation_number)
        if tpp is None:
            raise NotFound(f"TPP {authorisation_number}")
        return _tagged(tpp_json(tpp), tpp)


def _add_clients(api: Blueprint, register: Register) -> None:
    @api.put("/clients/<client_id>")
    @operation(
        "Register or change an OAuth client",
        query=ChangeQuery,
        body=ClientBody,
        conditional=True,
        statuses=(HTTPStatus.OK, HTTPStatus.CREATED),
    )
    def put_client(client_id: str) -> tuple[Response, int]:
        expected = stated_precondition(request.headers, may_create=True)
        body = _body(ClientBody)
        client, is_new = register.change_client(client_id, lambda standing: body.client(client_id, standing=standing), expected)
        return _tagged(client_json(client), client), _created_or_ok(is_new=is_new)

    @api.get("/clients/<client_id>")
    @operation("Show an OAuth client")
    def get_client(client_id: str) -> Response:
        client = register.client(client_id)
        if client is None:
            raise NotFound(f"client {client_id}")
        return _tagged(client_json(client), client)

    @api.delete("/clients/<client_id>")
    @operation(
        "Delete an OAuth client and revoke its tokens",
        query=ChangeQuery,
        conditional=True,
        statuses=(HTTPStatus.NO_CONTENT,),
    )
    def delete_client(client_id: str) -> tuple[str, int]:
        if not register.delete_client(client_id, stated_precondition(request.headers, may_create=False)):
            raise NotFound(f"client {client_id}")
        return "", HTTPStatus.NO_CONTENT


def trust_blueprint(trust: Trust) -> Blueprint:
    """Return the resources of trust."""
    api = Blueprint("trust", __name__)

    @api.put(f"/trust-stores/{TPP_STORE}")
    @operation("Replace the CAs that TPPs' certificates are judged by", query=ChangeQuery, body=TrustStoreBody)
    def put_trust_store() -> Response:
        body = _body(TrustStoreBody)
        certificates = trust.replace(TPP_STORE, anchors=body.anchors, intermediates=body.intermediates)
        return jsonify({"certificates": [{"sha256": entry.sha256, "kind": entry.kind} for entry in certificates]})

    _add_block_list(api, trust)
    return api


def _add_block_list(api: Blueprint, trust: Trust) -> None:
    @api.get("/certificates/<sha256>/block")
    @operation("Show why a certificate is blocked")
    def get_block(sha256: str) -> Response:
        reason = trust.blocked(sha256)
        if reason is None:
            raise NotFound(f"block of certificate {sha256}")
        return _tagged({"sha256": sha256, "reason": reason}, {"reason": reason})

    @api.put("/certificates/<sha256>/block")
    @operation(
        "Block a certificate",
        query=ChangeQuery,
        body=BlockBody,
        conditional=True,
        statuses=(HTTPStatus.OK, HTTPStatus.CREATED),
    )
    def block(sha256: str) -> tuple[Response, int]:
        expected = stated_precondition(request.headers, may_create=True)
        reason = _body(BlockBody).reason
        is_new = trust.block(sha256, reason, expected)
        standing = {"reason": reason.strip()}
        return _tagged({"sha256": sha256, **standing}, standing), _created_or_ok(is_new=is_new)

    @api.delete("/certificates/<sha256>/block")
    @operation("Free a certificate", query=ChangeQuery, conditional=True, statuses=(HTTPStatus.NO_CONTENT,))
    def unblock(sha256: str) -> tuple[str, int]:
        if not trust.unblock(sha256, stated_precondition(request.headers, may_create=False)):
            raise NotFound(f"block of certificate {sha256}")
        return "", HTTPStatus.NO_CONTENT


def _body(type_: type[_Parsed]) -> _Parsed:
    if request.mimetype != "application/json":
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
    return type_.model_validate_json(request.get_data(cache=False))


def _tagged(document: object, standing: object) -> Response:
    """Return the answer with the entity tag of what stands now."""
    answer = jsonify(document)
    answer.headers.update({"ETag": entity_tag(standing), "Cache-Control": "no-store"})
    return answer


def _created_or_ok(*, is_new: bool) -> int:
    return HTTPStatus.CREATED if is_new else HTTPStatus.OK
