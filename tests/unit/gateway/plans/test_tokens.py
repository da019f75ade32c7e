"""Five places for a subscriber's token: found there, and gone from what the server gets."""

from __future__ import annotations

import pytest

from gateway.plans.model import PlanRule, Subscription, TokenLocation
from gateway.plans.tokens import Bearing, TwoTokens, taken_out


def rule(location: TokenLocation, name: str = "") -> PlanRule:
    return PlanRule(subscription=Subscription.REQUIRED, location=location, name=name)


def bearing(
    path: str = "/a/T/b",
    query: bytes = b"",
    host: bytes = b"gw.example",
    authorization: bytes | None = None,
    lines: tuple[bytes, ...] = (b"accept: */*\r\n",),
) -> Bearing:
    return Bearing(path, query, host, authorization, list(lines))


KEY_LINE = b"x-api-key: T\r\n"
PLACES = [
    (rule(TokenLocation.HEADER, "x-api-key"), bearing(lines=(b"accept: */*\r\n", KEY_LINE)), bearing()),
    (rule(TokenLocation.QUERY, "key"), bearing(query=b"a=1&key=T&b=2"), bearing(query=b"a=1&b=2")),
    (rule(TokenLocation.QUERY, "key"), bearing(query=b"key=T"), bearing()),
    (rule(TokenLocation.PATH), bearing("/a/T/b"), bearing("/a/b")),
    (rule(TokenLocation.AUTH, "Token"), bearing(authorization=b"token T"), bearing()),
    (rule(TokenLocation.HOST, "api.example"), bearing(host=b"T.api.example:8443"), bearing(host=b"api.example:8443")),
]


@pytest.mark.parametrize(("asked", "with_token", "without"), PLACES)
def test_a_token_is_found_and_taken_out(asked: PlanRule, with_token: Bearing, without: Bearing) -> None:
    """A host name's case means nothing, so a token in it is of lower case."""
    there = taken_out(asked, "/a/{secret}/b", with_token)
    assert there.token is not None
    assert there.token.upper() == b"T"
    assert there.rest == without


@pytest.mark.parametrize(
    ("asked", "without"),
    [
        (rule(TokenLocation.HEADER, "x-api-key"), bearing(lines=(b"x-api-keys: T\r\n",))),
        (rule(TokenLocation.QUERY, "key"), bearing(query=b"keys=T&akey=T")),
        (rule(TokenLocation.AUTH, "Token"), bearing(authorization=b"Bearer T")),
        (rule(TokenLocation.HOST, "api.example"), bearing(host=b"T.other.example")),
        (rule(TokenLocation.HOST, "api.example"), bearing(host=b"api.example")),
    ],
)
def test_what_looks_alike_is_no_token(asked: PlanRule, without: Bearing) -> None:
    """And stays where it is."""
    assert taken_out(asked, "", without) == (None, without)


@pytest.mark.parametrize(
    ("asked", "twice"),
    [
        (rule(TokenLocation.HEADER, "x-api-key"), bearing(lines=(KEY_LINE, KEY_LINE))),
        (rule(TokenLocation.QUERY, "key"), bearing(query=b"key=T&key=U")),
    ],
)
def test_two_tokens_are_none(asked: PlanRule, twice: Bearing) -> None:
    """Which of them counts is not guessed at."""
    with pytest.raises(TwoTokens):
        taken_out(asked, "", twice)
