"""The edge on a real gunicorn: what passes, and what the internal server then sees."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.support.edge import EdgeUnderTest, running_edge

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH_VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@BOTH_VERSIONS
def test_a_request_with_certificate_and_token_reaches_the_bank(edge: EdgeUnderTest, version: ssl.TLSVersion) -> None:
    """The whole way, on both TLS versions."""
    answer = edge.get(
        "/v1/accounts?withBalance=true", certificate=edge.qwac, token=edge.register.token(edge.qwac), version=version
    )
    assert answer.status == 200
    assert answer.json["line"] == "GET /v1/accounts?withBalance=true HTTP/1.1"
