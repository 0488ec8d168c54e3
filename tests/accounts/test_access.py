"""Who sees and may do what, and how many queries it takes to know."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import access
from accounts.access import (
    actions_on,
    can,
    can_everywhere,
    for_user,
    forget_grants,
    possible_actions,
    roles_on,
    to_act_on,
)
from accounts.models import User
from accounts.roles import catalogue
from portfolio.models import BusinessUnit, Kpi, UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.portfolio import KpiFactory, UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def seen_by(user: User, action: str = "use_case.view") -> set[str]:
    forget_grants(user)
    return set(for_user(UseCase.objects.all(), user, action).values_list("key", flat=True))


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_role_on_a_unit_holds_for_all_units_below_it() -> None:
    retail = UnitFactory.create(code="retail")
    cards = UnitFactory.create(code="cards", parent=retail)
    UseCaseFactory.create(key="a", unit=retail)
    UseCaseFactory.create(key="b", unit=cards)
    UseCaseFactory.create(key="c", unit=UnitFactory.create(code="treasury"))
    assert seen_by(person_with("technical_lead", retail)) == {"a", "b"}
    assert seen_by(person_with("technical_lead", cards)) == {"b"}
    assert seen_by(person_with("technical_lead", organisation())) == {"a", "b", "c"}


def test_a_unit_whose_code_begins_like_another_is_not_below_it() -> None:
    UseCaseFactory.create(key="a", unit=UnitFactory.create(code="retail-banking"))
    assert seen_by(person_with("technical_lead", UnitFactory.create(code="retail"))) == set()


def test_a_role_on_one_use_case_holds_there_alone() -> None:
    unit = UnitFactory.create()
    mine = UseCaseFactory.create(key="mine", unit=unit)
    UseCaseFactory.create(key="other", unit=unit)
    lead = person_with("use_case_lead", mine)
    assert seen_by(lead) == {"mine"}
    assert seen_by(lead, "gate.submit") == {"mine"}
    assert seen_by(lead, "gate.sign") == set()


def test_rows_of_a_use_case_follow_its_visibility() -> None:
    kpi = KpiFactory.create()
    KpiFactory.create()
    owner = person_with("business_owner", kpi.use_case)
    assert list(for_user(Kpi.objects.all(), owner, "kpi.define")) == [kpi]


def test_a_stranger_sees_nothing() -> None:
    UseCaseFactory.create()
    stranger = PersonFactory.create()
    assert seen_by(stranger) == set()
    assert not for_user(BusinessUnit.objects.all(), stranger, "use_case.view").exists()


def test_whoever_created_a_use_case_sees_it_and_may_do_nothing_more() -> None:
    author = PersonFactory.create()
    own = UseCaseFactory.create(key="own", created_by=author)
    UseCaseFactory.create(key="other", unit=own.unit)
    assert seen_by(author) == {"own"}
    assert not can(author, "use_case.edit", own)
    assert actions_on(author, own) == {"use_case.view"}


def test_an_end_user_of_a_unit_sees_only_what_they_created() -> None:
    unit = UnitFactory.create()
    user = person_with("end_user", unit)
    UseCaseFactory.create(key="own", unit=unit, created_by=user)
    UseCaseFactory.create(key="other", unit=unit)
    assert seen_by(user) == {"own"}
    assert can(user, "use_case.create", unit)


def test_whoever_works_on_a_use_case_may_add_another_to_its_unit_and_to_no_other() -> None:
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    assert can(owner, "use_case.create", use_case.unit)
    assert not can(owner, "use_case.create", UnitFactory.create())


def test_an_action_wider_than_its_role_reaches_everything() -> None:
    """Whoever holds any role may report an incident anywhere (``all`` on an ``assigned`` role)."""
    UseCaseFactory.create(key="other")
    lead = person_with("technical_lead", UseCaseFactory.create(key="mine"))
    assert seen_by(lead, "incident.report") == {"mine", "other"}
    assert seen_by(lead, "incident.manage") == {"mine"}


def test_an_action_of_the_whole_unit_reaches_beside_the_use_case() -> None:
    """Business owners hold their role on use cases and see reports of the unit (``domain``)."""
    unit = UnitFactory.create()
    mine = UseCaseFactory.create(key="mine", unit=unit)
    UseCaseFactory.create(key="beside", unit=unit)
    UseCaseFactory.create(key="elsewhere")
    assert seen_by(person_with("business_owner", mine), "report.view_portfolio") == {"mine", "beside"}


def test_an_inactive_account_sees_nothing() -> None:
    use_case = UseCaseFactory.create()
    person = person_with("auditor", organisation())
    User.objects.filter(pk=person.pk).update(is_active=False)
    person = fresh(person)
    assert seen_by(person) == set()
    assert roles_on(person, use_case) == set()
    assert actions_on(person, use_case) == frozenset()
    assert possible_actions(person) == frozenset()
    assert not can(person, "use_case.view")


def test_a_superuser_as_such_has_no_rights_over_use_cases() -> None:
    use_case = UseCaseFactory.create()
    root = User.objects.create_superuser("root@example.org", full_name="Root")
    assert seen_by(root) == set()
    assert not can(root, "use_case.view", use_case)
    assert not can(root, "role.assign", organisation())
    assert actions_on(root, use_case) == frozenset()


def test_a_token_does_what_its_scopes_and_its_account_both_allow() -> None:
    use_case = UseCaseFactory.create(key="a")
    lead = person_with("technical_lead", use_case)
    lead.token_scopes = frozenset({"evidence.upload", "use_case.stop"})
    assert seen_by(lead) == set()
    assert seen_by(lead, "evidence.upload") == {"a"}
    assert seen_by(lead, "use_case.stop") == set()
    assert actions_on(lead, use_case) == {"evidence.upload"}


def test_a_token_without_the_scope_hides_even_what_its_account_created() -> None:
    author = PersonFactory.create()
    UseCaseFactory.create(created_by=author)
    author.token_scopes = frozenset({"evidence.upload"})
    assert seen_by(author) == set()


def test_a_service_account_reaches_its_use_case_for_what_machines_do() -> None:
    use_case = UseCaseFactory.create(key="a")
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    assert seen_by(machine, "monitor.ingest") == {"a"}
    assert seen_by(machine, "use_case.view") == set()
    assert seen_by(machine, "incident.report") == {"a"}


@pytest.mark.parametrize("everywhere", [False, True])
def test_what_one_may_act_on_is_found_without_being_seen(everywhere: bool) -> None:
    use_case = UseCaseFactory.create(key="a")
    UseCaseFactory.create(key="b")
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", organisation() if everywhere else use_case)

    def found(user: User, action: str) -> set[str]:
        return {row.key for row in to_act_on(UseCase.objects.all(), User.objects.get(pk=user.pk), action)}

    assert found(machine, "kpi.record") == ({"a", "b"} if everywhere else {"a"})
    assert found(machine, "kpi.define") == set()
    assert found(person_with("auditor", use_case), "kpi.record") == {"a"}
    assert found(person_with("auditor", organisation()), "kpi.record") == {"a", "b"}
    assert found(PersonFactory.create(), "kpi.record") == set()


def test_the_refusal_names_the_roles_that_could() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied, match="Use case lead, Transition owner"):
        access.require(person_with("auditor", organisation()), "gate.submit", use_case)


def test_rights_over_the_whole_organisation_are_not_given_by_a_unit() -> None:
    assert can_everywhere(person_with("system_admin", organisation()), "user.manage")
    assert not can_everywhere(person_with("system_admin", UnitFactory.create()), "user.manage")


def test_an_unknown_action_is_an_error_and_never_a_yes() -> None:
    with pytest.raises(KeyError):
        can(PersonFactory.create(), "use_case.destroy")


def test_actions_on_says_the_same_as_asking_one_by_one() -> None:
    use_case = UseCaseFactory.create()
    for holder in ("business_sponsor", "technical_lead", "auditor", "data_steward", "human_reviewer"):
        person = person_with(holder, use_case)
        forget_grants(person)
        assert actions_on(person, use_case) == {a for a in catalogue().actions if can(person, a, use_case)}


@pytest.mark.parametrize("role", ["technical_lead", "auditor", "business_owner"])
def test_queries_do_not_depend_on_the_number_of_use_cases(role: str) -> None:
    unit = UnitFactory.create()
    cases = [UseCaseFactory.create(unit=unit) for _ in range(5)]
    person = person_with(role, cases[0])
    give(person, role, unit)
    few = _queries(person)
    UseCase.objects.bulk_create(UseCase(key=f"bulk-{n}", name=f"Bulk {n}", unit=unit) for n in range(195))
    assert UseCase.objects.count() == 200
    many = _queries(person)
    assert few == many
    assert few["list"] == 2
    assert few["wide"] <= 3


def _queries(person: User) -> dict[str, int]:
    counts = {}
    for name, action in (("list", "use_case.view"), ("wide", "incident.report"), ("domain", "report.view_portfolio")):
        person = fresh(person)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            list(for_user(UseCase.objects.all(), person, action))
        counts[name] = len(asked)
    return counts
