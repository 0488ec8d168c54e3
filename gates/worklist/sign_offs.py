"""Signatures that are asked for, and reviews whose signatures are all in."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user, grants_of, unit_grants
from accounts.models import User
from gates.duties import Scene, refusal
from gates.in_force import body_of
from gates.models import Review
from gates.selectors import with_votes
from gates.services.scenes import scenes_of
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200


@work_sources.register
class SignOffs(WorkSource):
    """Open reviews on which the person holds a role that has not signed yet. Seven queries, however many."""

    key = "sign_offs"
    title = gettext_lazy("Sign-offs")
    order = 10

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = Review.objects.filter(state=Review.State.OPEN).select_related("use_case__unit", "policy_version__policy")
        reviews = list(with_votes(for_user(rows, user, "gate.sign")).order_by("due_at")[:MOST])
        direct = grants_of([r.use_case_id for r in reviews])
        votes = {r.pk: [v for v in r.live_votes if v.digest == r.digest] for r in reviews}  # type: ignore[attr-defined]
        scenes = scenes_of(reviews, votes)
        for review in reviews:
            held = {role for who, role in direct.get(review.use_case_id, ()) if who == user.pk}
            held |= {
                code.removeprefix("role_")
                for code, path in unit_grants(user)
                if review.use_case.unit.path.startswith(path)
            }
            if _may_sign(scenes[review.pk], user, held):
                yield _item(review)


def _may_sign(scene: Scene, user: User, held: set[str]) -> bool:
    return any(not refusal(scene, user, role, held) for role in scene.slots if role in held)


def _item(review: Review) -> WorkItem:
    gate = body_of(review.policy_version).gates[review.gate]
    return WorkItem(
        title=_("Sign off %(review)s: %(gate)s") % {"review": review, "gate": gate.title},
        url=reverse("gates:review", kwargs={"number": review.number}),
        detail=_("Snapshot of %(digest)s…") % {"digest": review.digest[:12]},
        use_case_key=review.use_case.key,
        use_case_name=review.use_case.name,
        due_at=review.due_at,
        tone="attention",
        verb=_("Read and sign"),
    )
