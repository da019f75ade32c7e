"""The clients' keys as the edge asks for them: those of an address off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from chassis.logs import get_logger
from gateway.admission.refusal import Refusal
from gateway.oauth.jose.refusals import JwsRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.oauth.jose.client_keys import ClientKeys
    from gateway.oauth.jose.key_set import KeySet
    from gateway.register.model import Client

THREADS: Final = 8  # of which three wait for addresses (`client_key_wiring.key_bounds`)
_MOST_WAITING: Final = 200
_SECONDS: Final = 12.0  # longer than an address is asked for
_Found = TypeVar("_Found")


class KeysOfClients:
    """One worker's; apart from its look-ups, which a slow address of a client must not hold up."""

    def __init__(self, keys: ClientKeys) -> None:
        """Ask for none yet."""
        self._keys = keys
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="client-keys")
        self._waiting = 0

    async def of(self, client: Client) -> KeySet:
        """Return a client's keys; raises `Refusal`."""
        if client.jwks_uri is None:
            return _told(self._keys.of, client)
        return await self._asked(self._keys.of, client)

    async def newer(self, client: Client) -> KeySet | None:
        """Return keys that its address was just asked for, None where that can't be done now; raises `Refusal`."""
        return await self._asked(self._keys.newer, client)

    def stop(self) -> None:
        """Ask for nothing any longer."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, ask: Callable[[Client], _Found], client: Client) -> _Found:
        if self._waiting >= _MOST_WAITING:
            raise _unsure("too many signed requests wait for keys")
        self._waiting += 1
        try:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, _told, ask, client)
        except Refusal:
            raise
        except Exception as error:
            get_logger().error("client_keys.unreadable", client=client.client_id, error=str(error) or type(error).__name__)
            raise _unsure("the client's keys can't be read") from error
        finally:
            self._waiting -= 1


def _told(ask: Callable[[Client], _Found], client: Client) -> _Found:
    try:
        return ask(client)
    except JwsRefused as refused:
        text = f"The client's signature can't be verified: {refused.text}."
        raise Refusal("message_signature.keys", f"client {client.client_id}", public_text=text) from refused


def _unsure(detail: str) -> Refusal:
    return Refusal("gateway.unsure", detail, headers=((b"retry-after", b"1"),))
