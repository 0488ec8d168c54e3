"""Who may review which sampled output: asked alike when one is offered, claimed and answered.

Who acted on an output does not review it (SOD-14). A warning would do for high tiers alone; but a review by whoever
followed the output tells nothing about it, so here it is refused whatever the tier.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.access import for_user
from accounts.models import User
from monitoring.models import Output, ReviewItem, Skip

REVIEW, OVERRIDE, CONFIGURE, LOGS = (
    "oversight.review_output",
    "oversight.override",
    "oversight.configure",
    "inference_log.view",
)
LEASE = timedelta(minutes=20)
UNDO = timedelta(minutes=10)
WAITING, DONE = ReviewItem.ItemState.WAITING, ReviewItem.ItemState.DONE


def acted(user: User, path: str = "") -> Q:
    """Outputs that ``user`` acted on: by account, or by the name or address that the sender gave."""
    names = Q(**{f"{path}acted_by": user})
    for name in (user.email, user.full_name):
        if name:
            names |= Q(**{f"{path}actor__iexact": name})
    return names


def has_acted(user: User, output: Output) -> bool:
    named = {name.casefold() for name in (user.email, user.full_name) if name}
    return output.acted_by_id == user.pk or (bool(output.actor) and output.actor.casefold() in named)


def queue(user: User) -> QuerySet[ReviewItem]:
    """What waits on use cases where ``user`` reviews, theirs to take or not."""
    rows = ReviewItem.objects.filter(state=WAITING)
    return for_user(rows.select_related("output__use_case__unit", "output__version"), user, REVIEW)


def offered(user: User, now: datetime) -> QuerySet[ReviewItem]:
    """What ``user`` may take next: free, not acted on, not passed on, and of each output one review only."""
    other = ReviewItem.objects.filter(output=OuterRef("output")).filter(
        Q(reviewer=user) | Q(claimed_by=user, state=WAITING, leased_until__gt=now) & ~Q(pk=OuterRef("pk"))
    )
    return (
        queue(user)
        .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now) | Q(claimed_by=user))
        .exclude(acted(user, "output__"))
        .exclude(Exists(Skip.objects.filter(item=OuterRef("pk"), person=user)))
        .exclude(Exists(other))
    )


def owed_items(user: User) -> QuerySet[ReviewItem]:
    """Reviews that ``user`` may still be asked for: what others said of these outputs is not theirs to read yet."""
    given = ReviewItem.objects.filter(output=OuterRef("output"), reviewer=user)
    rows = ReviewItem.objects.filter(state=WAITING).exclude(acted(user, "output__")).exclude(Exists(given))
    return for_user(rows, user, REVIEW)


def owed_outputs(user: User) -> QuerySet[ReviewItem, UUID]:
    """Ids of the outputs of ``owed_items``."""
    return owed_items(user).values_list("output", flat=True)


def kept_from(user: User) -> QuerySet[ReviewItem]:
    """What waits and is not for ``user``, because they acted on it."""
    return queue(user).filter(acted(user, "output__"))


def refusal(user: User, item: ReviewItem) -> str:
    """Why ``user`` may not review this; empty if they may."""
    if has_acted(user, item.output):
        return _("You cannot review this output: you acted on it (SOD-14). Somebody else has to look at it.")
    if ReviewItem.objects.filter(output=item.output_id, reviewer=user).exclude(pk=item.pk).exists():
        return _("You cannot review this output twice: its second review is for another person.")
    return ""
