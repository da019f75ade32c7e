"""The authorization server's signing keys: their list, and a change of keys by hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin.operations import operation
from gateway.oauth.jose.administration import KeyState
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.oauth.jose.administration import KeyAdministration, KnownKey


class RotationOrder(BaseModel):
    """A change of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alg: Annotated[SigningAlg, Field(description="PS256, ES256 or EdDSA")]
    withdraw: Annotated[bool, Field(description="take the present key out of the JWKS at once: others may have it")] = False


class RotationAnswer(BaseModel):
    """Who signs now, and whose key is believed no more."""

    signs: str
    withdrawn: str | None


class TellableKey(BaseModel):
    """A key, without its private part."""

    kid: str
    alg: SigningAlg
    state: KeyState
    published_at: str
    signs_from: str | None


class KeysAnswer(BaseModel):
    """The keys."""

    keys: list[TellableKey]


def signing_keys_blueprint(keys: KeyAdministration) -> Blueprint:
    """Return the resources of signing keys."""
    api = Blueprint("signing-keys", __name__)

    @api.get("/signing-keys")
    @operation("List the keys that the authorization server signs with", answer=KeysAnswer)
    def get_keys() -> Response:
        return jsonify({"keys": [_told(known).model_dump(mode="json") for known in keys.known()]})

    @api.post("/signing-keys/rotations")
    @operation("Let the next key sign from now on", body=RotationOrder, answer=RotationAnswer, statuses=(HTTPStatus.CREATED,))
    def post_rotation() -> tuple[Response, int]:
        if request.mimetype != "application/json":
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
        order = RotationOrder.model_validate_json(request.get_data(cache=False))
        done = keys.rotate(order.alg, withdraw=order.withdraw)
        return jsonify({"signs": done.begins, "withdrawn": done.withdrawn}), HTTPStatus.CREATED

    return api


def _told(known: KnownKey) -> TellableKey:
    key = known.key
    return TellableKey(
        kid=key.kid,
        alg=key.alg,
        state=known.state,
        published_at=_moment(key.published_at) or "",
        signs_from=_moment(key.signs_from),
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
