"""How documents change: all or nothing, judged with everything else, each version kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.configuration.changes import (
    Action,
    Change,
    DocumentInUse,
    NoSuchDocument,
    Precondition,
    PreconditionFailed,
)
from gateway.configuration.model import Kinds, UnknownKind
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.versions import Origin
from tests.support.configured import PLANS, SHOPS, Plan

if TYPE_CHECKING:
    from gateway.configuration.model import Body
    from gateway.configuration.service import Configuration


def plan(name: str = "gold", rate: object = 10, **more: Precondition) -> Change:
    return Change(kind="plans", name=name, body={"rate": rate}, **more)


def shop(name: str = "corner", **body: object) -> Change:
    return Change(kind="shops", name=name, body={"address": f"/{name}"} | body)


def gone(kind: str, name: str) -> Change:
    return Change(kind=kind, name=name, body=None)


def faults_of(configuration: Configuration, *changes: Change) -> list[tuple[str | None, str]]:
    with pytest.raises(SetRefused) as refused:
        configuration.apply(changes)
    return [(fault.document, fault.field) for fault in refused.value.faults]


def bodies(configuration: Configuration) -> dict[str, Body]:
    return {each.document.place: each.document.body for each in configuration.snapshot()}


def test_a_document_is_made_replaced_and_deleted_and_each_version_is_kept(configuration: Configuration) -> None:
    """A deletion is a version too; a name that is used again goes on counting."""
    changes = [plan(rate=10), plan(rate=20), gone("plans", "gold"), plan(rate=20)]
    actions = [applied.action for change in changes for applied in configuration.apply([change])]

    assert actions == [Action.CREATED, Action.REPLACED, Action.DELETED, Action.CREATED]
    assert [version.number for version in configuration.history("plans", "gold")] == [4, 3, 2, 1]
    assert configuration.snapshot().of(PLANS) == {"gold": Plan("gold", 20)}
    assert configuration.version("plans", "gold", 1).document.body == {"rate": 10}


def test_what_changes_nothing_makes_no_version(configuration: Configuration) -> None:
    """However its members are ordered."""
    configuration.apply([shop(sans=["a"], plan="free")])
    (again,) = configuration.apply(
        [Change(kind="shops", name="corner", body={"plan": "free", "sans": ["a"], "address": "/corner"})]
    )

    assert (again.action, again.version.number, again.difference) == (Action.UNCHANGED, 1, [])


def test_all_faults_of_all_documents_are_told_at_once_by_their_fields(configuration: Configuration) -> None:
    """So that nobody has to find them one by one."""
    assert faults_of(
        configuration,
        plan(rate=0),
        shop(sans=["ok", "far too long a name"], surprise=1),
        shop("b", address="b"),
        plan("c", "10"),
    ) == [
        ("plans/gold", "rate"),
        ("shops/corner", "sans[1]"),
        ("shops/corner", "surprise"),
        ("shops/b", "address"),
        ("plans/c", "rate"),
    ]


def test_a_set_with_one_bad_document_changes_nothing(configuration: Configuration) -> None:
    """Nor does it leave a version behind."""
    configuration.apply([plan(rate=10)])

    assert faults_of(configuration, plan(rate=20), shop(), plan("silver", 0)) == [("plans/silver", "rate")]
    assert bodies(configuration) == {"plans/gold": {"rate": 10}}
    assert len(configuration.history("plans", "gold")) == 1


def test_a_reference_that_leads_nowhere_is_refused(configuration: Configuration) -> None:
    """One to what comes in the same set, or is built in, is fine."""
    assert faults_of(configuration, shop(plan="gold")) == [("shops/corner", "plan")]
    configuration.apply([shop(plan="gold"), plan(), shop("other", plan="free")])
    assert set(configuration.snapshot().of(SHOPS)) == {"corner", "other"}


def test_a_document_in_use_is_not_deleted_and_its_users_are_named(configuration: Configuration) -> None:
    """Together with its users it may go."""
    configuration.apply([plan(), shop(plan="gold")])

    with pytest.raises(DocumentInUse, match=r"plans/gold is used by shops/corner \(plan\)"):
        configuration.apply([gone("plans", "gold")])
    assert "plans/gold" in bodies(configuration)

    configuration.apply([gone("plans", "gold"), gone("shops", "corner")])
    assert bodies(configuration) == {}


def test_documents_that_contradict_each_other_are_refused(configuration: Configuration) -> None:
    """Though each is right by itself."""
    configuration.apply([shop("a", address="/x")])

    assert faults_of(configuration, shop("b", address="/x")) == [("shops/b", "address")]


def test_of_two_writers_that_saw_the_same_version_one_wins(configuration: Configuration) -> None:
    """The other is told what stands now."""
    (made,) = configuration.apply([plan(precondition=Precondition(absent=True))])
    seen = Precondition(etags=frozenset({made.version.etag}))
    (second,) = configuration.apply([plan(rate=20, precondition=seen)])

    with pytest.raises(PreconditionFailed) as failed:
        configuration.apply([plan(rate=30, precondition=seen)])
    assert failed.value.etag == second.version.etag
    with pytest.raises(PreconditionFailed):
        configuration.apply([plan(precondition=Precondition(absent=True))])
    assert bodies(configuration) == {"plans/gold": {"rate": 20}}


def test_an_entity_tag_never_comes_back(configuration: Configuration) -> None:
    """Of a document that was deleted and made again the old one is void, though it says the same."""
    (first,) = configuration.apply([plan()])
    configuration.apply([gone("plans", "gold")])
    (again,) = configuration.apply([plan()])

    assert first.version.etag != again.version.etag


def test_a_dry_run_answers_as_the_real_one_and_changes_nothing(configuration: Configuration) -> None:
    """Refusals included."""
    configuration.apply([plan()])
    changes = [plan(rate=20), shop(plan="gold")]

    tried = configuration.apply(changes, dry_run=True)
    assert bodies(configuration) == {"plans/gold": {"rate": 10}}
    with pytest.raises(SetRefused):
        configuration.apply([plan(rate=0)], dry_run=True)

    assert configuration.apply(changes) == tried


def test_an_earlier_version_comes_back_as_the_newest(configuration: Configuration) -> None:
    """Judged like any other change; a version that was never there can't."""
    configuration.apply([plan(rate=10)])
    configuration.apply([plan(rate=20)])

    back = configuration.roll_back("plans", "gold", to=1)

    assert (back.version.number, back.difference) == (3, [{"field": "rate", "before": 20, "after": 10}])
    with pytest.raises(NoSuchDocument):
        configuration.roll_back("plans", "gold", to=9)


def test_what_is_not_there_is_told(configuration: Configuration) -> None:
    """Kinds, documents, versions."""
    with pytest.raises(UnknownKind, match="known are plans, shops"):
        configuration.standing("plan")
    with pytest.raises(NoSuchDocument):
        configuration.apply([gone("plans", "gold")])
    assert faults_of(configuration, Change(kind="plan", name="gold", body={})) == [("plan/gold", "kind")]


@pytest.mark.parametrize("name", ["", "Gold", "a/b", "-a", "a-", "x" * 101, "a b", "ä"])
def test_a_name_is_one_that_fits_a_path(configuration: Configuration, name: str) -> None:
    """Lower-case letters, digits, and three marks inside."""
    assert faults_of(configuration, plan(name)) == [(f"plans/{name}", "name")]


def test_a_body_has_bounds(configuration: Configuration) -> None:
    """In its depth, its size, and to what JSON can say."""
    deep: object = 1
    for _ in range(40):
        deep = [deep]

    endless: object = 1
    for _ in range(5_000):
        endless = [endless]

    assert faults_of(configuration, shop(sans=endless)) == [("shops/corner", "document")]
    assert faults_of(configuration, shop(sans=deep)) == [("shops/corner", "document")]
    assert faults_of(configuration, shop(address="/" + "x" * 1024 * 1024)) == [("shops/corner", "document")]
    assert faults_of(configuration, shop(address=b"/x")) == [("shops/corner", "document")]
    assert faults_of(configuration, plan(), plan()) == [("plans/gold", "name")]


def test_what_somebody_broke_in_the_database_is_named_and_can_be_replaced(configuration: Configuration) -> None:
    """Nothing else is taken until it is."""
    (made,) = configuration.apply([plan()])
    with configuration._store.changing(dry_run=False) as unit:
        unit.write(
            [type(made.version)(kind="plans", name="bad", number=1, text="{", origin=Origin.OPERATOR, actor="x", at=0.0)]
        )

    assert faults_of(configuration, plan("silver")) == [("plans/bad", "document")]
    configuration.apply([plan("bad", 5), plan("silver")])
    assert set(configuration.snapshot().of(PLANS)) == {"gold", "bad", "silver"}


def test_what_a_newer_gateway_left_behind_can_be_deleted(configuration: Configuration) -> None:
    """Its kind is not known here, nor what in it is secret: of that nothing is told."""
    (made,) = configuration.apply([plan()])
    left = replace(made.version, kind="novelties", name="a", number=1, text='{"secret": "sesame"}')
    with configuration._store.changing(dry_run=False) as unit:
        unit.write([left])

    assert faults_of(configuration, plan("silver")) == [("novelties/a", "kind")]
    (deleted,) = configuration.apply([gone("novelties", "a")])
    assert (deleted.action, deleted.difference) == (Action.DELETED, [])
    assert bodies(configuration) == {"plans/gold": {"rate": 10}}


def test_there_is_an_end_to_documents(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands may be changed and deleted all the same."""
    monkeypatch.setattr("gateway.configuration.application.MOST_DOCUMENTS", 2)
    configuration.apply([plan("a"), plan("b")])

    assert faults_of(configuration, plan("c")) == [("plans/c", "name")]
    configuration.apply([plan("a", 20), gone("plans", "b"), plan("c")])


def test_two_kinds_of_one_name_are_a_mistake() -> None:
    """One would hide the other."""
    with pytest.raises(ValueError, match="same name"):
        Kinds((PLANS, PLANS))


def test_versions_are_found_in_the_history_by_their_keys(configuration: Configuration) -> None:
    """As many as there are: not those that were never written, nor deletions."""
    configuration.apply([plan(f"p{number}") for number in range(205)])
    configuration.apply([plan("p0", 20), gone("plans", "p1")])
    keys = [*(("plans", f"p{number}", 1) for number in range(205)), ("plans", "p1", 2), ("plans", "p0", 3)]

    found = configuration._store.versions(keys)  # type: ignore[attr-defined]
    assert sorted((each.kind, each.name, each.number) for each in found) == sorted(keys[:205])
    assert next(each for each in found if each.name == "p0").document.body == {"rate": 10}
