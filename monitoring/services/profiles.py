"""Profiles and drift: asked for, sent ready-made, compared. Rows are read by workers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import ModelVersion
from kernel.errors import Conflict, Invalid
from ledger import UnitOfWork, state, unit_of_work
from monitoring import profiling, reporting, tasks
from monitoring.addressing import make_series
from monitoring.comparing import Terms
from monitoring.models import DataProfile, Series
from monitoring.models.jobs import Job
from monitoring.profiles import Profile, ProfileError, sql
from monitoring.profiles.shares import comparable
from monitoring.profiles.wire import as_json, from_json
from monitoring.services.places import Where, Window, set_place, set_window
from monitoring.services.rules import define_rule
from portfolio.models import UseCase
from portfolio.services.checks import assign, locked, refuse, refuse_unknown
from portfolio.services.rights import Actor, demand, demand_any, person

CONFIGURE, INGEST = "monitor.configure", "monitor.ingest"
REFERENCE, CURRENT = DataProfile.Purpose.REFERENCE, DataProfile.Purpose.CURRENT
ASKED = ("use_case", "version", "purpose", "name", "origin", "path", "source", "query", "ignored", "reference", "terms")
TERMS = tuple(Terms.__slots__)
MOST_IGNORED = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new reference shall be compared by: columns left out, and terms that differ from the usual ones."""

    ignored: Sequence[str] = ()
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """What queries answered elsewhere: of which reference they were, by column, and which columns the data have."""

    reference: UUID | None
    answers: Sequence[Mapping[str, Any]]
    columns: Sequence[str]


def profile_reference(
    *, use_case: UseCase, name: str, where: Where, by: Actor, version: ModelVersion | None = None, wanted: Wanted
) -> DataProfile:
    """Have a worker count the rows that say what is normal. Once done, the reference is in force.

    Raises ``Invalid`` for a path, a query or terms that cannot be.
    """
    demand(by, CONFIGURE, use_case)
    profile = _drafted(use_case, REFERENCE, name, version, by)
    profile.terms = _terms(wanted.terms).as_json()
    profile.ignored = _columns(wanted.ignored)
    set_place(profile, where)
    with unit_of_work(by=by) as uow:
        _ask(uow, profile)
        _watch(uow, profile, by)
    return profile


def profile_current(
    *,
    use_case: UseCase,
    name: str,
    where: Where,
    by: Actor,
    version: ModelVersion | None = None,
    window: Window | None = None,
) -> DataProfile:
    """Have a worker count rows and compare them with the reference in force.

    ``Conflict`` when there is none, or a report would take a place that another has.
    """
    demand(by, CONFIGURE, use_case)
    profile = _drafted(use_case, CURRENT, name, version, by)
    profile.reference = in_force(use_case, version)
    set_window(profile, window or Window())
    set_place(profile, where)
    with unit_of_work(by=by) as uow:
        _ask(uow, profile)
    return profile


def push_profile(
    *,
    use_case: UseCase,
    name: str,
    told: Mapping[str, Any],
    by: Actor,
    version: ModelVersion | None = None,
    window: Window | None = None,
    as_reference: Wanted | None = None,
) -> DataProfile:
    """Take a profile that was made elsewhere. A reference is in force at once; anything else a worker compares.

    Whoever may ``monitor.ingest`` or ``monitor.configure`` sends; a reference takes ``monitor.configure``. Raises
    ``Invalid`` that names the column, also for a profile that was counted against another reference.
    """
    if as_reference is None:
        demand_any(by, (INGEST, CONFIGURE), use_case)
    else:
        demand(by, CONFIGURE, use_case)
    try:
        counted = from_json(told)
    except ProfileError as error:
        raise _unreadable(error) from None
    profile = _drafted(use_case, CURRENT if as_reference is None else REFERENCE, name, version, by)
    profile.origin = DataProfile.Origin.PUSHED
    if as_reference is None:
        profile.reference = in_force(use_case, version)
        set_window(profile, window or Window())
        _refuse_other_frames(profile.reference, counted)
        return _held_for_worker(profile, counted, by)
    profile.terms = _terms(as_reference.terms).as_json()
    return _in_force_at_once(profile, counted, by)


def push_answers(
    *,
    use_case: UseCase,
    name: str,
    answers: Answers,
    by: Actor,
    version: ModelVersion | None = None,
    window: Window | None = None,
) -> DataProfile:
    """Take what the queries of the reference in force answered elsewhere, and have a worker compare it.

    ``Conflict`` when another reference came into force since they were asked for.
    """
    demand_any(by, (INGEST, CONFIGURE), use_case)
    reference = in_force(use_case, version)
    if reference.pk != answers.reference:
        raise Conflict(_("Another reference is in force by now."), hint=_("Ask for its queries and run them again."))
    try:
        counted = sql.answered(profiling.body_of(reference).as_reference(), answers.answers, answers.columns)
        told = as_json(counted)
    except ProfileError as error:
        raise _unreadable(error) from None
    return push_profile(use_case=use_case, name=name, told=told, by=by, version=version, window=window)


def agree_terms(*, reference: DataProfile, changes: Mapping[str, Any], by: Actor) -> DataProfile:
    """Change what later comparisons with this reference hold against. Reports that were made stay as they are."""
    demand(by, CONFIGURE, reference)
    refuse_unknown(changes, TERMS)
    with unit_of_work(by=by) as uow:
        reference = locked(DataProfile, reference.pk, "use_case__unit")
        if reference.purpose != REFERENCE:
            raise Conflict(_("Only a reference has terms."))
        before = state(reference, ("terms",))
        reference.terms = _terms({**reference.terms, **changes}).as_json()
        after = state(reference, ("terms",))
        if after == before:
            return reference
        reference.save(update_fields=["terms"])
        uow.record("reference.terms_agreed", subject=reference, use_case=reference.use_case, before=before, after=after)
    return reference


def compare_again(*, profile: DataProfile, by: Actor) -> DataProfile:
    """Compare a profile that is done once more, by the terms of today: another report, beside the earlier one."""
    demand(by, CONFIGURE, profile)
    with unit_of_work(by=by) as uow:
        profile = locked(DataProfile, profile.pk, "use_case__unit", "reference", "version")
        if profile.state != DataProfile.ProfileState.DONE or profile.reference is None:
            raise Conflict(_("Only a profile that is done and has a reference can be compared."))
        if not profile.reference.in_force:
            raise Conflict(_("Its reference was replaced: profile the data again to compare it with the new one."))
        before, now = profiling.body_of(profile.reference), profiling.body_of(profile)
        to_judge = reporting.report(uow, profile, before, now)
        uow.after_commit(lambda: tasks.judge_soon(to_judge))
    return profile


def cancel_profile(*, profile: DataProfile, by: Actor) -> DataProfile:
    """Stop a profile that is not done; its worker notices within seconds."""
    demand(by, CONFIGURE, profile)
    return _moved(profile, by, DataProfile.ProfileState.CANCELLED, "profile.cancelled", _("It is over already."))


def retry_profile(*, profile: DataProfile, by: Actor) -> DataProfile:
    """Try a profile again that failed or was cancelled."""
    demand(by, CONFIGURE, profile)
    return _moved(profile, by, DataProfile.ProfileState.WAITING, "profile.requested", _("Only what ended is retried."))


def _moved(profile: DataProfile, by: Actor, to: Job.JobState, event: str, refusal: str) -> DataProfile:
    states = Job.JobState
    with unit_of_work(by=by) as uow:
        profile = locked(DataProfile, profile.pk, "use_case__unit")
        ended = profile.state in {states.FAILED, states.CANCELLED}
        if profile.is_open if to == states.WAITING else not profile.is_open:
            raise Conflict(refusal)
        if to == states.WAITING and not (ended and profile.can_be_made):
            raise Conflict(refusal)
        before = state(profile, ("state",))
        profile.state, profile.lease, profile.leased_until = to, None, None
        profile.attempts, profile.progress, profile.error = 0, 0, ""
        profile.finished_at = None if to == states.WAITING else timezone.now()
        profile.save(update_fields=["state", "lease", "leased_until", "attempts", "progress", "error", "finished_at"])
        uow.record(event, subject=profile, use_case=profile.use_case, before=before, after=state(profile, ("state",)))
        if to == states.WAITING:
            uow.after_commit(lambda: tasks.profile_soon(profile.pk))
    return profile


def _drafted(
    use_case: UseCase, purpose: DataProfile.Purpose, name: str, version: ModelVersion | None, by: Actor
) -> DataProfile:
    if version is not None and version.model.use_case_id != use_case.pk:
        said = _("This version belongs to another use case.")
        raise Invalid(said, errors={"version": [said]})
    profile = DataProfile(use_case=use_case, version=version, purpose=purpose, requested_by=person(by))
    assign(profile, {"name": name})
    return profile


def in_force(use_case: UseCase, version: ModelVersion | None) -> DataProfile:
    """The reference of that version, or the one that holds for every version."""
    rows = DataProfile.objects.filter(use_case=use_case, in_force=True)
    found = rows.filter(version=version).first() or rows.filter(version__isnull=True).first()
    if found is None:
        raise Conflict(
            _("This use case has no reference yet."), hint=_("Profile the data that the model was made with first.")
        )
    return found


def _columns(names: Sequence[str]) -> list[str]:
    clean = sorted({str(name).strip() for name in names} - {""})
    if len(clean) > MOST_IGNORED or any(len(name) > 200 for name in clean):
        said = _("Name at most 1,000 columns.")
        raise Invalid(said, errors={"ignored": [said]})
    return clean


def _terms(given: Mapping[str, Any]) -> Terms:
    refuse_unknown(given, TERMS)
    try:
        terms = reporting.with_defaults(given)
        wrong = terms.problems()
    except (TypeError, AttributeError):
        said = _("These terms cannot be read.")
        raise Invalid(said, errors={"terms": [said]}) from None
    refuse({name: [_("Possible here: %(what)s.") % {"what": what}] for name, what in wrong.items()})
    return terms


def _ask(uow: UnitOfWork, profile: DataProfile) -> None:
    profile.save(force_insert=True)
    uow.record("profile.requested", subject=profile, use_case=profile.use_case, after=state(profile, ASKED))
    uow.after_commit(lambda: tasks.profile_soon(profile.pk))


def _refuse_other_frames(reference: DataProfile, counted: Profile) -> None:
    """What was counted against another reference is refused to its sender, rather than failing later."""
    try:
        known = profiling.body_of(reference).columns
        for name in known.keys() & counted.columns.keys():
            comparable(known[name], counted.columns[name])
    except ProfileError as error:
        raise _unreadable(error) from None


def _held_for_worker(profile: DataProfile, counted: Profile, by: Actor) -> DataProfile:
    """Keep the counts: the features are many and the worker compares them, as with rows that it counted itself."""
    profiling.hold(profile, counted)
    with unit_of_work(by=by) as uow:
        profile.save(force_insert=True)
        after = state(profile, (*ASKED, "sha256"))
        uow.record("profile.pushed", subject=profile, use_case=profile.use_case, after=after)
        uow.after_commit(lambda: tasks.profile_soon(profile.pk))
    return profile


def _in_force_at_once(profile: DataProfile, counted: Profile, by: Actor) -> DataProfile:
    try:
        with unit_of_work(by=by) as uow:
            profile.save(force_insert=True)
            uow.record("profile.pushed", subject=profile, use_case=profile.use_case, after=state(profile, ASKED))
            _watch(uow, profile, by)
            profiling.finish(uow, profile, counted)
    except ProfileError as error:
        raise _unreadable(error) from None
    return profile


def _watch(uow: UnitOfWork, reference: DataProfile, by: Actor) -> None:
    """The series that reports feed, each with the catalogue's rule unless it has one: drift without a rule is mute."""
    for metric in reporting.WATCHED:
        known = Series.objects.filter(use_case=reference.use_case, metric=metric, segment="", version=reference.version)
        if known.exists():
            continue
        series = make_series(
            uow,
            use_case=reference.use_case,
            metric_key=metric,
            version=reference.version,
            expected_every_seconds=0,
        )
        define_rule(series=series, by=by)


def _unreadable(error: ProfileError) -> Invalid:
    where = error.where or "profile"
    return Invalid(f"{where}: {error.message}.", errors={"profile": [f"{where}: {error.message}."]})
