"""Say something about a review: asked and answered where the decision is made, and kept with it."""

from __future__ import annotations

from accounts.access import require
from accounts.models import User
from gates.in_force import body_of
from gates.models import Review, ReviewComment
from kernel.errors import Invalid
from ledger import unit_of_work
from notify.services import tell

LONGEST = 5000


def comment_on_review(*, review: Review, by: User, text: str, criterion: str = "") -> ReviewComment:
    """Add a comment; the submitter, the signers and everybody who took part so far are told.

    ``Invalid`` for empty or very long text, or a criterion that the gate does not have. A closed review can still be
    commented on: what was learnt later belongs beside the decision.
    """
    require(by, "use_case.view", review.use_case)
    errors: dict[str, list[str]] = {}
    if not text.strip():
        errors["text"] = ["Write something first."]
    if len(text) > LONGEST:
        errors["text"] = [f"At most {LONGEST} characters; this has {len(text)}."]
    gate = body_of(review.policy_version).gates[review.gate]
    if criterion and criterion not in {c.id for c in gate.criteria}:
        errors["criterion"] = [f"“{gate.title}” has no criterion {criterion}."]
    if errors:
        raise Invalid("The comment was not kept.", errors=errors)
    with unit_of_work(by=by) as uow:
        comment = ReviewComment.objects.create(review=review, author=by, text=text.strip(), criterion=criterion)
        after = {"criterion": criterion, "text": comment.text}
        uow.record("review.commented", subject=comment, use_case=review.use_case, after=after)
        tell(
            recipients=[person for person in _taking_part(review) if person.pk != by.pk],
            kind="review.commented",
            title=f"{by.full_name or by.email} commented on {review}" + (f", {criterion}" if criterion else ""),
            body=comment.text[:300],
            url=f"/gates/reviews/{review.number}/#comments",
        )
    return comment


def _taking_part(review: Review) -> list[User]:
    people = {review.submitted_by_id: review.submitted_by}
    for vote in review.sign_offs.select_related("person"):
        people[vote.person_id] = vote.person
    for said in review.comments.select_related("author"):
        people[said.author_id] = said.author
    return list(people.values())
