"""Revocation lists of trust stores at the control API: sent to the gateway, and what is in force (docs/trust.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, Response, abort, jsonify, request

from gateway.admin.operations import operation
from gateway.trust.crl_bounds import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.trust.crl_points import Point
    from gateway.trust.model import ListInForce
    from gateway.trust.service import Trust


class Points(Protocol):
    """Where lists are fetched from."""

    def of_store(self, store: str) -> Sequence[Point]:
        """Return a store's addresses."""


def revocation_blueprint(trust: Trust, points: Points) -> Blueprint:
    """Return the resources of revocation."""
    api = Blueprint("revocation", __name__)

    @api.put("/trust-stores/<store>/crl")
    @operation("Take a CRL into force", octets="application/pkix-crl")
    def put_crl(store: str) -> Response:
        if request.mimetype != "application/pkix-crl":
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the CRL in DER, as application/pkix-crl")
        request.max_content_length = MOST_BYTES
        crl = trust.take_crl(store, request.get_data(cache=False))
        return jsonify({"issuer": crl.issuer, "number": str(crl.number), "next_update": crl.next_update.isoformat()})

    @api.get("/trust-stores/<store>/revocation")
    @operation("Read which CRLs a store has, and where more are fetched from")
    def get_revocation(store: str) -> Response:
        lists = [_list_json(each) for each in trust.lists(store)]
        return jsonify({"crls": lists, "points": [_point_json(each) for each in points.of_store(store)]})

    return api


def _list_json(crl: ListInForce) -> dict[str, object]:
    return {
        "issuer": crl.issuer,
        "number": str(crl.number),
        "entries": crl.entries,
        "this_update": _moment(crl.this_update),
        "next_update": _moment(crl.next_update),
        "source": crl.source,
        "taken_at": _moment(crl.taken_at),
    }


def _point_json(point: Point) -> dict[str, object]:
    return {
        "url": point.url,
        "tried_at": _moment(point.tried_at),
        "taken_at": _moment(point.taken_at),
        "next_try_at": _moment(point.due_at),
        "failure": point.failure,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
