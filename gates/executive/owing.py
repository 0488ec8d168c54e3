"""What waits for a decision, and what of it is late, now and a month ago."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _

from gates.executive.behaving import Watched
from gates.executive.parts import MONTH, Asked, Line, Section
from gates.models import Condition, Decision, Review

Wait = tuple[datetime, datetime | None, datetime]
Term = tuple[datetime, datetime | None, date]


def owed(asked: Asked, alerts: list[Watched]) -> Section:
    now, before = asked.now, asked.before
    reviews = asked.of_cases(Review.objects.order_by(), "use_case").exclude(closed_at__lte=before)
    fields = ("submitted_at", "closed_at", "decision__decided_at", "due_at", "state")
    waits = [
        (start, closed or decided_at, due)
        for start, closed, decided_at, due, state in reviews.exclude(decision__decided_at__lte=before).values_list(
            *fields
        )
        if closed or decided_at or state == Review.State.OPEN
    ]
    owing = asked.of_cases(Condition.objects.order_by(), "use_case").exclude(closed_at__lte=before)
    terms = [
        (start, end, due)
        for start, end, due, state in owing.values_list("decision__decided_at", "closed_at", "due_on", "state")
        if end is not None or state in (Condition.State.OPEN, Condition.State.REPORTED)
    ]
    made = asked.of_cases(Decision.objects.filter(decided_at__gt=now - 2 * MONTH), "review__use_case")
    decided = [at > before for at in made.order_by().values_list("decided_at", flat=True)]
    late = _late(waits, now), _late(waits, before)
    overdue = _overdue(terms, now), _overdue(terms, before)
    breaches = sum(a.is_owed(now) for a in alerts), sum(a.is_owed(before) for a in alerts)
    words = _("%(late)d of %(waiting)d reviews are late; %(breaches)d breaches wait for somebody to decide.")
    waiting = _waiting(waits, now), _waiting(waits, before)
    waits_url, late_url, made_url = (asked.url("gates:reviews", state=state) for state in ("open", "late", "decided"))
    overdue_url = asked.url("gates:conditions", state="overdue")
    owed_url = asked.url("monitoring:alerts", owed="on")
    tones = ["blocked" if count else "" for count in (late[0], overdue[0], breaches[0])]
    return Section(
        "owed",
        _("Decisions owed"),
        words % {"late": late[0], "waiting": waiting[0], "breaches": breaches[0]},
        "hourglass",
        [
            Line("reviews", _("Reviews that wait"), *waiting, url=waits_url),
            Line("late", _("Reviews late"), *late, tone=tones[0], url=late_url),
            Line("conditions", _("Conditions overdue"), *overdue, tone=tones[1], url=overdue_url),
            Line("breaches", _("Breaches to decide"), *breaches, tone=tones[2], url=owed_url),
            Line("decided", _("Decided in 30 days"), sum(decided), len(decided) - sum(decided), url=made_url),
        ],
    )


def _waiting(waits: Iterable[Wait], at: datetime) -> int:
    return sum(1 for start, end, _due in waits if start <= at and (end is None or end > at))


def _late(waits: Iterable[Wait], at: datetime) -> int:
    return sum(1 for start, end, due in waits if start <= at and (end is None or end > at) and due <= at)


def _overdue(terms: Iterable[Term], at: datetime) -> int:
    return sum(1 for start, end, due in terms if start <= at and (end is None or end > at) and due < at.date())
