"""Puts the Berlin Group's judge behind every Flask application of the process: whoever answers under /v1 and /v2 is judged."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request, request_finished

from tests.support.berlin_group import Exchange, Judge

if TYPE_CHECKING:
    from collections.abc import Iterator

_JUDGED: Final = ("/v1/", "/v2/")
_LENT: Final[list[list[str]]] = []


@contextmanager
def judged_answers(judge: Judge) -> Iterator[list[str]]:
    """Judge every answer until the block ends, and gather what is wrong with them; a block within it judges alone."""
    wrong: list[str] = []

    def observe(sender: Flask, response: Response, **_: object) -> None:
        if _LENT[-1] is wrong and sender.name == "bank_backend" and request.path.startswith(_JUDGED):
            wrong.extend(map(str, judge.judge(_exchange(response))))

    _LENT.append(wrong)
    try:
        with request_finished.connected_to(observe):
            yield wrong
    finally:
        _LENT.pop()


def _exchange(response: Response) -> Exchange:
    return Exchange(
        method=request.method,
        path=request.path,
        status=response.status_code,
        asked={name.lower(): value for name, value in request.headers},
        headers={name.lower(): value for name, value in response.headers},
        body=response.get_data(),
    )
