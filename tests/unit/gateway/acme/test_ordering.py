"""What is told of an order that failed: the CA's own words, or what was wrong on the way."""

from __future__ import annotations

import pytest
import requests
from acme import errors, messages
from urllib3.exceptions import MaxRetryError, NewConnectionError

from gateway.acme.network import DirectoryRefused
from gateway.acme.ordering import _words

URN = "urn:ietf:params:acme:error:"
REJECTED = messages.Error.from_json(
    {
        "type": f"{URN}rejectedIdentifier",
        "detail": "Error creating\nnew order",
        "subproblems": [{"type": f"{URN}caa", "detail": "CAA forbids shop.example"}],
    }
)
ODD = messages.Error.from_json({"type": "https://acme.example/errors/odd"})
UNREACHABLE = requests.ConnectionError(
    MaxRetryError(None, "/dir", NewConnectionError(None, "Connection refused"))  # type: ignore[arg-type]
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REJECTED, "the CA refused: Error creating new order (rejectedIdentifier); CAA forbids shop.example (caa)"),
        (ODD, "the CA refused: (https://acme.example/errors/odd)"),
        (UNREACHABLE, "the CA can't be reached: None: Connection refused"),
        (DirectoryRefused("the CA names http://10.0.0.1/"), "the CA names http://10.0.0.1/"),
        (errors.TimeoutError(), "the CA has not come to an end in time"),
        (KeyError(), "KeyError"),
    ],
)
def test_a_failure_is_put_into_words(error: Exception, words: str) -> None:
    assert _words(error) == words
