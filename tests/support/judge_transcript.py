"""Judges what a run has written down: `python -m tests.support.judge_transcript FILE` after `behave -D transcript=FILE`.

Exit status 1 where an answer is not what the Berlin Group's YAMLs say, 3 where there was none to judge. Without the YAMLs
nothing is judged, and it says so.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import orjson

from tests.support import berlin_group
from tests.support.berlin_group import Exchange, Judge

if TYPE_CHECKING:
    from collections.abc import Iterator

_JUDGED = ("/v1/", "/v2/")
EXIT_FOUND, EXIT_NOTHING = 1, 3


def judged(file: Path, judge: Judge) -> Iterator[str]:
    """Return what is wrong with the answers of a transcript."""
    for line in file.read_bytes().splitlines():
        exchange = _exchange(orjson.loads(line))
        if exchange.path.startswith(_JUDGED):
            yield from map(str, judge.judge(exchange))


def _exchange(record: dict[str, Any]) -> Exchange:
    return Exchange(
        method=record["method"],
        path=unquote(urlsplit(record["url"]).path),
        status=record["status"],
        asked=record["asked"],
        headers=record["headers"],
        body=base64.b64decode(record["body"]),
    )


def main() -> int:
    """Judge the file that is named."""
    file, judge = Path(sys.argv[1]), Judge()
    if not berlin_group.are_present():
        sys.stderr.write(f"{berlin_group.ABSENT}\n")
        return 0
    wrong = list(dict.fromkeys(judged(file, judge)))
    operations = {operation for operation, _ in judge.seen}
    sys.stderr.write(f"{len(judge.seen)} kinds of answers of {len(operations)} operations judged, {len(wrong)} wrong\n")
    sys.stdout.writelines(f"{each}\n" for each in wrong)
    if not judge.seen:
        return EXIT_NOTHING
    return EXIT_FOUND if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
