"""The signature base of an answer (RFC 9421 §2.5): made by the edge, ended by the authorization server, which names its key.

That signs nothing else for the edge, and what it signs otherwise never begins with a quotation mark, a JWS least of all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.message_signatures.fields import RESPONSE_TAG, components_of, read_dictionary

if TYPE_CHECKING:
    from collections.abc import Sequence

_PRINTABLE: Final = re.compile(r"[\t -~]*")
_STATUS: Final = '"@status": '
_MOST_BASE_CHARACTERS: Final = 48 * 1024


class NoResponseBase(ValueError):
    """Something that is no signature base of an answer; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseBase:
    """`lines` of the covered components, and `parameters`: the list of them, with all that is said but the key."""

    lines: tuple[str, ...]
    parameters: str

    @staticmethod
    def read(lines: Sequence[object], parameters: object) -> ResponseBase:
        """Return a base that somebody else has made; raises `NoResponseBase`."""
        texts = [line for line in (*lines, parameters) if isinstance(line, str) and _PRINTABLE.fullmatch(line)]
        if len(texts) != len(lines) + 1 or sum(map(len, texts)) > _MOST_BASE_CHARACTERS:
            raise NoResponseBase("lines of printable characters are wanted, not too many")
        *read, listed = texts
        try:
            (member,) = read_dictionary("parameters", f"sig={listed}").values()
            components = components_of("sig", member)
        except ValueError as error:
            raise NoResponseBase(f"the parameters can't be read: {error}") from error
        if member[1].get("tag") != RESPONSE_TAG or "keyid" in member[1]:
            raise NoResponseBase(f"the tag is not {RESPONSE_TAG}, or there is a keyid, which is the signer's to say")
        named = [f"{component}: " for component in components]
        if len(named) != len(read) or not all(map(str.startswith, read, named)) or _STATUS not in named:
            raise NoResponseBase("the lines are not those of the components, with the status among them")
        return ResponseBase(lines=tuple(read), parameters=listed)

    def signed_parameters(self, keyid: str) -> str:
        """Return the parameters with the key that signs."""
        return f'{self.parameters};keyid="{keyid}"'

    def text(self, keyid: str) -> str:
        """Return what is signed."""
        return "\n".join([*self.lines, f'"@signature-params": {self.signed_parameters(keyid)}'])
