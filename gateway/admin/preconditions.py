"""Reads what a change expects to stand (RFC 9110 §13.1): `If-Match` to replace or delete, `If-None-Match: *` to create.

A change without either is refused with 428 (RFC 6585 §3): nobody overwrites what they have not seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import BadRequest, PreconditionRequired

from gateway.configuration.changes import WHATEVER_STANDS, Precondition

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

_MOST_TAGS: Final = 20
_TAG: Final = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e]*"|\*)\s*')


def precondition_of(headers: Headers, *, may_create: bool) -> Precondition:
    """Return what the change expects; raises 428 where it says nothing, 400 where that can't be read."""
    stated = stated_precondition(headers, may_create=may_create)
    if stated is WHATEVER_STANDS:
        raise PreconditionRequired(_needed(may_create=may_create))
    return stated


def stated_precondition(headers: Headers, *, may_create: bool) -> Precondition:
    """Return what the change expects, `WHATEVER_STANDS` where it says nothing; raises 400 where that can't be read.

    For what has one owner who tells all of it (the portal: TPPs, clients): its repetition must not fail.
    """
    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if match is None and none_match is None:
        return WHATEVER_STANDS
    if match is not None and none_match is not None:
        raise BadRequest("send If-Match to change what is there, or If-None-Match: * to create: one of them")
    if match is not None:
        return Precondition(etags=read_tags(match))
    if none_match != "*" or not may_create:
        raise BadRequest(_needed(may_create=may_create))
    return Precondition(absent=True)


def read_tags(text: str) -> frozenset[str]:
    """Return the entity tags of `If-Match`; a weak one never equals ours (RFC 9110 §8.8.3.2); raises 400."""
    tags = [_TAG.fullmatch(part) for part in text.split(",")[:_MOST_TAGS]]
    if not all(tags):
        raise BadRequest("If-Match: send the entity tag as the ETag header gave it, in its quotes")
    return frozenset(tag[1] for tag in tags if tag is not None)


def _needed(*, may_create: bool) -> str:
    create = ", or If-None-Match: * to create it" if may_create else ""
    return f"send If-Match with the ETag of the version that you have seen{create}"
