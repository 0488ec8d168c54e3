"""A policy is drafted by one person and published by another; nothing that is refused leaves a trace."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from gates.models import PolicyVersion
from gates.services.policies import (
    DraftChanged,
    discard_draft,
    propose_draft,
    publish_draft,
    save_draft,
    send_back_draft,
    start_draft,
    text_digest,
)
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import give, person_with
from tests.factories.gates import publish, small_policy, small_text
from tests.factories.portfolio import UnitFactory, organisation

pytestmark = pytest.mark.django_db


def author() -> User:
    return person_with("portfolio_manager", organisation())


def board() -> User:
    return person_with("ai_governance_board", organisation())


def draft(by: User | None = None, label: str = "1.1.0") -> PolicyVersion:
    version = PolicyVersion.objects.filter(state="published").first() or small_policy()
    return start_draft(policy=version.policy, by=by or author(), label=label)


def tightened(version: PolicyVersion, by: User, value: str = "0.95") -> PolicyVersion:
    text = version.text.replace("high: 0.9, unit", f"high: {value}, unit")
    return save_draft(version=version, text=text, by=by, seen=text_digest(version))


def proposed(by: User) -> PolicyVersion:
    return propose_draft(version=tightened(draft(by), by), by=by)


def nothing_changed(version: PolicyVersion, call: Any, kind: type[Exception]) -> Exception:
    """The refused call left the row and the ledger as they were."""
    row = PolicyVersion.objects.filter(pk=version.pk).values().get()
    events = Event.objects.count()
    with pytest.raises(kind) as refused:
        call()
    assert PolicyVersion.objects.filter(pk=version.pk).values().get() == row
    assert Event.objects.count() == events
    return refused.value


# start


def test_a_draft_is_a_copy_under_a_higher_label() -> None:
    version = draft()
    assert version.state == "draft"
    assert version.text == small_text().replace("version: 1.0.0", "version: 1.1.0")
    assert version.base is not None
    assert version.base.label == "1.0.0"
    assert Event.objects.filter(action="policy.draft_started").count() == 1


@pytest.mark.parametrize("label", ["1.0.0", "0.9", "1", "", "next", "1.1.0-beta", "9" * 30, "1.1.1.1.1"])
def test_a_label_that_is_not_higher_or_no_version_is_refused(label: str) -> None:
    small_policy()
    with pytest.raises((Invalid, Conflict)):
        draft(label=label)
    assert PolicyVersion.objects.count() == 1


def test_ten_comes_after_nine() -> None:
    publish(small_text(version="1.9.0"))
    assert draft(label="1.10.0").label == "1.10.0"


def test_a_label_is_given_once() -> None:
    draft()
    with pytest.raises(Conflict, match=r"1\.1\.0"):
        draft()


@pytest.mark.parametrize("role", ["auditor", "technical_lead", "ai_governance_board", "system_admin"])
def test_others_draft_nothing(role: str) -> None:
    small_policy()
    with pytest.raises(PermissionDenied):
        draft(person_with(role, organisation()))


def test_who_may_draft_in_a_unit_alone_does_not_draft_for_the_organisation() -> None:
    small_policy()
    with pytest.raises(PermissionDenied):
        draft(person_with("portfolio_manager", UnitFactory.create()))


# save


def test_a_saved_draft_is_recorded_with_both_digests() -> None:
    by = author()
    version = draft(by)
    old = version.digest
    new = tightened(version, by)
    event = Event.objects.get(action="policy.draft_saved")
    assert old != new.digest
    assert old in event.body
    assert new.digest in event.body


def test_saving_the_same_text_changes_nothing() -> None:
    by = author()
    version = draft(by)
    events = Event.objects.count()
    save_draft(version=version, text=version.text.replace("\n", "\r\n"), by=by, seen=version.digest)
    assert Event.objects.count() == events


def test_two_who_edit_at_once_lose_nothing() -> None:
    ada, ben = author(), author()
    version = draft(ada)
    seen = text_digest(version)
    tightened(version, ada)
    mine = version.text.replace("high: 90}", "high: 80}")
    wrong = nothing_changed(version, lambda: save_draft(version=version, text=mine, by=ben, seen=seen), DraftChanged)
    assert str(ada) in str(wrong)


def test_a_comment_saved_meanwhile_counts_as_a_change() -> None:
    ada, ben = author(), author()
    version = draft(ada)
    seen = text_digest(version)
    save_draft(version=version, text="# why\n" + version.text, by=ada, seen=seen)
    with pytest.raises(DraftChanged):
        save_draft(version=version, text=version.text + "# because\n", by=ben, seen=seen)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("policy: small", "policy: other"),
        ("primary: true", "primary: false"),
        ("version: 1.1.0", "version: 1.0.0"),
        ("version: 1.1.0", "version: soon"),
        ("owner: technical_lead", "owner: nobody"),
        ("high: 0.9, unit", "high: 0.1, unit"),
        ("from: poc", "from: production"),
        ("gates:\n", "gates: &a\n"),
        ("title: Small policy", "title: Small policy\ntitle: Twice"),
        ("title: Small policy", "title: [unfinished"),
    ],
)
def test_a_text_that_is_no_sound_policy_is_not_saved(old: str, new: str) -> None:
    by = author()
    version = draft(by)
    assert old in version.text
    text = version.text.replace(old, new, 1)
    if new == "gates: &a\n":
        text += "waivers: *a\n"
    wrong = nothing_changed(
        version, lambda: save_draft(version=version, text=text, by=by, seen=version.digest), Invalid
    )
    assert "line" in str(wrong) or "version" in str(wrong)


def test_five_megabytes_are_refused_before_they_are_read() -> None:
    by = author()
    version = draft(by)
    text = version.text + "# x\n" * 1_300_000
    wrong = nothing_changed(
        version, lambda: save_draft(version=version, text=text, by=by, seen=version.digest), Invalid
    )
    assert "line" in str(wrong)
    assert "column" in str(wrong)


# propose, send back, discard


def test_editing_after_proposing_makes_it_a_draft_again() -> None:
    by = author()
    version = proposed(by)
    assert version.state == "proposed"
    again = (
        tightened(version, by, "0.96")
        if "0.96" in version.text
        else save_draft(version=version, text=version.text + "# more\n", by=by, seen=version.digest)
    )
    assert again.state == "draft"
    with pytest.raises(Conflict, match="not proposed"):
        publish_draft(version=version, by=board())


def test_a_draft_that_changes_nothing_is_not_proposed() -> None:
    by = author()
    version = draft(by)
    nothing_changed(version, lambda: propose_draft(version=version, by=by), Conflict)


def test_those_who_may_publish_are_told_and_the_author_is_not() -> None:
    by, other = author(), board()
    give(by, "ai_governance_board", organisation())
    proposed(by)
    assert set(Notice.objects.filter(kind="policy.draft_proposed").values_list("recipient", flat=True)) == {other.pk}


def test_it_goes_back_with_a_reason_and_its_author_is_told() -> None:
    by = author()
    version = proposed(by)
    other = board()
    nothing_changed(version, lambda: send_back_draft(version=version, by=other, reason=" "), Invalid)
    nothing_changed(version, lambda: send_back_draft(version=version, by=by, reason="No."), PermissionDenied)
    assert send_back_draft(version=version, by=other, reason="Too strict.").state == "draft"
    assert Notice.objects.get(kind="policy.draft_sent_back").recipient_id == by.pk
    nothing_changed(version, lambda: send_back_draft(version=version, by=other, reason="Again."), Conflict)


def test_a_discarded_draft_is_kept_and_its_label_is_free_again() -> None:
    by = author()
    version = draft(by)
    discard_draft(version=version, by=by)
    version.refresh_from_db()
    assert version.state == "discarded"
    assert draft(by).label == "1.1.0"
    other = board()
    for call in (
        lambda: save_draft(version=version, text=version.text, by=by, seen=version.digest),
        lambda: propose_draft(version=version, by=by),
        lambda: discard_draft(version=version, by=by),
        lambda: publish_draft(version=version, by=other),
    ):
        nothing_changed(version, call, Conflict)


# publish
