"""What an end by refusal means to the TPP: told beside the bank's own words, which a real bank keeps short."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tpp_client.errors import AuthorizationRefused, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tpp_client.journeys.stage import Stage

_MEANING: Final = {
    # CIBA Core §11, RFC 6749 §4.1.2.1
    "access_denied": "the PSU has said no, and nothing was granted: ask again only if it wants to be asked",
    "expired_token": "nobody has decided in time, and nothing was granted: begin anew when the PSU is there",
    # Grant Management §5.4, §6.6
    "invalid_grant_id": "there is no such grant to this client, by this PSU, that is in force: it was given back, has run out, "
    "or is another's; nothing has changed, and `tpp grant create` begins a new one",
}


@contextmanager
def explained(stage: Stage) -> Iterator[None]:
    """Tell what a refusal means that ends the block, where its code says it; the refusal goes on."""
    try:
        yield
    except (Refused, AuthorizationRefused) as error:
        meaning = _MEANING.get(error.refusal.code if isinstance(error, Refused) else error.error)
        if meaning is not None:
            stage.narrator.fact("the end", meaning)
        raise
