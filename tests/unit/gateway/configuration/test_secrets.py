"""Secrets in documents: seen by nobody again, kept by whoever edits around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from gateway.configuration.changes import Change
from gateway.configuration.secrets import redacted
from gateway.configuration.snapshot import SetRefused
from gateway.tables.configuration import admin_audit, changes
from tests.support.configured import SHOPS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.configuration.service import Configuration

BODY = {
    "address": "/a",
    "secret": "open sesame",
    "keys": [{"name": "one", "value": "s3cret-1"}, {"name": "two", "value": "s3cret-2"}],
}


def put(configuration: Configuration, body: dict[str, Any]) -> list[dict[str, Any]]:
    (applied,) = configuration.apply([Change(kind="shops", name="a", body=body)])
    return [dict(entry) for entry in applied.difference]


def shown(configuration: Configuration) -> dict[str, Any]:
    version = configuration.version("shops", "a")
    return redacted(version.document.body, SHOPS.secrets, version=version.number)


def test_a_document_shows_where_its_secrets_stand_and_no_more(configuration: Configuration) -> None:
    """Everything else is shown."""
    put(configuration, BODY)

    assert shown(configuration) == {
        "address": "/a",
        "secret": "(secret of version 1: secret)",
        "keys": [
            {"name": "one", "value": "(secret of version 1: keys[0].value)"},
            {"name": "two", "value": "(secret of version 1: keys[1].value)"},
        ],
    }


def test_an_edited_document_keeps_its_secrets_wherever_they_move(configuration: Configuration) -> None:
    """What was shown may be sent back, rearranged."""
    put(configuration, BODY)
    edited = shown(configuration)
    edited["address"] = "/b"
    edited["keys"] = [edited["keys"][1]]
    put(configuration, edited)

    expected = {"address": "/b", "secret": "open sesame", "keys": [{"name": "two", "value": "s3cret-2"}]}
    assert configuration.version("shops", "a").document.body == expected


def test_a_note_of_a_secret_that_was_never_there_is_refused(configuration: Configuration) -> None:
    """It would become the secret otherwise."""
    put(configuration, BODY)
    for note in ("(secret of version 1: address)", "(secret of version 9: secret)", "(secret of version 1: keys[7].value)"):
        with pytest.raises(SetRefused) as refused:
            put(configuration, BODY | {"secret": note})
        assert [fault.field for fault in refused.value.faults] == ["secret"]


def test_a_changed_secret_is_told_without_its_value(configuration: Configuration) -> None:
    """A new element is told without it too."""
    put(configuration, BODY)
    changed = BODY | {"secret": "other", "keys": [*BODY["keys"], {"name": "three", "value": "s3cret-3"}]}

    assert put(configuration, changed) == [
        {"field": "keys[2]", "after": {"name": "three", "value": "(secret)"}},
        {"field": "secret", "before": "(secret)", "after": "(secret)"},
    ]


def test_no_secret_reaches_the_audit_or_the_change_feed(configuration: Configuration, engine: Engine) -> None:
    """Not when it is made, not when it is changed, not when it goes."""
    put(configuration, BODY)
    put(configuration, BODY | {"secret": "other sesame"})
    configuration.apply([Change(kind="shops", name="a", body=None)])

    with engine.connect() as connection:
        written = repr([tuple(row) for table in (admin_audit, changes) for row in connection.execute(select(table))])
    assert written.count("(secret)") >= 4
    assert "sesame" not in written
    assert "s3cret" not in written
