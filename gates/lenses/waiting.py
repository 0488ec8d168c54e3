"""Use cases with a review that waits for signatures or for its decision."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy

from accounts.models import User
from gates.models import Review
from portfolio.lens import Lens, lenses


@lenses.register
class WaitingForDecision(Lens):
    key: ClassVar[str] = "waiting"
    label: ClassVar[Any] = gettext_lazy("Waiting for a decision")
    order: ClassVar[int] = 50
    icon: ClassVar[str] = "hourglass"
    tone: ClassVar[str] = "info"

    def condition(self, user: User) -> Q:
        return Q(pk__in=Review.objects.filter(state=Review.State.OPEN).values("use_case"))
