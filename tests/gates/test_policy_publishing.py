"""A draft published by another person, and what that does to reviews and to older versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.models import Delegation
from gates.assessment import assess
from gates.in_force import primary
from gates.models import Assessment, Policy, PolicyVersion
from gates.services.policies import (
    discard_draft,
    install_policies,
    propose_draft,
    publish_draft,
    rebase_draft,
    save_draft,
    start_draft,
    withdraw_policy,
)
from gates.services.policies.publishing import wake_for_all
from gates.tasks import assess_all
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.gates import publish, ready_case, small_policy, small_text
from tests.factories.portfolio import organisation
from tests.gates.test_policy_drafts import author, board, draft, nothing_changed, proposed, tightened

pytestmark = pytest.mark.django_db


def test_another_person_publishes_and_the_old_version_is_superseded() -> None:
    by, other = author(), board()
    version = publish_draft(version=proposed(by), by=other)
    assert (version.state, version.published_by, version.created_by) == ("published", other, by)
    assert version.base is not None
    version.base.refresh_from_db()
    assert version.base.state == "superseded"
    assert primary()[1].version == "1.1.0"
    assert Event.objects.filter(action="policy.published").exists()
    assert Notice.objects.filter(kind="policy.published", recipient=by).exists()


def test_the_author_never_publishes_whatever_roles_they_hold() -> None:
    by = author()
    give(by, "ai_governance_board", organisation())
    version = proposed(by)
    wrong = nothing_changed(version, lambda: publish_draft(version=version, by=by), PermissionDenied)
    assert "SOD-09" in str(wrong)


def test_whoever_wrote_a_line_of_it_is_an_author_too() -> None:
    by, second = author(), author()
    give(second, "ai_governance_board", organisation())
    version = propose_draft(version=tightened(draft(by), second), by=by)
    wrong = nothing_changed(version, lambda: publish_draft(version=version, by=second), PermissionDenied)
    assert "wrote" in str(wrong)


def test_the_database_itself_refuses_the_author() -> None:
    by = author()
    version = proposed(by)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.filter(pk=version.pk).update(published_by=by)


def test_standing_in_for_the_author_does_not_help() -> None:
    by, other = author(), board()
    give(by, "ai_governance_board", organisation())
    now = timezone.now()
    row = Delegation.objects.create(
        giver=by,
        stand_in=other,
        role="ai_governance_board",
        reason="Leave",
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=5),
        created_by=by,
    )
    version = proposed(by)
    wrong = nothing_changed(version, lambda: publish_draft(version=version, by=other), PermissionDenied)
    assert "stand in" in str(wrong)
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    assert publish_draft(version=version, by=other).state == "published"


def test_machines_tokens_and_strangers_publish_nothing() -> None:
    version = proposed(author())
    machine = ServiceAccountFactory.create()
    holder = board()
    holder.token_scopes = frozenset({"policy.publish"})
    for by in (machine, holder, PersonFactory.create(), person_with("auditor", organisation())):
        nothing_changed(version, lambda by=by: publish_draft(version=version, by=by), PermissionDenied)


def test_a_draft_of_an_older_version_would_undo_what_was_published_since() -> None:
    by, other = author(), board()
    first, second = draft(by, "1.1.0"), draft(by, "1.2.0")
    second = tightened(second, by)
    publish_draft(version=propose_draft(version=tightened(first, by, "0.96"), by=by), by=other)
    nothing_changed(second, lambda: propose_draft(version=second, by=by), Conflict)
    assert rebase_draft(version=second, by=by).base_id == first.pk
    assert publish_draft(version=propose_draft(version=second, by=by), by=other).state == "published"


def test_a_published_version_never_changes() -> None:
    by = author()
    version = publish_draft(version=proposed(by), by=board())
    nothing_changed(
        version, lambda: save_draft(version=version, text=small_text(), by=by, seen=version.digest), Conflict
    )
    nothing_changed(version, lambda: discard_draft(version=version, by=by), Conflict)


def test_publishing_judges_everything_again(django_capture_on_commit_callbacks: Any) -> None:
    case = ready_case(tier="minimal")
    by = author()
    version = draft(by)
    text = version.text.replace("params: {fields: [problem_statement]}", "params: {fields: [objective]}", 1)
    save_draft(version=version, text=text, by=by, seen=version.digest)
    propose_draft(version=version, by=by)
    assess()
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        publish_draft(version=version, by=board())
    assert wake_for_all in callbacks
    assert Assessment.objects.get(pk=case.use_case.pk).is_due
    assess_all()
    case.use_case.refresh_from_db()
    assert (case.use_case.gate_met, case.use_case.gate_required) == (1, 2)


# open reviews, removal


def test_an_open_review_stays_on_its_version_until_it_is_submitted_again() -> None:
    case = ready_case()
    review = case.submit()
    by = author()
    publish_draft(version=proposed(by), by=board())
    case.sign_all(review)
    review.refresh_from_db()
    assert review.policy_version.label == "1.0.0"
    case.decide(review, "return", reason="Once more.")
    assert case.submit().policy_version.label == "1.1.0"


def test_a_policy_with_open_reviews_is_not_removed() -> None:
    case = ready_case()
    review = case.submit()
    policy = review.policy_version.policy
    with pytest.raises(ProtectedError):
        review.policy_version.delete()
    with pytest.raises(ProtectedError):
        policy.delete()
    with pytest.raises(Conflict, match="decides the stages"):
        withdraw_policy(policy=policy, by=board(), reason="Gone.")
    Policy.objects.filter(pk=policy.pk).update(is_primary=False)
    with pytest.raises(Conflict, match=f"R-{review.number}"):
        withdraw_policy(policy=policy, by=board(), reason="Gone.")
    assert PolicyVersion.objects.get(pk=review.policy_version_id).state == "published"


def test_a_side_policy_is_withdrawn_and_nothing_of_it_is_deleted() -> None:
    small_policy()
    version = publish(small_text(key="aside", primary=False))
    with pytest.raises(PermissionDenied):
        withdraw_policy(policy=version.policy, by=author(), reason="Done.")
    with pytest.raises(Invalid):
        withdraw_policy(policy=version.policy, by=board(), reason="")
    withdraw_policy(policy=version.policy, by=board(), reason="The programme ended.")
    version.refresh_from_db()
    assert version.state == "superseded"
    with pytest.raises(Conflict):
        withdraw_policy(policy=version.policy, by=board(), reason="Again.")


def test_an_update_of_the_product_does_not_overrule_what_people_published() -> None:
    install_policies()
    policy = Policy.objects.get(is_primary=True)
    by = author()
    version = start_draft(policy=policy, by=by, label="1.1.0")
    save_draft(
        version=version, text=version.text.replace("sign_off_validity_days: 30", "sign_off_validity_days: 20"), by=by,
        seen=version.digest,
    )  # fmt: skip
    propose_draft(version=version, by=by)
    publish_draft(version=version, by=board())
    install_policies()
    assert primary()[1].version == "1.1.0"
