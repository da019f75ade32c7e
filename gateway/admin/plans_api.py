"""Resources beside the documents of plans: subscribers' tokens, which are shown once, and addresses that are blocked."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin.operations import operation
from gateway.limits.addresses import counted_address
from gateway.plans.issuing import issue_token, remove_token

if TYPE_CHECKING:
    from gateway.configuration.service import Configuration
    from gateway.limits.blocks import Blocks


class TokenOrder(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="to speak of it")]
    not_before: Annotated[str | None, Field(description="counts from then on, like 2027-01-31T00:00:00Z")] = None
    expires: Annotated[str | None, Field(description="counts until then")] = None


class TokenAnswer(TokenOrder):
    """The token as it was made; `version` is the subscriber's now."""

    subscriber: str
    token: Annotated[str, Field(description="stored nowhere: keep it")]
    version: int


class BlockedAddress(BaseModel):
    """An IPv4 address, or the /64 of an IPv6 address."""

    address: str
    until: str


class AddressQuery(BaseModel):
    """Which address; of IPv6, any of the /64, or the /64 itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, Field(max_length=50)]


class BlockedAnswer(BaseModel):
    """Who is blocked."""

    blocked: list[BlockedAddress]


def subscriber_tokens_blueprint(configuration: Configuration) -> Blueprint:
    """Return the resources of subscribers' tokens."""
    api = Blueprint("subscriber-tokens", __name__)

    @api.post("/config/subscribers/<name>/tokens")
    @operation(
        "Make a token for a subscriber: it is shown in this answer only",
        body=TokenOrder,
        answer=TokenAnswer,
        statuses=(HTTPStatus.CREATED,),
    )
    def post_token(name: str) -> Response:
        if request.mimetype != "application/json":
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
        order = TokenOrder.model_validate_json(request.get_data(cache=False))
        issued = issue_token(configuration, name, order.model_dump(exclude_none=True))
        shown = {"subscriber": name, **order.model_dump(exclude_none=True), "token": issued.token}
        answer = jsonify(shown | {"version": issued.applied.version.number})
        answer.status_code = HTTPStatus.CREATED
        answer.headers.update({"ETag": issued.applied.version.etag, "Cache-Control": "no-store"})
        return answer

    @api.delete("/config/subscribers/<name>/tokens/<token_id>")
    @operation("Remove a subscriber's token", statuses=(HTTPStatus.NO_CONTENT,))
    def delete_token(name: str, token_id: str) -> tuple[str, int]:
        remove_token(configuration, name, token_id)
        return "", HTTPStatus.NO_CONTENT

    return api


def blocked_addresses_blueprint(blocks: Blocks) -> Blueprint:
    """Return the resources of addresses that have failed to authenticate too often."""
    api = Blueprint("blocked-addresses", __name__)

    @api.get("/blocked-addresses")
    @operation("List addresses that are blocked for failed authentication", answer=BlockedAnswer)
    def get_blocked() -> Response:
        told = [{"address": address, "until": _moment(until)} for address, until in sorted(blocks.standing().items())]
        return jsonify({"blocked": told})

    @api.delete("/blocked-addresses")
    @operation("Let an address in again", query=AddressQuery, statuses=(HTTPStatus.NO_CONTENT,))
    def delete_blocked() -> tuple[str, int]:
        query = AddressQuery.model_validate(request.args.to_dict())
        blocks.lift(counted_address(query.address.removesuffix("/64")))
        return "", HTTPStatus.NO_CONTENT

    return api


def _moment(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat()
