"""A transcript of a run is judged like the answers in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from tests.support import berlin_group
from tests.support.berlin_group import Judge
from tests.support.judge_transcript import judged
from tpp_client.transcript import TranscribedTransport
from tpp_client.wire import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not berlin_group.are_present(), reason=berlin_group.ABSENT)
REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
STATUS = "https://localhost:8443/v1/consents/1234/status?code=secret"


class Bank:
    """Answers what it was told."""

    def __init__(self, body: object) -> None:
        self.body = body

    def send(self, request: HttpRequest) -> HttpResponse:
        headers = {"content-type": "application/json", "x-request-id": REQUEST_ID}
        return HttpResponse(request=request, status=200, headers=headers, body=orjson.dumps(self.body))


def transcript(folder: Path, body: object) -> Path:
    file = folder / "transcript.jsonl"
    request = HttpRequest(
        method="GET", url=STATUS, headers={"X-Request-ID": REQUEST_ID, "Authorization": "Bearer secret"}, body=b"secret"
    )
    TranscribedTransport(Bank(body), file).send(request)
    return file


def test_a_right_answer_passes(tmp_path: Path) -> None:
    assert list(judged(transcript(tmp_path, {"consentStatus": "valid"}), judge := Judge())) == []
    assert judge.seen == {("getConsentStatus", 200)}


def test_a_wrong_one_is_found(tmp_path: Path) -> None:
    (found,) = judged(transcript(tmp_path, {"consentStatus": "fine"}), Judge())
    assert found.startswith("getConsentStatus 200 $.consentStatus: 'fine' is none of")


def test_no_token_and_no_code_is_written_down(tmp_path: Path) -> None:
    assert "secret" not in transcript(tmp_path, {"consentStatus": "valid"}).read_text()
