"""How systems behave: alerts by severity and age, and drift, now and a month ago."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import BooleanField, Case, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from gates.executive.parts import Asked, Line, Section, share
from monitoring.models import Alert, Series
from monitoring.selectors.drift_share import watched_for_drift
from monitoring.selectors.overview import AGE_LABELS, AGES


class Watched(NamedTuple):
    level: str
    opened_at: datetime
    resolved_at: datetime | None
    act_since: datetime | None
    outcome: str
    decided_at: datetime | None
    use_case: UUID
    drifts: bool

    def is_open(self, at: datetime) -> bool:
        return self.opened_at <= at and (self.resolved_at is None or self.resolved_at > at)

    def is_owed(self, at: datetime) -> bool:
        """A breach that nobody has decided about."""
        if self.act_since is None or self.act_since > at or not self.is_open(at):
            return False
        return not self.outcome or (self.decided_at is not None and self.decided_at > at)


def alerts_of(asked: Asked) -> list[Watched]:
    """Alerts that are open or were a month ago."""
    recent = Q(resolved_at__isnull=True) | Q(resolved_at__gt=asked.before)
    rows = asked.of_cases(Alert.objects.filter(recent), "series__use_case").order_by()
    spoken = rows.annotate(kinds=Cast("series__kinds", TextField())).annotate(
        drifts=Case(
            When(kinds__contains='drift"', rule__isnull=False, series__enabled=True, then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )
    fields = (
        "level",
        "opened_at",
        "resolved_at",
        "act_since",
        "outcome",
        "decided_at",
        "series__use_case_id",
        "drifts",
    )
    return [Watched(*row) for row in spoken.values_list(*fields)]


def alert_ages(asked: Asked, alerts: list[Watched]) -> Section:
    lines = []
    for level, label, tone in (
        (Alert.Level.ACT, _("Breaches"), "blocked"),
        (Alert.Level.WARN, _("Warnings"), "attention"),
    ):
        counts = [_aged([a for a in alerts if a.level == level], at) for at in (asked.now, asked.before)]
        count, before = (sum(each.values()) for each in counts)
        url = asked.url("monitoring:alerts", level=level.value)
        lines.append(Line(level, label, count, before, tone=tone if count else "", url=url))
        for age, _least, _below in AGES:
            url = asked.url("monitoring:alerts", level=level.value, age=age)
            name = _("%(level)s, %(age)s") % {"level": label, "age": AGE_LABELS[age]}
            lines.append(Line(f"{level}_{age}", name, counts[0][age], counts[1][age], url=url))
    words = _("%(acts)d breaches and %(warns)d warnings are not over.")
    return Section(
        "alerts",
        _("Alerts by severity and age"),
        words % {"acts": lines[0].now, "warns": lines[len(AGES) + 1].now},
        "alert",
        lines,
    )


def _aged(alerts: Iterable[Watched], at: datetime) -> Counter[str]:
    found: Counter[str] = Counter()
    for alert in alerts:
        if alert.is_open(at):
            age = at - alert.opened_at
            found[
                next(key for key, least, below in AGES if (not least or age >= least) and (not below or age < below))
            ] += 1
    return found


def drift(asked: Asked, alerts: list[Watched]) -> Section:
    watched = watched_for_drift(asked.of_cases(Series.objects.all(), "use_case"))
    since = dict(_first_watched(watched))
    count, earlier = len(since), sum(1 for at in since.values() if at <= asked.before)
    drifting = len({alert.use_case for alert in alerts if alert.drifts and alert.is_open(asked.now)})
    drifted = len({alert.use_case for alert in alerts if alert.drifts and alert.is_open(asked.before)})
    beyond, all_of_them = (asked.url("monitoring:index", attention=name) for name in ("drift", "watched_drift"))
    words = _("%(drifting)d of %(watched)d systems that are watched for drift are beyond a limit.")
    return Section(
        "drift",
        _("Drift"),
        words % {"drifting": drifting, "watched": count},
        "drift",
        [
            Line(
                "share",
                _("Drift share"),
                share(drifting, count),
                share(drifted, earlier),
                unit="%",
                tone="attention" if drifting else "",
                url=beyond,
            ),
            Line(
                "drifting",
                _("Systems that drift"),
                drifting,
                drifted,
                url=beyond,
            ),
            Line(
                "watched",
                _("Watched for drift"),
                count,
                earlier,
                url=all_of_them,
            ),
        ],
    )


def _first_watched(watched: QuerySet[Series]) -> Iterable[tuple[UUID, datetime]]:
    """Use case and since when, the earliest last so that a mapping keeps it."""
    rows: Iterable[tuple[UUID, datetime]] = watched.order_by("-created_at").values_list("use_case_id", "created_at")
    return rows
