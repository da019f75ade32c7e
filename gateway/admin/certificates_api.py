"""Resources beside the documents of certificates: their list, and rotation by one call each."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin.configuration_bodies import AppliedAnswer, ChangeQuery, applied_json
from gateway.admin.operations import operation
from gateway.certificates.bodies import MOST_CHAIN, MOST_KEY
from gateway.certificates.expiry import expiring
from gateway.certificates.kind import CERTIFICATES, version_words
from gateway.certificates.model import Stage
from gateway.certificates.rotation import add_version, make_current

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.certificates.expiry import Watched
    from gateway.configuration.changes import Applied
    from gateway.configuration.service import Configuration
    from gateway.configuration.snapshot import Snapshot
    from psd2.clock import Clock


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VersionOrder(_Body):
    """A version to be added, to wait or to be in use at once."""

    chain: Annotated[str, Field(min_length=1, max_length=MOST_CHAIN, description="PEM: the leaf, then its issuers")]
    key: Annotated[str | None, Field(min_length=1, max_length=MOST_KEY, description="PEM of the leaf's private key")] = None
    stage: Annotated[Stage, Field(description="pending or current")] = Stage.PENDING


class ExpiringQuery(_Body):
    """How far to look ahead."""

    days: Annotated[int, Field(ge=0, le=3_650)] = 30


class ExpiringCertificate(_Body):
    """A certificate that ends soon or has ended; `days_left` is negative then."""

    place: Annotated[str, Field(description="certificates/NAME, trust-stores/NAME, upstreams/NAME, or a file in the home")]
    subject: str
    issuer: str
    sha256: str
    not_after: str
    days_left: float
    renews_itself: bool


class ExpiringAnswer(_Body):
    """The first to end first."""

    certificates: list[ExpiringCertificate]


class CurrentOrder(_Body):
    """The version that shall be in use."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="of its leaf's DER")]


def certificates_blueprint(configuration: Configuration, watched: Callable[[], Sequence[Watched]], clock: Clock) -> Blueprint:
    """Return the resources of certificates."""
    api = Blueprint("certificates", __name__)

    @api.get("/certificates")
    @operation("List the gateway's own certificates with their versions, and who uses them")
    def get_certificates() -> Response:
        return jsonify({"certificates": _listed(configuration, configuration.snapshot())})

    @api.get("/certificates/expiring")
    @operation("List what ends soon, of all that the gateway presents or trusts", query=ExpiringQuery, answer=ExpiringAnswer)
    def get_expiring() -> Response:
        days = ExpiringQuery.model_validate(request.args.to_dict()).days
        now = clock.now()
        return jsonify({"certificates": [_expiring_json(each, now) for each in expiring(watched(), now, days=days)]})

    @api.post("/config/certificates/<name>/versions")
    @operation("Add a version to a certificate", body=VersionOrder, query=ChangeQuery, answer=AppliedAnswer)
    def post_version(name: str) -> Response:
        ChangeQuery.model_validate(request.args.to_dict())
        order = VersionOrder.model_validate_json(_json())
        if order.stage not in {Stage.PENDING, Stage.CURRENT}:
            abort(HTTPStatus.BAD_REQUEST, f"stage: a new version is pending or current, not {order.stage}")
        entry = order.model_dump(include={"chain", "key"}, exclude_none=True)
        return _changed(add_version(configuration, name, entry, stage=order.stage))

    @api.post("/config/certificates/<name>/current")
    @operation(
        "Put a version in use: the pending one, or an earlier one", body=CurrentOrder, query=ChangeQuery, answer=AppliedAnswer
    )
    def post_current(name: str) -> Response:
        ChangeQuery.model_validate(request.args.to_dict())
        order = CurrentOrder.model_validate_json(_json())
        return _changed(make_current(configuration, name, order.sha256))

    return api


def _listed(configuration: Configuration, snapshot: Snapshot) -> list[dict[str, object]]:
    kinds = configuration.kinds
    return [
        {
            "name": name,
            "description": certificate.description,
            "versions": [version_words(each) for each in certificate.versions],
            "used_by": [
                {"document": user.place, "field": reference.field}
                for user, reference in snapshot.users_of(kinds, CERTIFICATES.name, name)
            ],
        }
        for name, certificate in sorted(snapshot.of(CERTIFICATES).items())
    ]


def _expiring_json(watched: Watched, now: datetime) -> dict[str, object]:
    return {
        "place": watched.place,
        "subject": watched.certificate.subject.rfc4514_string(),
        "issuer": watched.certificate.issuer.rfc4514_string(),
        "sha256": watched.sha256,
        "not_after": watched.not_after.isoformat(),
        "days_left": round(watched.days_left(now), 1),
        "renews_itself": watched.renews_itself,
    }


def _changed(applied: Applied) -> Response:
    answer = jsonify(applied_json(applied))
    answer.headers["ETag"] = applied.version.etag
    return answer


def _json() -> bytes:
    if request.mimetype != "application/json":
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
    return request.get_data(cache=False)
