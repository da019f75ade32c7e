"""From what waits for a PSU's yes to a token: by way of a browser, or asked in the PSU's bank app (CIBA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tpp_client.journeys.asking import asked_in_app
from tpp_client.journeys.leading import confirm_by_token
from tpp_client.journeys.stage import authorise
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from tpp_client.discovery import ServerMetadata
    from tpp_client.journeys.stage import Awaiting, Stage
    from tpp_client.tokens import Tokens


def authorised(stage: Stage, metadata: ServerMetadata, awaiting: Awaiting) -> Tokens:
    """Return the tokens that the PSU's yes leads to; raises `TppClientError`."""
    if stage.backchannel is not None:
        return asked_in_app(stage, metadata, awaiting)
    tokens = authorise(stage, metadata, awaiting.scope)
    if "confirmation" in awaiting.sca.links:  # the bank wants to know that its redirect has come back to us
        confirm_by_token(stage, awaiting.sca.links["confirmation"], Access(token=tokens.access_token))
    return tokens
