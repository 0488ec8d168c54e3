"""Roles are given and ended by those who may, to those who may hold them, and every change is on record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts.access import can, roles_on
from accounts.conflicts import signing_roles
from accounts.models import RoleAssignment, User
from accounts.people import holders, people_on
from accounts.roles import catalogue
from accounts.services import Grant, assign_role, assign_roles_bulk, create_person, deactivate, end_role, reactivate
from accounts.signals import roles_changed
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with, token_for
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def test_a_role_is_granted_recorded_and_kept_as_history() -> None:
    use_case = UseCaseFactory.create()
    manager, person = person_with("portfolio_manager", organisation()), PersonFactory.create()
    assignment = assign_role(user=person, role="business_sponsor", on=use_case, by=manager, reason="Funds it.")
    assert roles_on(person, use_case) == {"business_sponsor"}
    assert (assignment.granted_by, assignment.reason, assignment.is_current) == (manager, "Funds it.", True)
    event = Event.objects.get(action="role.assigned", actor_id=manager.pk)
    assert (event.use_case_id, event.unit_path, event.note) == (str(use_case.pk), use_case.unit.path, "Funds it.")
    assert event.changes["user"]["after"] == str(person.pk)


def test_events_about_roles_name_nobody() -> None:
    person = person_with("business_sponsor", UseCaseFactory.create(), full_name="Ottilie Unverwechselbar")
    assert person.full_name
    assert not Event.objects.filter(body__contains="Ottilie").exists()


def test_giving_a_role_twice_changes_nothing() -> None:
    use_case, person = UseCaseFactory.create(), PersonFactory.create()
    first = give(person, "technical_lead", use_case)
    events = Event.objects.count()
    assert give(person, "technical_lead", use_case) == first
    assert Event.objects.count() == events


def test_an_ended_role_is_gone_and_still_told_of() -> None:
    use_case = UseCaseFactory.create()
    person = person_with("technical_lead", use_case)
    manager = person_with("portfolio_manager", organisation())
    assignment = person.role_assignments.get()
    end_role(assignment=assignment, by=manager, reason="Left the team.")
    assert roles_on(person, use_case) == set()
    assert not can(User.objects.get(pk=person.pk), "use_case.view", use_case)
    assignment.refresh_from_db()
    assert (assignment.is_current, assignment.ended_by) == (False, manager)
    event = Event.objects.get(action="role.ended")
    assert event.note == "Left the team."
    assert event.changes["ended_at"]["before"] is None


def test_a_role_cannot_be_ended_twice() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    end_role(assignment=person.role_assignments.get(), by=SYSTEM)
    with pytest.raises(Conflict):
        end_role(assignment=person.role_assignments.get(), by=SYSTEM)


def test_a_role_that_ended_can_be_given_again() -> None:
    use_case = UseCaseFactory.create()
    person = person_with("technical_lead", use_case)
    end_role(assignment=person.role_assignments.get(), by=SYSTEM)
    give(person, "technical_lead", use_case)
    assert roles_on(person, use_case) == {"technical_lead"}
    assert person.role_assignments.count() == 2


def test_nobody_changes_the_roles_of_their_own_account() -> None:
    use_case = UseCaseFactory.create()
    manager = person_with("portfolio_manager", organisation())
    with pytest.raises(PermissionDenied, match="your own account"):
        assign_role(user=manager, role="technical_lead", on=use_case, by=manager)
    with pytest.raises(PermissionDenied, match="your own account"):
        end_role(assignment=manager.role_assignments.get(), by=manager)
    with pytest.raises(PermissionDenied, match="your own account"):
        assign_roles_bulk(grants=[Grant(manager, "technical_lead", use_case)], by=manager)


def test_a_use_case_lead_cannot_assign_roles() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        assign_role(user=PersonFactory.create(), role="auditor", on=use_case, by=person_with("use_case_lead", use_case))


def test_a_manager_of_one_unit_cannot_assign_in_another() -> None:
    manager = person_with("portfolio_manager", UnitFactory.create())
    elsewhere = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        assign_role(user=PersonFactory.create(), role="technical_lead", on=elsewhere, by=manager)
    with pytest.raises(PermissionDenied):
        assign_roles_bulk(grants=[Grant(PersonFactory.create(), "technical_lead", elsewhere)], by=manager)


def test_only_an_administrator_makes_administrators() -> None:
    root, person = organisation(), PersonFactory.create()
    with pytest.raises(PermissionDenied):
        assign_role(user=person, role="system_admin", on=root, by=person_with("portfolio_manager", root))
    with pytest.raises(PermissionDenied):
        assign_roles_bulk(grants=[Grant(person, "system_admin", root)], by=person_with("portfolio_manager", root))
    assign_role(user=person, role="system_admin", on=root, by=person_with("system_admin", root))


@pytest.mark.parametrize("signing", sorted(signing_roles()))
def test_an_administrator_never_gets_a_signing_role(signing: str) -> None:
    admin = person_with("system_admin", organisation())
    use_case = UseCaseFactory.create()
    with pytest.raises(Conflict, match="may never"):
        give(admin, signing, use_case)
    with pytest.raises(Conflict, match="may never"):
        assign_roles_bulk(grants=[Grant(admin, signing, use_case)], by=SYSTEM)
    assert roles_on(User.objects.get(pk=admin.pk), use_case) == {"system_admin"}


def test_a_signer_never_becomes_administrator_even_elsewhere() -> None:
    signer = person_with("security", UnitFactory.create())
    with pytest.raises(Conflict, match="Security"):
        give(signer, "system_admin", organisation())


def test_an_administrator_may_hold_roles_that_do_not_sign() -> None:
    admin = person_with("system_admin", organisation())
    give(admin, "auditor", organisation())
    assert admin.role_assignments.count() == 2


def test_a_service_account_holds_the_role_for_machines_alone() -> None:
    use_case, machine = UseCaseFactory.create(), ServiceAccountFactory.create()
    for role in catalogue().roles:
        if role != "service_account":
            with pytest.raises(Conflict, match="machines send"):
                give(machine, role, use_case)
    give(machine, "service_account", use_case)


def test_a_person_never_gets_the_role_for_machines() -> None:
    with pytest.raises(Conflict, match="for machines"):
        give(PersonFactory.create(), "service_account", UseCaseFactory.create())


def test_an_unknown_role_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="emperor"):
        give(PersonFactory.create(), "emperor", UseCaseFactory.create())


def test_an_inactive_account_is_given_nothing() -> None:
    with pytest.raises(Conflict, match="not active"):
        give(PersonFactory.create(is_active=False), "auditor", organisation())


def test_many_roles_are_given_with_one_event_and_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    unit = UnitFactory.create()
    UseCase.objects.bulk_create(UseCase(key=f"u{n}", name=f"U {n}", unit=unit) for n in range(300))
    cases = list(UseCase.objects.filter(unit=unit).select_related("unit"))
    people = [PersonFactory.create() for _ in range(5)]
    grants = [Grant(people[n % 5], "technical_lead", case) for n, case in enumerate(cases)]
    grants += [Grant(people[0], "technical_lead", cases[0]), Grant(people[1], "auditor", organisation())]
    before = Event.objects.count()
    with django_assert_max_num_queries(25):
        made = assign_roles_bulk(grants=grants, by=SYSTEM, reason="Import")
    assert len(made) == 301
    assert Event.objects.count() == before + 1
    event = Event.objects.get(action="roles.assigned")
    assert event.changes["roles"]["after"] == {"technical_lead": 300, "auditor": 1}
    assert roles_on(people[1], cases[1]) == {"technical_lead", "auditor"}
    assert assign_roles_bulk(grants=grants, by=SYSTEM) == []


def test_a_batch_with_one_conflict_gives_nothing() -> None:
    use_case, person = UseCaseFactory.create(), PersonFactory.create()
    grants = [Grant(person, "auditor", use_case), Grant(person, "service_account", use_case)]
    with pytest.raises(Conflict):
        assign_roles_bulk(grants=grants, by=SYSTEM)
    assert not RoleAssignment.objects.exists()


def test_two_roles_of_one_batch_may_not_clash_either() -> None:
    person = PersonFactory.create()
    grants = [Grant(person, "system_admin", organisation()), Grant(person, "security", organisation())]
    with pytest.raises(Conflict, match="may never"):
        assign_roles_bulk(grants=grants, by=SYSTEM)


def test_role_changes_are_announced_after_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[tuple[str, set[object]]] = []

    def listener(scope_ids: set[object], what: str, **kwargs: object) -> None:
        heard.append((what, scope_ids))

    use_case, person = UseCaseFactory.create(), PersonFactory.create()
    roles_changed.connect(listener)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assignment = give(person, "auditor", use_case)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            end_role(assignment=assignment, by=SYSTEM)
    finally:
        roles_changed.disconnect(listener)
    assert heard == [("assigned", {use_case.pk}), ("ended", {use_case.pk})]


def test_people_of_use_cases_come_with_those_of_their_units_nearest_first(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    retail = UnitFactory.create(code="retail", name="Retail")
    cards = UnitFactory.create(code="cards", name="Cards", parent=retail)
    a, b = UseCaseFactory.create(unit=cards), UseCaseFactory.create()
    sponsor = person_with("business_sponsor", a)
    steward = person_with("data_steward", retail)
    auditor = person_with("auditor", organisation())
    gone = person_with("technical_lead", a)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with django_assert_num_queries(4):
        found = people_on([a.pk, b.pk])
    assert [(held.user, held.role, held.inherited_from) for held in found[a.pk]] == [
        (sponsor, "business_sponsor", ""),
        (steward, "data_steward", "Retail"),
        (auditor, "auditor", "Acme Group"),
    ]
    assert [held.user for held in found[b.pk]] == [auditor]
    assert found[b.pk][0].role_name == "Internal or external auditor"


def test_end_users_of_a_whole_unit_are_not_people_of_each_use_case() -> None:
    use_case = UseCaseFactory.create()
    person_with("end_user", organisation())
    user = person_with("end_user", use_case)
    assert [held.user for held in people_on([use_case.pk])[use_case.pk]] == [user]


def test_holders_of_a_role_are_direct_or_inherited_and_active() -> None:
    unit = UnitFactory.create()
    use_case = UseCaseFactory.create(unit=unit)
    direct = person_with("technical_lead", use_case, full_name="B")
    above = person_with("technical_lead", unit, full_name="A")
    person_with("technical_lead", UnitFactory.create())
    left = person_with("technical_lead", use_case)
    User.objects.filter(pk=left.pk).update(is_active=False)
    assert holders(role="technical_lead", use_case=use_case) == [above, direct]


def test_deactivating_ends_roles_and_tokens_and_says_why() -> None:
    use_case = UseCaseFactory.create()
    person, admin = person_with("technical_lead", use_case), person_with("system_admin", organisation())
    token, _key = token_for(person)
    deactivate(user=person, by=admin, reason="Left the organisation.")
    person = User.objects.get(pk=person.pk)
    token.refresh_from_db()
    assert (person.is_active, token.is_usable()) == (False, False)
    assert not person.role_assignments.filter(ended_at__isnull=True).exists()
    event = Event.objects.get(action="account.deactivated")
    assert (event.note, event.changes["roles"]) == ("Left the organisation.", {"before": 1, "after": 0})
    reactivate(user=person, by=admin)
    assert roles_on(person, use_case) == set()


def test_deactivating_needs_a_reason_and_another_person() -> None:
    admin = person_with("system_admin", organisation())
    with pytest.raises(PermissionDenied, match="your own account"):
        deactivate(user=admin, by=admin, reason="x")
    with pytest.raises(Invalid):
        deactivate(user=PersonFactory.create(), by=admin, reason=" ")
    with pytest.raises(PermissionDenied):
        deactivate(user=PersonFactory.create(), by=person_with("portfolio_manager", organisation()), reason="x")


def test_only_administrators_open_accounts_and_events_hide_names() -> None:
    with pytest.raises(PermissionDenied):
        create_person(email="ada@example.org", full_name="Ada", by=person_with("portfolio_manager", organisation()))
    person = create_person(
        email=" Ada@Example.org ", full_name="Ada  Lovelace", by=person_with("system_admin", organisation())
    )
    assert (person.email, person.full_name, person.has_usable_password()) == ("ada@example.org", "Ada Lovelace", False)
    event = Event.objects.get(action="person.created")
    assert "Lovelace" not in event.body
    assert "example.org" not in event.body
    assert "Lovelace" not in event.subject_label


@pytest.mark.parametrize("email", ["nonsense", "", "a b@example.org"])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        create_person(email=email, full_name="Ada", by=SYSTEM)
    assert "email" in refusal.value.errors


def test_an_address_has_one_account() -> None:
    PersonFactory.create(email="ada@example.org")
    with pytest.raises(Invalid):
        create_person(email="ADA@example.org", full_name="Ada", by=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_two_conflicting_roles_given_at_once_do_not_both_stick() -> None:
    root, person = organisation(), PersonFactory.create()

    def attempt(role: str) -> str:
        try:
            give(User.objects.get(pk=person.pk), role, root)
        except Conflict:
            return "refused"
        finally:
            connections.close_all()
        return "given"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, ["system_admin", "security"])) == ["given", "refused"]
    assert RoleAssignment.objects.filter(user=person).count() == 1
    assert connection.vendor in {"sqlite", "postgresql"}
