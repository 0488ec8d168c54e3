"""Taking in outputs: pushed by the system that owns them, sampled at once by the plan of the use case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import for_user
from accounts.models import User
from governance.models import ModelVersion
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import UnitOfWork, unit_of_work
from monitoring import output_wire, sampling
from monitoring.addressing import version_of
from monitoring.models import Output, ReviewItem, SamplingPlan
from monitoring.output_wire import Handed, OutputBatch
from portfolio.models import UseCase
from portfolio.services.rights import Actor, person

INGEST, VIEW = "monitor.ingest", "use_case.view"
KEPT_DAYS = 30


@dataclass(slots=True)
class Taken:
    """What became of a batch."""

    received: int = 0
    stored: int = 0
    sampled: int = 0

    @property
    def unchanged(self) -> int:
        return self.received - self.stored


def push_outputs(
    *,
    batch: OutputBatch | Sequence[Mapping[str, Any]],
    by: Actor,
    digest: str = "",
    received_at: datetime | None = None,
) -> Taken:
    """Store a batch of outputs, all of it or nothing, and draw the sample.

    An output that is there already with the same content changes nothing; with another content the batch is refused:
    what a person may have reviewed is not rewritten. Of what is not drawn, what it held is not kept. Needs
    ``monitor.ingest`` on the use case. ``received_at`` is for histories, which only the product itself may take over.
    """
    if received_at is not None and isinstance(by, User):
        raise PermissionDenied(_("When outputs were received is not for the sender to say."))
    now = received_at or timezone.now()
    checked = batch if isinstance(batch, OutputBatch) else output_wire.check(batch, now=now)
    places: dict[str, list[int]] = {}
    for index, row in enumerate(checked.rows):
        places.setdefault(row.use_case, []).append(index)
    homes = {key: _home(checked, indexes[0], key, by) for key, indexes in places.items()}
    taken = Taken()
    with unit_of_work(by=by) as uow:
        for key in sorted(homes, key=lambda key: homes[key].pk):
            _Intake(checked, homes[key], places[key], by=by, now=now).take(uow, taken, digest)
    return taken


class _Intake:
    """The outputs of one use case."""

    def __init__(self, batch: OutputBatch, use_case: UseCase, places: list[int], *, by: Actor, now: datetime) -> None:
        self.batch, self.use_case, self.places = batch, use_case, places
        self.by, self.now = by, now
        self.plan: SamplingPlan | None = None
        self.versions: dict[str, ModelVersion | None] = {}

    def take(self, uow: UnitOfWork, taken: Taken, digest: str) -> None:
        lock_rows(UseCase.objects.filter(pk=self.use_case.pk)).get()  # the most of a day is counted by one at a time
        new = self._new()
        rows = [self.batch.rows[index] for index in new]
        drawn = self._drawn(rows)
        outputs = self._outputs(new, {each.index for each in drawn})
        Output.objects.bulk_create(outputs, batch_size=500)
        items = [item for each in drawn for item in self._items(outputs[each.index], each)]
        ReviewItem.objects.bulk_create(items, batch_size=500)
        taken.received += len(self.places)
        taken.stored += len(new)
        taken.sampled += len(drawn)
        if new:
            after = {"received": len(self.places), "stored": len(new), "sampled": len(drawn), "sha256": digest}
            uow.record("outputs.received", subject=self.use_case, use_case=self.use_case, after=after)

    def _new(self) -> list[int]:
        """The places of those that are not there yet, each once; ``Invalid`` for what contradicts an earlier one."""
        ids = {self.batch.rows[index].external_id for index in self.places}
        there: dict[str, str] = {}
        for some in _chunks(sorted(ids), 500):
            found = Output.objects.filter(use_case=self.use_case, external_id__in=some)
            there.update(found.values_list("external_id", "content_sha256"))
        new: list[int] = []
        for index in self.places:
            row = self.batch.rows[index]
            known = there.setdefault(row.external_id, "")
            if known == row.sha256:
                continue
            if known:
                said = _("%(id)s was sent before, with another content; a new output needs an identifier of its own.")
                self.batch.refuse(index, "external_id", said % {"id": row.external_id})
            there[row.external_id] = row.sha256
            new.append(index)
        return new

    def _drawn(self, rows: Sequence[Handed]) -> list[sampling.Drawn]:
        self.plan = SamplingPlan.objects.filter(use_case=self.use_case).first()
        if self.plan is None or not rows:
            return []
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = ReviewItem.objects.filter(output__use_case=self.use_case, slot=1, selected_at__gte=midnight)
        by_quota = today.filter(why=ReviewItem.Why.SEGMENT).values_list("output__segment", flat=True)
        return sampling.draw(self.plan, rows, today=today.count(), today_by_segment=Counter(by_quota))

    def _outputs(self, new: Sequence[int], drawn: set[int]) -> list[Output]:
        kept = timedelta(days=self.plan.keep_days if self.plan else KEPT_DAYS)
        emails = {self.batch.rows[index].acted_by.lower() for index in new} - {""}
        people = {user.email.lower(): user for user in User.objects.filter(email__in=emails)} if emails else {}
        outputs = []
        for number, index in enumerate(new):
            row = self.batch.rows[index]
            is_drawn = number in drawn
            holds = bool(row.payload or row.payload_url)
            outputs.append(
                Output(
                    use_case=self.use_case,
                    version=self._version(index, row.version),
                    external_id=row.external_id,
                    case_id=row.case_id,
                    at=row.at,
                    segment=row.segment,
                    confidence=row.confidence,
                    summary=row.summary,
                    payload_url=row.payload_url if is_drawn else "",
                    payload=row.payload if is_drawn else {},
                    redacted=row.redacted,
                    acted_by=people.get(row.acted_by.lower()),
                    actor=row.acted_by,
                    content_sha256=row.sha256,
                    sampled=is_drawn,
                    sent_by=person(self.by),
                    received_at=self.now,
                    payload_until=self.now + kept if is_drawn and holds else None,
                    payload_deleted_at=self.now if holds and not is_drawn else None,
                )
            )
        return outputs

    def _version(self, index: int, label: str) -> ModelVersion | None:
        if label not in self.versions:
            try:
                self.versions[label] = version_of(self.use_case, label)
            except Invalid as error:
                self.batch.refuse(index, "version", error.message)
        return self.versions[label]

    def _items(self, output: Output, drawn: sampling.Drawn) -> list[ReviewItem]:
        assert self.plan is not None
        due = self.now + timedelta(hours=self.plan.due_hours)
        slots = (1, 2) if drawn.twice else (1,)
        return [ReviewItem(output=output, slot=slot, why=drawn.why, selected_at=self.now, due_at=due) for slot in slots]


def _home(batch: OutputBatch, index: int, key: str, by: Actor) -> UseCase:
    """The use case, if the sender may send to it: 422 for what they cannot see, 403 for what they only see."""
    rows = UseCase.objects.filter(key=key).select_related("unit")
    use_case = for_user(rows, by, INGEST).first() if isinstance(by, User) else rows.first()
    if use_case is not None:
        return use_case
    if isinstance(by, User) and for_user(rows, by, VIEW).exists():
        raise PermissionDenied(_("You may see %(key)s but not send outputs to it.") % {"key": key})
    return batch.refuse(index, "use_case", _("There is no use case %(key)s.") % {"key": key})


def _chunks(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
