"""What administrators did, told newest first, and whether all of it is still there."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import orjson
from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gateway.admin.operations import operation
from gateway.admin_audit.chain import ChainBroken, Head, verified_chain

if TYPE_CHECKING:
    from gateway.admin_audit.record import AuditRecord
    from gateway.admin_audit.store import SqlAdminAudit


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class AuditQuery(_Query):
    """The query of `GET /audit`."""

    before: Annotated[int | None, Field(ge=1, le=2**63 - 1, description="records before this number only")] = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


def _head(value: object) -> object:
    return Head.parse(value) if isinstance(value, str) else value


class VerificationQuery(_Query):
    """The query of `GET /audit/verification`."""

    head: Annotated[Head | None, BeforeValidator(_head), WithJsonSchema({"type": ["string", "null"]})] = None


def admin_audit_blueprint(audit: SqlAdminAudit) -> Blueprint:
    """Return the resources."""
    api = Blueprint("admin_audit", __name__)

    @api.get("/audit")
    @operation("List what administrators did, newest first", query=AuditQuery)
    def get_records() -> Response:
        query = AuditQuery.model_validate(request.args.to_dict())
        records = audit.newest(limit=query.limit, before=query.before)
        following = records[-1].number if len(records) == query.limit and records[-1].number > 1 else None
        return jsonify({"records": [_json(record) for record in records], "next": following})

    @api.get("/audit/verification")
    @operation("Verify the audit's chain", query=VerificationQuery)
    def verify() -> Response:
        expected = VerificationQuery.model_validate(request.args.to_dict()).head
        try:
            verified = verified_chain(audit.chain(), expected=expected)
        except ChainBroken as broken:
            return jsonify({"intact": False, "complaint": str(broken), "head": None, "records": None, "pruned": None})
        found = {"head": str(verified.head), "records": verified.records, "pruned": verified.pruned.number}
        return jsonify({"intact": True, "complaint": None, **found})

    return api


def _json(record: AuditRecord) -> dict[str, object]:
    return asdict(record) | {"difference": _difference(record.difference)}


def _difference(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text  # somebody has changed it by hand, which the verification tells
