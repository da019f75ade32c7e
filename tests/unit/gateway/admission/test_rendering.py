"""Refusals as they look: three formats, and what each may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.admission.grounds import GROUNDS, as_markdown
from gateway.admission.refusal import Refusal
from gateway.admission.rendering import render, style_of
from gateway.policies.model import ErrorStyle
from gateway.trust.verdict import Distrust


def body(refusal: Refusal, style: ErrorStyle, *, sandbox_mode: bool = True) -> dict[str, object]:
    document: dict[str, object] = json.loads(render(refusal, style, sandbox_mode=sandbox_mode).body)
    return document


def test_a_bank_in_production_tells_no_more_than_the_standard_asks() -> None:
    """Reason, hint and clause are for the sandbox."""
    assert body(Refusal("mtls.expired"), ErrorStyle.XS2A, sandbox_mode=False) == {
        "tppMessages": [{"category": "ERROR", "code": "CERTIFICATE_EXPIRED", "text": "The client certificate has expired."}]
    }
    assert body(Refusal("mtls.expired"), ErrorStyle.OAUTH, sandbox_mode=False) == {
        "error": "invalid_client",
        "error_description": "The client certificate has expired.",
    }


@pytest.mark.parametrize("style", list(ErrorStyle))
def test_the_sandbox_says_why_and_what_helps(style: ErrorStyle) -> None:
    """In each format, in the same place."""
    document = body(Refusal("mtls.expired"), style)
    assert document["reason"] == "mtls.expired"
    assert "renew" in str(document["hint"])
    assert "RFC 5280" in str(document["clause"])


@pytest.mark.parametrize("reason", GROUNDS)
@pytest.mark.parametrize("style", list(ErrorStyle))
def test_every_ground_can_be_rendered_and_says_something_useful(reason: str, style: ErrorStyle) -> None:
    """With a hint that is a sentence, a clause, and a length that is right."""
    answer = render(Refusal(reason), style, sandbox_mode=True)
    headers = dict(answer.headers)
    document = json.loads(answer.body)
    assert int(headers[b"content-length"]) == len(answer.body)
    assert answer.status == GROUNDS[reason].status
    assert len(document["hint"]) > 30
    assert document["hint"].endswith((".", "URL", "key"))
    assert document["clause"]


def test_the_private_detail_is_in_no_format() -> None:
    """It is for the log."""
    for style in ErrorStyle:
        assert "secret-detail" not in str(body(Refusal("token.unknown", "secret-detail"), style))


def test_every_distrust_has_its_ground() -> None:
    """A judgement that could not be rendered would be a 500."""
    assert {distrust.value for distrust in Distrust} <= GROUNDS.keys()


def test_a_path_without_a_route_is_refused_in_the_format_of_its_neighbours() -> None:
    """A TPP's library reads what it knows."""
    assert style_of("/v1/nothing") is ErrorStyle.XS2A
    assert style_of("/v2/nothing") is ErrorStyle.XS2A
    assert style_of("/token") is ErrorStyle.OAUTH
    assert style_of("/elsewhere") is ErrorStyle.PROBLEM


def test_the_page_of_refusals_is_up_to_date() -> None:
    """Made again, it is the same."""
    page = Path(__file__).parents[4] / "docs" / "refusals.md"
    assert page.read_text("utf-8") == as_markdown(), "run: python -m gateway.admission.grounds > docs/refusals.md"
