"""Runs checks until nothing that they need is missing: what has to be looked up is, off the event loop, and they run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from gateway.admission.memory import NotLoaded
from gateway.admission.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

# Trust, TPP, token, client: what one request may miss, and as much again for what changed in between.
MOST_LOOK_UPS: Final = 8
_Found = TypeVar("_Found")


async def looked_up(checks: Callable[[], _Found]) -> _Found:
    """Return what `checks` returns; raises `Refusal`."""
    for _ in range(MOST_LOOK_UPS):
        try:
            return checks()
        except NotLoaded as missing:
            await load(missing)
    raise Refusal("gateway.unsure", "what the checks need changes faster than it can be looked up")


async def load(missing: NotLoaded) -> None:
    """Look up what is missing; raises the refusal of a gateway that can't."""
    try:
        await missing.load()
    except Exception as error:
        raise Refusal("gateway.unsure", f"a look-up failed: {error}", headers=((b"retry-after", b"1"),)) from error
