"""Applications are built anew for each test; a page's template, which its text decides, is compiled once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from jinja2 import BytecodeCache

if TYPE_CHECKING:
    from types import CodeType

    from jinja2.bccache import Bucket


class CodeInMemory(BytecodeCache):
    """Keeps the code of each template and text for as long as the process lives."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


def remember_templates() -> None:
    """Have every Flask application of this process share what was compiled."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CodeInMemory()}
