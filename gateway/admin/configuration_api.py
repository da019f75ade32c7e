"""The configuration's resources: documents by kind and name, their history, and changes with or without effect."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from flask import Blueprint, Response, abort, jsonify, request

from gateway.admin.configuration_bodies import (
    AppliedAnswer,
    BatchAnswer,
    BatchBody,
    ChangeQuery,
    ListQuery,
    NoQuery,
    RollBackBody,
    VersionQuery,
    applied_json,
    document_json,
    version_json,
)
from gateway.admin.operations import operation
from gateway.admin.preconditions import precondition_of
from gateway.configuration.application import body_of
from gateway.configuration.changes import Action, Change
from gateway.configuration.difference import difference
from gateway.configuration.model import DocumentRefused, Fault
from gateway.configuration.snapshot import SetRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from gateway.configuration.changes import Applied
    from gateway.configuration.service import Configuration
    from gateway.configuration.snapshot import Snapshot
    from gateway.configuration.versions import Version

_Parsed = TypeVar("_Parsed", bound="BaseModel")


def configuration_blueprint(configuration: Configuration) -> Blueprint:
    """Return the resources of the configuration."""
    api = Blueprint("configuration", __name__)
    _add_reading(api, configuration)
    _add_changing(api, configuration)
    _add_larger_changes(api, configuration)
    return api


def _add_reading(api: Blueprint, configuration: Configuration) -> None:
    @api.get("/config")
    @operation("List kinds with their schemas, and whether what is stored can be in force", query=NoQuery)
    def get_kinds() -> Response:
        _query(NoQuery)
        return jsonify(_overview(configuration))

    @api.get("/config/<kind>")
    @operation("List a kind's documents", query=ListQuery)
    def get_documents(kind: str) -> Response:
        query = _query(ListQuery)
        versions = [version for version in configuration.standing(kind) if query.after is None or version.name > query.after]
        page = versions[: query.limit]
        following = page[-1].name if len(versions) > len(page) else None
        return jsonify({"documents": [version_json(version) for version in page], "next": following})

    @api.get("/config/<kind>/<name>")
    @operation("Show a document, what it comes to, and who uses it", query=VersionQuery)
    def get_document(kind: str, name: str) -> Response:
        version = configuration.version(kind, name, _query(VersionQuery).version)
        answer = jsonify(_page(configuration, version))
        # The tag is of the document; its description may change with others, which is why nobody may keep the answer.
        answer.headers.update({"ETag": version.etag, "Cache-Control": "no-store"})
        return answer

    @api.get("/config/<kind>/<name>/history")
    @operation("List a document's versions, newest first", query=NoQuery)
    def get_history(kind: str, name: str) -> Response:
        _query(NoQuery)
        versions = configuration.history(kind, name)
        return jsonify({"versions": _with_differences(versions, configuration.kinds[kind].secrets)})


def _add_changing(api: Blueprint, configuration: Configuration) -> None:
    @api.put("/config/<kind>/<name>")
    @operation(
        "Create or replace a document",
        document=True,
        query=ChangeQuery,
        answer=AppliedAnswer,
        conditional=True,
        statuses=(HTTPStatus.OK, HTTPStatus.CREATED),
    )
    def put_document(kind: str, name: str) -> Response:
        precondition = precondition_of(request.headers, may_create=True)
        change = Change(kind=configuration.kinds[kind].name, name=name, body=_document(), precondition=precondition)
        (applied,) = configuration.apply([change], dry_run=_query(ChangeQuery).dry_run)
        return _changed(applied)

    @api.delete("/config/<kind>/<name>")
    @operation("Delete a document that no other one uses", query=ChangeQuery, answer=AppliedAnswer, conditional=True)
    def delete_document(kind: str, name: str) -> Response:
        precondition = precondition_of(request.headers, may_create=False)
        # Of a kind that is not known, too: what a newer gateway has left must not stand in the way for good.
        change = Change(kind=kind, name=name, body=None, precondition=precondition)
        (applied,) = configuration.apply([change], dry_run=_query(ChangeQuery).dry_run)
        return _changed(applied)


def _add_larger_changes(api: Blueprint, configuration: Configuration) -> None:
    @api.post("/config/<kind>/<name>/rollback")
    @operation(
        "Make a document again what an earlier version was",
        body=RollBackBody,
        query=ChangeQuery,
        answer=AppliedAnswer,
        conditional=True,
        statuses=(HTTPStatus.OK, HTTPStatus.CREATED),
    )
    def roll_back(kind: str, name: str) -> Response:
        precondition = precondition_of(request.headers, may_create=True)
        to = _body(RollBackBody).version
        dry_run = _query(ChangeQuery).dry_run
        return _changed(configuration.roll_back(kind, name, to=to, precondition=precondition, dry_run=dry_run))

    @api.post("/config")
    @operation("Make all of these changes or none", body=BatchBody, query=ChangeQuery, answer=BatchAnswer)
    def apply_changes() -> Response:
        dry_run = _query(ChangeQuery).dry_run
        applied = configuration.apply([each.change for each in _body(BatchBody).changes], dry_run=dry_run)
        return jsonify({"changes": [applied_json(each) for each in applied]})


def _overview(configuration: Configuration) -> dict[str, object]:
    counts = Counter(version.kind for version in configuration.all_standing())
    kinds = [
        {
            "name": kind.name,
            "summary": kind.summary,
            "documents": counts[kind.name],
            "secrets": sorted(kind.secrets),
            "built_in": sorted(kind.built_in),
            "schema": kind.schema(),
        }
        for kind in configuration.kinds
    ]
    faults = _faults(configuration)
    told = [{"document": fault.document, "field": fault.field, "problem": fault.problem} for fault in faults]
    return {"kinds": kinds, "usable": not faults, "faults": told}


def _faults(configuration: Configuration) -> Sequence[Fault]:
    try:
        configuration.snapshot()
    except SetRefused as refused:
        return refused.faults
    return ()


def _page(configuration: Configuration, version: Version) -> dict[str, object]:
    kind = configuration.kinds[version.kind]
    page = document_json(kind, version)
    try:
        snapshot = configuration.snapshot()
        model = kind.parse(version.document)
    except (SetRefused, DocumentRefused):
        return page | {"description": None, "references": None, "used_by": None}
    references = [{"field": each.field, "document": f"{each.kind}/{each.name}"} for each in kind.references(model)]
    users = _users(configuration, snapshot, version)
    return page | {"description": kind.describe(model, snapshot), "references": references, "used_by": users}


def _users(configuration: Configuration, snapshot: Snapshot, version: Version) -> list[dict[str, str]]:
    users = snapshot.users_of(configuration.kinds, version.kind, version.name)
    return [{"document": user.place, "field": reference.field} for user, reference in users]


def _with_differences(versions: Sequence[Version], secrets: frozenset[str]) -> list[dict[str, object]]:
    """Tell each version with what it changed; of the oldest that is kept, whole."""
    earlier: list[Version | None] = [*versions[1:], None]
    return [
        version_json(version) | {"difference": difference(body_of(before) if before else None, body_of(version), secrets)}
        for version, before in zip(versions, earlier, strict=True)
    ]


def _changed(applied: Applied) -> Response:
    answer = jsonify(applied_json(applied))
    answer.status_code = HTTPStatus.CREATED if applied.action is Action.CREATED else HTTPStatus.OK
    if not applied.version.is_deletion:
        answer.headers["ETag"] = applied.version.etag
    return answer


def _document() -> dict[str, Any]:
    try:
        body = orjson.loads(_json())
    except orjson.JSONDecodeError as error:
        abort(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}")
    if not isinstance(body, dict):
        abort(HTTPStatus.BAD_REQUEST, "the body is the document: a JSON object")
    return body


def _body(type_: type[_Parsed]) -> _Parsed:
    return type_.model_validate_json(_json())


def _json() -> bytes:
    if request.mimetype != "application/json":
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
    return request.get_data(cache=False)


def _query(type_: type[_Parsed]) -> _Parsed:
    return type_.model_validate(request.args.to_dict())
