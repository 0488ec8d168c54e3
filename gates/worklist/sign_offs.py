"""Signatures that are asked for, and reviews whose signatures are all in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user, grants_of, unit_grants
from accounts.models import User
from gates.duties import Scene, Signer, refusal
from gates.in_force import body_of
from gates.models import Review
from gates.scenes import scenes_of, still_counts
from gates.selectors import with_votes
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200


@work_sources.register
class SignOffs(WorkSource):
    """Open reviews that the person may sign, in their own role or as a stand-in, in a constant number of queries."""

    key = "sign_offs"
    title = gettext_lazy("Sign-offs")
    order = 10

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = Review.objects.filter(state=Review.State.OPEN).select_related("use_case__unit", "policy_version__policy")
        reviews = list(with_votes(for_user(rows, user, "gate.sign")).order_by("due_at")[:MOST])
        direct = grants_of([r.use_case_id for r in reviews])
        votes = {r.pk: [v for v in r.live_votes if v.digest == r.digest and still_counts(v, r)] for r in reviews}  # type: ignore[attr-defined]
        scenes = scenes_of(reviews, votes)
        for review in reviews:
            granted = direct.get(review.use_case_id, ())
            held = _held(user, review, granted)
            scene = scenes[review.pk]
            if any(not refusal(scene, user, role, held) for role in scene.slots if role in held):
                yield _item(review)
            elif (giver := _in_place_of(scene, user, held, review, granted)) is not None:
                yield _item(review, giver)


def _held(person: User, review: Review, granted: Iterable[tuple[UUID, str]]) -> frozenset[str]:
    """Roles on the use case, its own and those of its units."""
    path = review.use_case.unit.path
    inherited = {code.removeprefix("role_") for code, above in unit_grants(person) if path.startswith(above)}
    return frozenset(inherited | {role for who, role in granted if who == person.pk})


def _in_place_of(
    scene: Scene, user: User, held: frozenset[str], review: Review, granted: Iterable[tuple[UUID, str]]
) -> User | None:
    """Whose signature the person may give as a stand-in."""
    for d in scene.stand_ins:
        if d.stand_in_id == user.pk:
            other = Signer(d.giver, _held(d.giver, review, granted))
            if not refusal(scene, user, d.role, held, on_behalf_of=other):
                return d.giver
    return None


def _item(review: Review, giver: User | None = None) -> WorkItem:
    gate = body_of(review.policy_version).gates[review.gate]
    return WorkItem(
        title=_("Sign off %(review)s: %(gate)s") % {"review": review, "gate": gate.title},
        url=reverse("gates:review", kwargs={"number": review.number}),
        detail=(
            _("In place of %(name)s, as long as you stand in.") % {"name": giver}
            if giver is not None
            else _("Snapshot of %(digest)s…") % {"digest": review.digest[:12]}
        ),
        use_case_key=review.use_case.key,
        use_case_name=review.use_case.name,
        due_at=review.due_at,
        tone="attention",
        verb=_("Read and sign"),
    )
