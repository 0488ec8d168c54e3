"""Use cases with a breach that is not over."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy

from accounts.models import User
from monitoring.models import Alert
from portfolio.lens import Lens, lenses


@lenses.register
class Breached(Lens):
    key: ClassVar[str] = "breached"
    label: ClassVar[Any] = gettext_lazy("Metric breached")
    order: ClassVar[int] = 60
    icon: ClassVar[str] = "pulse"
    tone: ClassVar[str] = "blocked"

    def condition(self, user: User) -> Q:
        unresolved = Alert.objects.filter(level=Alert.Level.ACT).exclude(state=Alert.AlertState.RESOLVED)
        return Q(pk__in=unresolved.values("series__use_case"))
