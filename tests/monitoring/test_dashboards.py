"""Dashboards: who makes them, who sees them, who changes them, and that nobody's work is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from kernel.errors import Conflict, Invalid
from ledger.models import Event
from monitoring import layouts
from monitoring.models import Dashboard
from monitoring.models.dashboards import KEPT
from monitoring.ready_made import ready_made
from monitoring.selectors.dashboards import dashboards_for, deleted_by, may_edit
from monitoring.services.dashboards import (
    arrange_dashboard,
    clone_dashboard,
    create_dashboard,
    definition_of,
    delete_dashboard,
    edit_dashboard,
    import_dashboard,
    restore_dashboard,
)
from monitoring.tasks import forget_dashboards
from monitoring.widget import Scope
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.dashboards import NOTE, dashboard
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def test_a_dashboard_begins_as_the_ready_made_one_and_is_recorded() -> None:
    series = SeriesFactory.create()
    points(series, [0.9])
    lead = person_with("technical_lead", series.use_case)
    made = create_dashboard(scope=Scope(use_case=series.use_case), by=lead, name="Mine")
    assert [each["widget"] for each in made.layout][:3] == ["value", "kpis", "assurance"]
    assert {each["id"] for each in made.layout} == {f"w{n}" for n in range(1, len(made.layout) + 1)}
    assert Event.objects.filter(action="dashboard.created", subject_id=str(made.pk)).exists()


def test_one_is_private_until_it_is_shared() -> None:
    use_case = UseCaseFactory.create()
    lead, owner = person_with("technical_lead", use_case), person_with("business_owner", use_case)
    scope = Scope(use_case=use_case)
    made = dashboard(lead, scope)
    assert list(dashboards_for(lead)) == [made]
    assert list(dashboards_for(owner)) == []
    made = edit_dashboard(dashboard=made, revision=1, changes={"sharing": "everybody"}, by=lead)
    assert list(dashboards_for(owner)) == [made]
    assert list(dashboards_for(PersonFactory.create())) == []


def test_roles_see_what_is_shared_with_them_and_no_others_do() -> None:
    use_case = UseCaseFactory.create()
    lead, owner, sponsor = (
        person_with(role, use_case) for role in ("technical_lead", "business_owner", "business_sponsor")
    )
    made = dashboard(lead, Scope(use_case=use_case), sharing="roles", roles=["business_owner"])
    assert list(dashboards_for(owner)) == [made]
    assert list(dashboards_for(sponsor)) == []
    elsewhere = person_with("business_owner", UseCaseFactory.create())
    assert list(dashboards_for(elsewhere)) == []
    made = edit_dashboard(dashboard=made, revision=1, changes={"sharing": "private"}, by=lead)
    assert not made.shares.exists()


@pytest.mark.parametrize("roles", [[], ["king"]])
def test_sharing_with_roles_names_roles_that_exist(roles: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        dashboard(PersonFactory.create(), sharing="roles", roles=roles)
    assert list(refused.value.errors) == ["roles"]


def test_a_shared_one_is_changed_by_its_owner_and_by_who_configures_monitoring() -> None:
    use_case = UseCaseFactory.create()
    owner, lead = person_with("business_owner", use_case), person_with("technical_lead", use_case)
    sponsor = person_with("business_sponsor", use_case)
    made = dashboard(owner, Scope(use_case=use_case))
    assert not may_edit(lead, made)
    made = edit_dashboard(dashboard=made, revision=1, changes={"sharing": "everybody"}, by=owner)
    assert (may_edit(owner, made), may_edit(lead, made), may_edit(sponsor, made)) == (True, True, False)
    assert edit_dashboard(dashboard=made, revision=2, changes={"name": "Ours now"}, by=lead).revision == 3
    with pytest.raises(PermissionDenied):
        edit_dashboard(dashboard=made, revision=3, changes={"name": "Theirs"}, by=sponsor)
    with pytest.raises(PermissionDenied):
        delete_dashboard(dashboard=made, by=lead)


def test_the_second_of_two_who_edit_is_told_and_nothing_is_lost() -> None:
    by = PersonFactory.create()
    made = dashboard(by)
    arrange_dashboard(dashboard=made, revision=1, layout=layouts.resized(made.layout, "w1", "wider"), by=by)
    with pytest.raises(Conflict, match="Somebody changed this dashboard"):
        arrange_dashboard(dashboard=made, revision=1, layout=[], by=by)
    made.refresh_from_db()
    assert (made.layout[0]["width"], made.revision) == (6, 2)


def test_an_edit_that_changes_nothing_is_none() -> None:
    by = PersonFactory.create()
    made = dashboard(by)
    assert edit_dashboard(dashboard=made, revision=1, changes={"name": made.name}, by=by).revision == 1
    assert not Event.objects.filter(action="dashboard.edited").exists()


def test_a_deleted_one_can_be_had_back_by_its_owner() -> None:
    by = PersonFactory.create()
    made = delete_dashboard(dashboard=dashboard(by), by=by)
    assert (list(dashboards_for(by)), list(deleted_by(by))) == ([], [made])
    with pytest.raises(Conflict):
        edit_dashboard(dashboard=made, revision=1, changes={"name": "Gone"}, by=by)
    with pytest.raises(PermissionDenied):
        restore_dashboard(dashboard=made, by=PersonFactory.create())
    restore_dashboard(dashboard=made, by=by)
    assert list(dashboards_for(by)) == [made]
    actions = Event.objects.filter(subject_id=str(made.pk)).order_by("index").values_list("action", flat=True)
    assert list(actions) == ["dashboard.created", "dashboard.deleted", "dashboard.restored"]


def test_what_nobody_had_back_in_time_is_gone_and_on_record() -> None:
    by = PersonFactory.create()
    late = delete_dashboard(dashboard=dashboard(by), by=by)
    kept = delete_dashboard(dashboard=dashboard(by), by=by)
    there = dashboard(by)
    Dashboard.objects.filter(pk=late.pk).update(deleted_at=timezone.now() - KEPT)
    late.refresh_from_db()
    assert list(deleted_by(by)) == [kept]
    with pytest.raises(Conflict, match="too long ago"):
        restore_dashboard(dashboard=late, by=by)
    assert forget_dashboards() == 1
    assert forget_dashboards() == 0
    assert set(Dashboard.objects.all()) == {kept, there}
    event = Event.objects.get(action="dashboard.purged")
    assert (event.subject_id, event.actor_kind) == (str(late.pk), "system")


def test_a_name_is_used_once_by_one_person_and_again_after_a_deletion() -> None:
    by = PersonFactory.create()
    made = dashboard(by)
    dashboard(PersonFactory.create())
    with pytest.raises(Conflict, match="called Ours already"):
        dashboard(by)
    delete_dashboard(dashboard=made, by=by)
    dashboard(by)
    with pytest.raises(Conflict):
        restore_dashboard(dashboard=made, by=by)


def test_machines_make_none_and_nobody_makes_one_about_what_they_may_not_see() -> None:
    use_case = UseCaseFactory.create()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    for by in (machine, PersonFactory.create()):
        with pytest.raises(PermissionDenied):
            dashboard(by, Scope(use_case=use_case))


def test_a_definition_goes_out_and_comes_in_for_another_use_case() -> None:
    one, other = SeriesFactory.create(), SeriesFactory.create()
    points(one, [0.9])
    portfolio = person_with("portfolio_manager", organisation())
    made = create_dashboard(scope=Scope(use_case=one.use_case), by=portfolio, name="Quality")
    sent = definition_of(name=made.name, description="", range="7d", layout=made.layout)
    read = import_dashboard(definition=sent, scope=Scope(use_case=other.use_case), by=portfolio, name="Quality there")
    assert (read.layout, read.range, read.name) == (made.layout, "7d", "Quality there")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": "grafana"}, "format"),
        ({"surprise": 1}, "surprise"),
        ({"range": "fortnight"}, "range"),
        ({"name": ""}, "name"),
        ({"widgets": {}}, "widgets"),
        ({"widgets": [NOTE] * 25}, "widgets"),
        ({"widgets": ["note"]}, "widgets.0"),
        ({"widgets": [NOTE, {"widget": "pie"}]}, "widgets.1.widget"),
        ({"widgets": [{**NOTE, "width": 5}]}, "widgets.0.width"),
        ({"widgets": [{**NOTE, "width": True}]}, "widgets.0.width"),
        ({"widgets": [{**NOTE, "height": "huge"}]}, "widgets.0.height"),
        ({"widgets": [{**NOTE, "title": "x" * 121}]}, "widgets.0.title"),
        ({"widgets": [{**NOTE, "id": "<b>"}]}, "widgets.0.id"),
        ({"widgets": [{**NOTE, "colour": "red"}]}, "widgets.0.colour"),
        ({"widgets": [{"widget": "note", "params": {}}]}, "widgets.0.params.text"),
        ({"widgets": [{"widget": "note", "params": {"text": "x", "size": 3}}]}, "widgets.0.params.size"),
        ({"widgets": [{"widget": "line", "params": {"series": ["UC-9:f1"]}}]}, "widgets.0.params.series"),
        ({"widgets": [{"widget": "series_table", "params": {"most": 5000}}]}, "widgets.0.params.most"),
    ],
)
def test_a_definition_that_is_wrong_is_refused_with_the_place(change: dict[str, Any], place: str) -> None:
    sent = {"format": "tollgate-dashboard/1", "name": "X", "widgets": [NOTE], **change}
    with pytest.raises(Invalid) as refused:
        import_dashboard(definition=sent, scope=Scope(), by=PersonFactory.create())
    assert place in refused.value.errors
    assert not Dashboard.objects.exists()


@pytest.mark.parametrize("definition", [None, [], "text", 7])
def test_what_is_no_definition_is_refused(definition: object) -> None:
    with pytest.raises(Invalid):
        import_dashboard(definition=definition, scope=Scope(), by=PersonFactory.create())


def test_widgets_move_grow_and_go_and_stay_within_bounds() -> None:
    layout = layouts.checked([NOTE, NOTE, NOTE], Scope(), PersonFactory.create())

    def keys(rows: layouts.Layout) -> list[str]:
        return [row["id"] for row in rows]

    assert keys(layouts.moved(layout, "w1", 1)) == ["w2", "w1", "w3"]
    assert keys(layouts.moved(layout, "w1", -1)) == ["w1", "w2", "w3"]
    assert keys(layouts.moved(layout, "w3", 1)) == ["w1", "w2", "w3"]
    assert keys(layouts.ordered(layout, ["w3", "w1", "w2"])) == ["w3", "w1", "w2"]
    with pytest.raises(Conflict):
        layouts.ordered(layout, ["w3", "w1"])
    with pytest.raises(Conflict):
        layouts.removed(layout, "w9")
    wider = layout
    for _ in range(9):
        wider = layouts.resized(wider, "w1", "wider")
    assert wider[0]["width"] == 12
    assert layouts.resized(layout, "w1", "7")[0]["width"] in (6, 8)
    with pytest.raises(Invalid):
        layouts.resized(layout, "w1", "rounder")


def test_a_version_has_a_ready_made_one_of_its_own_series() -> None:
    version = ModelVersionFactory.create(label="2.1")
    use_case = version.model.use_case
    mine = SeriesFactory.create(use_case=use_case, version=version, metric="f1")
    SeriesFactory.create(use_case=use_case, metric="psi")
    points(mine, [0.9])
    lead = person_with("technical_lead", use_case)
    scope = Scope(use_case=use_case, version=version)
    layout = ready_made(scope, lead)
    assert [each["params"] for each in layout if each["widget"] == "line"] == [{"series": ["f1||2.1"]}]
    assert layouts.checked(layout, scope, lead) == layout


def test_a_copy_is_ones_own_and_stays_when_the_first_goes() -> None:
    first, second = PersonFactory.create(), PersonFactory.create()
    made = dashboard(first, sharing="everybody")
    copied = clone_dashboard(scope=Scope(), layout=made.layout, name="Copy", by=second)
    delete_dashboard(dashboard=made, by=first)
    assert list(dashboards_for(second)) == [copied]
    assert copied.sharing == "private"


def test_the_database_keeps_a_dashboard_to_one_scope() -> None:
    by, use_case = PersonFactory.create(), UseCaseFactory.create()
    with pytest.raises(IntegrityError, match="dashboard_one_scope"), transaction.atomic():
        Dashboard.objects.create(name="x", owner=by, use_case=use_case, unit=use_case.unit)
    with pytest.raises(IntegrityError, match="dashboard_version_in_a_use_case"), transaction.atomic():
        Dashboard.objects.create(name="x", owner=by, version=ModelVersionFactory.create())
