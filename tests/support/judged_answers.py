"""Puts two judges behind every bank of the process: the Berlin Group's YAMLs, and the bank's own OpenAPI document."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request, request_finished

from tests.support.berlin_group import Exchange, Judge
from tests.support.own_document import own_document

if TYPE_CHECKING:
    from collections.abc import Iterator

_JUDGED: Final = ("/v1/", "/v2/")
_LENT: Final[list[list[str]]] = []


@contextmanager
def judged_answers(judge: Judge | None) -> Iterator[list[str]]:
    """Judge every answer until the block ends, and gather what is wrong with them; a block within it judges alone.

    Without the specifications (`None`) only our own document judges.
    """
    wrong: list[str] = []

    def observe(sender: Flask, response: Response, **_: object) -> None:
        if _LENT[-1] is not wrong or sender.name != "bank_backend":
            return
        if judge is not None and request.path.startswith(_JUDGED):
            wrong.extend(map(str, judge.judge(_exchange(response))))
        wrong.extend(_departures(sender, response))

    _LENT.append(wrong)
    try:
        with request_finished.connected_to(observe):
            yield wrong
    finally:
        _LENT.pop()


def _departures(app: Flask, response: Response) -> Iterator[str]:
    if request.url_rule is not None:
        for fault in own_document(app).faults(request.method, request.url_rule, response):
            yield f"our own document: {request.method} {request.url_rule.rule} {response.status_code} {fault}"


def _exchange(response: Response) -> Exchange:
    return Exchange(
        method=request.method,
        path=request.path,
        status=response.status_code,
        asked={name.lower(): value for name, value in request.headers},
        headers={name.lower(): value for name, value in response.headers},
        body=response.get_data(),
    )
