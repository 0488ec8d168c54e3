"""Stand-ins: one person acts in one role of another, for at most 30 days, and hands nothing on (SOD-10).

A delegation gives no right that the stand-in lacks: they hold the same role already, somewhere else perhaps. What
counts as one vote stays one vote, and separation of duties is asked of both (``gates.duties``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

import ledger
from accounts.access import can_everywhere, forget_grants
from accounts.models import MOST_DAYS, Absence, Delegation, RoleAssignment, User
from accounts.roles import catalogue, role_name
from accounts.signals import announce_delegation
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid

FIELDS = ("giver", "stand_in", "role", "starts_at", "ends_at", "ended_at")
AWAY = ("person", "starts_on", "ends_on", "stand_in", "cancelled_at")
LONGEST = timedelta(days=MOST_DAYS)
AHEAD = timedelta(days=366)


def delegate(
    *,
    giver: User,
    stand_in: User,
    role: str,
    ends_at: datetime,
    by: User,
    starts_at: datetime | None = None,
    reason: str = "",
) -> Delegation:
    """``stand_in`` may sign as ``role`` in the place of ``giver`` until ``ends_at``.

    ``PermissionDenied`` when it is not one's own role to give; ``Invalid`` for wrong dates or a stand-in who does not
    hold the role; ``Conflict`` when it would make a chain, or somebody stands in already.
    """
    _require_own(by, giver)
    now = timezone.now()
    begin = max(starts_at or now, now)
    _check_dates(begin, ends_at)
    with ledger.unit_of_work(by=by) as uow:
        # Both accounts, always in the same order: two delegations at once that would make a chain meet here.
        list(lock_rows(User.objects.filter(pk__in=[giver.pk, stand_in.pk]).order_by("pk")))
        _check_people(giver, stand_in, role)
        _check_others(giver, stand_in, role, begin, ends_at)
        made = Delegation.objects.create(
            giver=giver,
            stand_in=stand_in,
            role=role,
            reason=reason.strip()[:300],
            starts_at=begin,
            ends_at=ends_at,
            created_at=now,
            created_by=by,
        )
        uow.record("delegation.given", subject=made, after=ledger.state(made, FIELDS), note=made.reason)
        announce_delegation(uow, delegation_id=made.pk, what="given")
    forget_grants(stand_in)
    return made


def end_delegation(*, delegation: Delegation, by: User) -> Delegation:
    """Take it back early, or hand it back. Signatures given by it on open reviews lapse; the task of the gates does
    that, and no decision counts them from now on."""
    if by.pk not in (delegation.giver_id, delegation.stand_in_id) and not can_everywhere(by, "user.manage"):
        raise PermissionDenied(_("Only the two people of a delegation, and administrators, end it."))
    _refuse_tokens(by)
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(Delegation.objects.select_related("giver", "stand_in").filter(pk=delegation.pk)).get()
        if row.is_over:
            raise Conflict(_("This delegation has ended already."))
        before = ledger.state(row, FIELDS)
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
        uow.record("delegation.ended", subject=row, before=before, after=ledger.state(row, FIELDS))
        announce_delegation(uow, delegation_id=row.pk, what="ended")
    forget_grants(row.stand_in)
    delegation.ended_at = row.ended_at
    return row


def record_absence(
    *,
    person: User,
    starts_on: date,
    ends_on: date,
    by: User,
    stand_in: User | None = None,
    roles: Iterable[str] = (),
    note: str = "",
) -> Absence:
    """Say when one is away; shown wherever one is waited for. ``roles`` go to the stand-in for those days at once."""
    _require_own(by, person)
    today = timezone.localdate()
    errors: dict[str, list[str]] = {}
    if ends_on < starts_on:
        errors["ends_on"] = [_("The last day away is not before the first.")]
    elif ends_on < today:
        errors["ends_on"] = [_("These days are over.")]
    if stand_in is not None and (stand_in.pk == person.pk or not stand_in.is_active or not stand_in.is_person):
        errors["stand_in"] = [_("Name another person whose account is active.")]
    wanted = tuple(dict.fromkeys(roles))
    if wanted and stand_in is None:
        errors["stand_in"] = [_("Say who stands in for you.")]
    if errors:
        raise Invalid(_("The absence is not complete."), errors=errors)
    with ledger.unit_of_work(by=by) as uow:
        lock_rows(User.objects.filter(pk=person.pk)).get()
        _refuse_second_absence(person, starts_on, ends_on)
        made = Absence.objects.create(
            person=person, starts_on=starts_on, ends_on=ends_on, stand_in=stand_in, note=note.strip()[:200]
        )
        uow.record("absence.recorded", subject=made, after=ledger.state(made, AWAY))
        begin, end = delegated_days(starts_on, ends_on)
        for role in wanted:
            delegate(
                giver=person,
                stand_in=cast(User, stand_in),
                role=role,
                starts_at=begin,
                ends_at=end,
                by=by,
                reason=_("Away %(from)s to %(to)s") % {"from": _day(starts_on), "to": _day(ends_on)},
            )
    return made


def cancel_absence(*, absence: Absence, by: User) -> Absence:
    """One is not away after all, or back early: delegations of these days to the stand-in end as well."""
    _require_own(by, absence.person)
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(Absence.objects.filter(pk=absence.pk)).get()
        if row.is_over:
            raise Conflict(_("This absence is over already."))
        before = ledger.state(row, AWAY)
        row.cancelled_at = timezone.now()
        row.save(update_fields=["cancelled_at"])
        uow.record("absence.cancelled", subject=row, before=before, after=ledger.state(row, AWAY))
        for delegation in _of_absence(row):
            end_delegation(delegation=delegation, by=by)
    absence.cancelled_at = row.cancelled_at
    return row


def delegated_days(starts_on: date, ends_on: date) -> tuple[datetime, datetime]:
    """From the first moment of the first day (or now) to the end of the last, at most 30 days."""
    zone = timezone.get_current_timezone()
    begin = max(datetime.combine(starts_on, time.min, zone), timezone.now())
    return begin, min(datetime.combine(ends_on + timedelta(days=1), time.min, zone), begin + LONGEST)


def shared_roles(giver: User, stand_in: User) -> list[str]:
    """Roles that sign and that both hold somewhere now: those that one may give the other. One query."""
    rows = RoleAssignment.objects.filter(user__in=[giver.pk, stand_in.pk], ended_at__isnull=True)
    held: dict[str, set[object]] = {}
    for user, role in rows.order_by().values_list("user_id", "role").distinct():
        held.setdefault(role, set()).add(user)
    return [role for role, who in sorted(held.items()) if len(who) > 1 and catalogue().roles[role].signs]


def _require_own(by: User, giver: User) -> None:
    if by.pk != giver.pk:
        raise PermissionDenied(_("Nobody gives away the role of somebody else, and says for them when they are away."))
    _refuse_tokens(by)


def _refuse_tokens(by: User) -> None:
    if not by.is_person or by.token_scopes is not None:
        raise PermissionDenied(_("A token or a machine never delegates: sign in and do it yourself (SOD-12)."))


def _check_dates(begin: datetime, end: datetime) -> None:
    errors: dict[str, list[str]] = {}
    if end <= begin:
        errors["ends_at"] = [_("It ends after it begins, and not in the past.")]
    elif end - begin > LONGEST:
        errors["ends_at"] = [_("At most %(days)d days (SOD-10).") % {"days": MOST_DAYS}]
    if begin > timezone.now() + AHEAD:
        errors["starts_at"] = [_("At most a year ahead.")]
    if errors:
        raise Invalid(_("These dates do not go."), errors=errors)


def _check_people(giver: User, stand_in: User, role: str) -> None:
    found = catalogue().roles.get(role)
    if found is None or not found.signs:
        raise Invalid(_("Only a role that signs is delegated."), errors={"role": [_("Choose a role that signs.")]})
    if giver.pk == stand_in.pk:
        raise Invalid(_("Name somebody else."), errors={"stand_in": [_("You cannot stand in for yourself.")]})
    if not stand_in.is_active or not stand_in.is_person:
        said = _("Name a person whose account is active.")
        raise Invalid(said, errors={"stand_in": [said]})
    if not _holds(giver, role):
        said = _(
            "You do not hold the role %(role)s, so you cannot give it: what somebody only holds as a stand-in is"
            " not theirs to give (SOD-10)."
        ) % {"role": role_name(role)}
        raise Invalid(said, errors={"role": [said]})
    if not _holds(stand_in, role):
        said = _(
            "%(name)s does not hold the role %(role)s anywhere: a stand-in gets no right that they lack (SOD-10)."
        ) % {"name": stand_in, "role": role_name(role)}
        raise Invalid(said, errors={"stand_in": [said]})


def _check_others(giver: User, stand_in: User, role: str, begin: datetime, end: datetime) -> None:
    """No chain, one stand-in at a time, and no 30 days after 30 days."""
    others = Delegation.objects.filter(role=role)
    at_once = others.filter(starts_at__lt=end, ends_at__gt=begin, ended_at__isnull=True)
    if at_once.filter(stand_in=giver).exists():
        raise Conflict(
            _(
                "You stand in for somebody as %(role)s in these days, so you cannot hand that role on: no chains"
                " (SOD-10)."
            )
            % {"role": role_name(role)}
        )
    if at_once.filter(giver=stand_in).exists():
        raise Conflict(
            _("%(name)s is away from this role in these days: somebody stands in for them (SOD-10).")
            % {"name": stand_in}
        )
    if at_once.filter(giver=giver).exists():
        raise Conflict(
            _("Somebody stands in for you as %(role)s in these days already.") % {"role": role_name(role)},
            hint=_("End that delegation first."),
        )
    if _joined(others.filter(giver=giver, stand_in=stand_in), begin, end) > LONGEST:
        raise Conflict(
            _("With the days before or after, %(name)s would stand in for more than %(days)d days on end (SOD-10).")
            % {"name": stand_in, "days": MOST_DAYS},
            hint=_("Name somebody else, or have the role assigned to them."),
        )


def _joined(others: QuerySet[Delegation], begin: datetime, end: datetime) -> timedelta:
    """How long it would be with the delegations that adjoin it, less than a day between them; those taken back early
    count as long as they held."""
    gap = timedelta(days=1)
    first, last = begin, end
    for one in others.filter(ends_at__gt=begin - LONGEST - gap, starts_at__lt=end + LONGEST + gap):
        over = min(one.ends_at, one.ended_at) if one.ended_at else one.ends_at
        if over > one.starts_at and over >= first - gap and one.starts_at <= last + gap:
            first, last = min(first, one.starts_at), max(last, over)
    return last - first


def _refuse_second_absence(person: User, starts_on: date, ends_on: date) -> None:
    rows = Absence.objects.filter(person=person, cancelled_at__isnull=True)
    if rows.filter(starts_on__lte=ends_on, ends_on__gte=starts_on).exists():
        raise Conflict(_("You are away on some of these days already."), hint=_("End that absence first."))


def _of_absence(absence: Absence) -> list[Delegation]:
    begin = datetime.combine(absence.starts_on, time.min, timezone.get_current_timezone())
    end = datetime.combine(absence.ends_on + timedelta(days=1), time.min, timezone.get_current_timezone())
    rows = Delegation.objects.filter(
        Q(ended_at__isnull=True, giver=absence.person_id, stand_in=absence.stand_in_id)
        & Q(ends_at__gt=timezone.now(), starts_at__gte=begin, ends_at__lte=end)
    )
    return list(rows)


def _day(day: date) -> str:
    return f"{day:%-d %b %Y}"


def _holds(person: User, role: str) -> bool:
    return RoleAssignment.objects.filter(user=person, role=role, ended_at__isnull=True).exists()
