"""Say which metric stands behind a KPI, and take that back."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from monitoring.models import KpiLink, Series
from portfolio.models import Kpi, UseCase
from portfolio.services.checks import locked
from portfolio.services.rights import Actor, demand_any, person
from portfolio.signals import announce_change

RIGHTS = ("kpi.define", "monitor.configure")
FIELDS = ("kpi_key", "series", "why")
LONGEST = 300


def link_kpi(*, use_case: UseCase, kpi: str, series: Series, why: str, by: Actor) -> KpiLink:
    """``kpi`` is its key. ``Invalid`` by field for what is not of this use case; ``Conflict`` for a link there is."""
    demand_any(by, RIGHTS, use_case, _("Whoever defines KPIs or sets up monitoring here links them."))
    errors: dict[str, list[str]] = {}
    if not Kpi.objects.filter(use_case=use_case, key=kpi, is_current=True).exists():
        errors["kpi"] = [_("The use case has no such KPI.")]
    if series.use_case_id != use_case.pk:
        errors["series"] = [_("This series belongs to another use case.")]
    if not why.strip() or len(why) > LONGEST:
        errors["why"] = [_("Say in at most %(most)d characters how it moves the KPI.") % {"most": LONGEST}]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        try:
            with transaction.atomic():
                link = KpiLink.objects.create(
                    use_case=fresh, kpi_key=kpi, series=series, why=why.strip(), created_by=person(by)
                )
        except IntegrityError:
            raise Conflict(_("This metric stands behind this KPI already.")) from None
        uow.record("kpi.linked", subject=link, use_case=fresh, after=state(link, FIELDS), note=link.why)
        announce_change(uow, fresh.pk, "kpi")
    return link


def unlink_kpi(*, link: KpiLink, by: Actor) -> None:
    """The metric does not stand behind the KPI any more."""
    demand_any(by, RIGHTS, link.use_case, _("Whoever defines KPIs or sets up monitoring here links them."))
    with unit_of_work(by=by) as uow:
        held = locked(KpiLink, link.pk, "use_case__unit")
        uow.record("kpi.unlinked", subject=held, use_case=held.use_case, before=state(held, FIELDS))
        announce_change(uow, held.use_case_id, "kpi")
        held.delete()
