"""The pages of policies, drafts and simulations: who sees what, what forms do to the text, how many queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gates.in_force import body_of
from gates.models import PolicyVersion, Simulation
from gates.services.policies import propose_draft, save_draft, start_draft, start_extension, text_digest
from gates.services.simulations import simulate_draft
from gates.tasks import simulate_policy
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.gates import publish, ready_case, shipped_policies, small_policy, small_text
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, address: str, status: int = 200) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == status, answer.content[:400]
    return str(answer.content.decode())


def author() -> User:
    return person_with("portfolio_manager", organisation())


def board() -> User:
    return person_with("ai_governance_board", organisation())


def draft(by: User) -> PolicyVersion:
    version = PolicyVersion.objects.filter(state="published").first() or small_policy()
    return start_draft(policy=version.policy, by=by, label="1.1.0")


def address(version: PolicyVersion, rest: str = "") -> str:
    return f"/gates/policy-drafts/{version.pk}/{rest}"


def hidden(text: str, name: str = "seen") -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found
    return found[1]


def fields(text: str) -> dict[str, Any]:
    """What a browser would send of the form on a page."""
    form = text[text.rindex('<form class="form', 0, text.rindex("form__actions")) :]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        kind, name, value = (re.search(rf'{a}="([^"]*)"', tag) for a in ("type", "name", "value"))
        if not name or (kind and kind[1] in ("checkbox", "radio") and "checked" not in tag):
            continue
        given = value[1] if value else "on" if kind and kind[1] == "checkbox" else ""
        found.setdefault(name[1], []).append(given)
    for name, options in re.findall(r'<select name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = [chosen[1] if chosen else ""]
    return found


# reading


def test_everybody_reads_policies_and_strangers_no_drafts() -> None:
    by = author()
    version = draft(by)
    stranger = PersonFactory.create()
    for rest in ("", "versions/", "text/"):
        assert "Small policy" in page(stranger, f"/gates/policies/small/{rest}")
    assert "1.1.0" not in page(stranger, "/gates/policies/")
    assert "1.1.0" not in page(stranger, "/gates/policies/small/versions/")
    page(stranger, "/gates/policies/small/?version=1.1.0", 404)
    for rest in ("", "text/", "form/", "simulation/"):
        page(stranger, address(version, rest), 404)
        assert Client().get(address(version, rest)).status_code == 302
    assert "1.1.0" in page(by, "/gates/policies/")
    assert as_(stranger).post(address(version, "discard/")).status_code == 404


def test_a_policy_tells_all_its_rules_and_each_criterion_has_an_address() -> None:
    shipped_policies()
    text = page(PersonFactory.create(), "/gates/policies/default/")
    for said in ('id="PP-03"', 'href="#PP-03"', "cannot be waived", "Board quorum", "SOD-09", "Who accepts risk",
                 "Longest waiver" if "Longest waiver" in text else "A waiver runs at most"):  # fmt: skip
        assert said in text, said


def test_any_two_versions_are_compared() -> None:
    small_policy()
    publish(small_text(version="1.1.0").replace("high: 0.9, unit", "high: 0.95, unit"))
    publish(small_text(version="1.2.0").replace("high: 0.9, unit", "high: 0.97, unit"))
    reader = PersonFactory.create()
    text = page(reader, "/gates/policies/small/versions/?from=1.0.0&to=1.2.0")
    assert "&gt;= 0.9<" in text
    assert "&gt;= 0.97<" in text
    assert "tightened" in text
    back = page(reader, "/gates/policies/small/versions/?from=1.2.0&to=1.0.0")
    assert "loosened" in back


def test_the_text_is_sent_as_a_file() -> None:
    small_policy()
    answer = as_(PersonFactory.create()).get("/gates/policies/small/text/?download")
    assert answer.content.decode() == small_text()
    assert "small-1.0.0.yaml" in answer["Content-Disposition"]


# drafting


def test_a_draft_is_started_and_its_label_has_to_be_raised() -> None:
    small_policy()
    by = author()
    client = as_(by)
    assert 'value="1.1.0"' in page(by, "/gates/policies/small/draft/")
    refused = client.post("/gates/policies/small/draft/", {"label": "1.0.0"})
    assert refused.status_code == 422
    assert "has to be higher" in refused.content.decode()
    assert client.post("/gates/policies/small/draft/", {"label": "1.1.0", "note": "Why"}).status_code == 302
    assert PolicyVersion.objects.get(label="1.1.0").note == "Why"
    assert as_(PersonFactory.create()).get("/gates/policies/small/draft/").status_code == 403


def test_a_wrong_text_is_shown_with_its_line_and_stays_in_the_box() -> None:
    by = author()
    version = draft(by)
    text = version.text.replace("owner: technical_lead", "owner: janitor  # new", 1)
    number = text[: text.index("janitor")].count("\n") + 1
    answer = as_(by).post(address(version, "text/"), {"text": text, "seen": text_digest(version)})
    body = answer.content.decode()
    assert answer.status_code == 422
    assert f'data-editor-line="{number}"' in body
    assert "unknown role &#x27;janitor&#x27;" in body
    assert "janitor  # new" in body[body.index("<textarea") :]
    version.refresh_from_db()
    assert "janitor" not in version.text


def test_a_text_saved_by_somebody_else_meanwhile_is_not_overwritten() -> None:
    by, other = author(), author()
    version = draft(by)
    seen = text_digest(version)
    save_draft(version=version, text=version.text.replace("high: 90}", "high: 80}"), by=other, seen=seen)
    mine = version.text.replace("high: 90}", "high: 70}")
    answer = as_(by).post(address(version, "text/"), {"text": mine, "seen": seen})
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "high: 70}" in body
    assert "high: 80}" in body


def test_the_form_changes_one_threshold_and_leaves_every_other_sign() -> None:
    by = author()
    version = draft(by)
    commented = version.text.replace("type: metric_threshold", "type: metric_threshold   # agreed in May")
    version = save_draft(version=version, text=commented, by=by, seen=text_digest(version))
    where = address(version, "form/idea_to_poc/criteria/IP-02/")
    given = fields(page(by, where))
    assert given["limit_high"] == ["0.9"]
    given["limit_high"] = ["0.95"]
    assert as_(by).post(where, given).status_code == 302
    version.refresh_from_db()
    assert version.text == commented.replace("high: 0.9, unit", "high: 0.95, unit")


def test_the_form_changes_modes_days_and_waiving() -> None:
    by = author()
    version = draft(by)
    where = address(version, "form/idea_to_poc/criteria/IP-02/")
    given = fields(page(by, where))
    given.update({"mode_minimal": ["advisory"], "days_high": ["30"]})
    given.pop("waivable")
    assert as_(by).post(where, given).status_code == 302
    version.refresh_from_db()
    criterion = body_of(version).gates["idea_to_poc"].criterion("IP-02")
    assert (criterion.applies["minimal"], criterion.validity_days, criterion.waivable) == (
        "advisory",
        {"high": 30},
        False,
    )


def test_the_form_says_what_it_refuses_and_saves_nothing() -> None:
    by = author()
    version = draft(by)
    where = address(version, "form/idea_to_poc/criteria/IP-02/")
    given = fields(page(by, where))
    given["limit_high"] = ["0.1"]
    answer = as_(by).post(where, given)
    assert answer.status_code == 422
    assert "contradictory" in answer.content.decode()
    given["limit_high"] = ["many"]
    assert as_(by).post(where, given).status_code == 422
    given.update({"limit_high": ["0.95"], "seen": ["0" * 64]})
    assert as_(by).post(where, given).status_code == 409
    version.refresh_from_db()
    assert "high: 0.9, unit" in version.text


def test_the_form_changes_signers_and_their_days() -> None:
    by = author()
    version = draft(by)
    where = address(version, "form/idea_to_poc/signatures/")
    given = fields(page(by, where))
    given["signers_minimal"] = [*given["signers_minimal"], "security"]
    given["signers_high"] = ["business_owner"]
    given["sla_minimal"] = ["3"]
    assert as_(by).post(where, given).status_code == 302
    version.refresh_from_db()
    slots = body_of(version).matrix["idea_to_poc"]
    assert slots["minimal"].signers == ("business_owner", "security")
    assert slots["minimal"].decision_sla_days == 3
    assert slots["high"].signers == ("business_owner",)


def test_the_form_changes_what_holds_for_every_gate() -> None:
    by = author()
    version = draft(by)
    where = address(version, "form/")
    given = fields(page(by, where))
    given.update({"label": ["1.2.0"], "cadence_high": ["60"], "waiver_high": ["30"], "sign_off": ["20"]})
    assert as_(by).post(where, given).status_code == 302
    version.refresh_from_db()
    body = body_of(version)
    assert (version.label, body.cadence_days["high"], body.sign_off_validity_days) == ("1.2.0", 60, 20)
    assert body.waiver_days["high"] == 30


def test_from_draft_to_publication_by_its_pages() -> None:
    by, other = author(), board()
    version = draft(by)
    save_draft(version=version, text=version.text.replace("high: 90}", "high: 60}"), by=by, seen=text_digest(version))
    assert "review cadence, high tier" in page(by, address(version))
    assert as_(by).post(address(version, "propose/"), {"reason": "Twice a year is too rare."}).status_code == 302
    assert "It waits for somebody" in page(by, address(version))
    assert "Publish 1.1.0" in page(other, address(version))
    assert as_(by).post(address(version, "publish/")).status_code == 403
    assert as_(other).post(address(version, "publish/"))["Location"] == "/gates/policies/small/"
    version.refresh_from_db()
    assert version.state == "published"
    page(by, address(version), 404)


def test_a_proposed_draft_is_sent_back_and_given_up() -> None:
    by, other = author(), board()
    version = draft(by)
    save_draft(version=version, text=version.text.replace("high: 90}", "high: 60}"), by=by, seen=text_digest(version))
    propose_draft(version=version, by=by)
    as_(other).post(address(version, "send-back/"), {"reason": ""})
    version.refresh_from_db()
    assert version.state == "proposed"
    as_(other).post(address(version, "send-back/"), {"reason": "Not now."})
    as_(by).post(address(version, "discard/"))
    version.refresh_from_db()
    assert version.state == "discarded"
    assert as_(by).post(address(version, "teleport/")).status_code == 404
    assert as_(by).get(address(version, "propose/")).status_code == 405


def test_an_extension_is_started_for_a_unit_of_ones_own() -> None:
    small_policy()
    retail, other = UnitFactory.create(code="retail"), UnitFactory.create(code="other")
    by = person_with("portfolio_manager", retail)
    assert "Unit" in page(by, "/gates/policy-extension/")
    assert as_(by).post("/gates/policy-extension/", {"unit": str(other.pk)}).status_code == 422
    made = as_(by).post("/gates/policy-extension/", {"unit": str(retail.pk)})
    assert made.status_code == 302
    text = page(by, made["Location"])
    assert "extends: small" in text
    version = PolicyVersion.objects.get(policy__unit=retail)
    wrong = version.source + "sign_off_validity_days: 90\n"
    refused = as_(by).post(made["Location"], {"text": wrong, "seen": text_digest(version)})
    assert "would loosen how long a signature counts" in refused.content.decode()
    assert "An extension is written as text" in page(by, address(version, "form/"))


# simulating


def simulated(by: User) -> tuple[PolicyVersion, Simulation]:
    version = draft(by)
    text = version.text.replace("params: {fields: [problem_statement]}", "params: {fields: [objective]}", 1)
    version = save_draft(version=version, text=text, by=by, seen=text_digest(version))
    simulation = simulate_draft(version=version, by=by)
    simulate_policy(str(simulation.pk))
    return version, simulation


def test_a_simulation_is_asked_for_followed_and_read() -> None:
    case = ready_case(tier="minimal")
    by = author()
    version = draft(by)
    where = address(version, "simulation/")
    assert "Not simulated yet" in page(by, where)
    assert as_(by).post(address(version, "simulate/"))["Location"] == where
    waiting = page(by, where)
    assert "Waiting for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert "Reload to see how far it is" in waiting
    Simulation.objects.update(state="running", done=3, total=9)
    assert "3 of 9" in page(by, where)
    as_(by).post(address(version, "simulation/stop/"))
    assert "The simulation was stopped." in page(by, where)
    Simulation.objects.update(state="failed", error="It could not be carried out.")
    assert "It could not be carried out." in page(by, where)
    assert case.use_case.name not in page(by, where)


def test_the_result_names_use_cases_and_criteria_and_can_be_filtered_and_exported() -> None:
    case = ready_case(tier="minimal")
    by = author()
    version, _simulation = simulated(by)
    where = address(version, "simulation/")
    text = page(by, where)
    assert "Blocks <strong>1</strong> use case that passes today" in text
    assert case.use_case.name in text
    assert "IP-01" in text
    assert 'hx-trigger="every 1s"' not in text
    for query in ("?direction=blocks", "?tier=minimal", f"?unit={case.use_case.unit.name}", "?q=IP-01"):
        assert case.use_case.name in page(by, where + query), query
    for query in ("?tier=high", "?q=nothing", "?direction=releases"):
        assert case.use_case.name not in page(by, where + query), query
    exported = as_(by).get(f"{where}?export=csv")
    assert case.use_case.key in b"".join(exported).decode()
    assert "is about an older text" not in text
    newer = version.text.replace("high: 90}", "high: 80}")
    save_draft(version=version, text=newer, by=by, seen=text_digest(version))
    assert "about an older text" in page(by, where)


def test_who_may_draft_for_a_unit_alone_sees_its_use_cases_alone() -> None:
    case = ready_case(tier="minimal")
    by = person_with("portfolio_manager", case.use_case.unit)
    version = start_extension(unit=case.use_case.unit, by=by)
    more = "gates: {idea_to_poc: {change: {IP-02: {applies: {minimal: mandatory}}}}}\n"
    version = save_draft(version=version, text=version.source + more, by=by, seen=version.digest)
    simulation = simulate_draft(version=version, by=by)
    simulate_policy(str(simulation.pk))
    assert case.use_case.name in page(by, address(version, "simulation/"))
    simulation.refresh_from_db()
    simulation.result["turns"].append({**simulation.result["turns"][0], "use_case": "x", "name": "Secret"})
    simulation.save(update_fields=["result"])
    text = page(by, address(version, "simulation/"))
    assert "Secret" not in text
    assert "not yours to see" in text


# a review under another version


def test_a_review_is_shown_under_the_newer_version() -> None:
    case = ready_case(tier="minimal")
    review = case.submit()
    lead = case.lead
    where = f"/gates/reviews/{review.number}/under/"
    assert "on the version in force" in page(lead, where)
    publish(small_text(version="1.1.0").replace("[problem_statement]", "[problem_statement, objective]", 1))
    text = page(lead, where)
    assert "What would version 1.1.0 say?" in text
    assert "would stand against it" in text
    assert where in page(lead, f"/gates/reviews/{review.number}/")
    page(lead, f"{where}?version=9.9", 404)
    page(PersonFactory.create(), where, 404)
    assert case.use_case.key in page(lead, f"/gates/reviews/{review.number}/")


# cost


def queries(user: User, where: str) -> int:
    client = as_(user)
    client.get(where)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200
    return len(captured)


def test_pages_take_the_same_number_of_queries_whatever_there_is() -> None:
    by = author()
    for _ in range(2):
        UseCaseFactory.create(problem_statement="x")
    version, _simulation = simulated(by)
    places = [
        "/gates/policies/",
        "/gates/policies/small/versions/",
        address(version),
        address(version, "form/"),
        address(version, "simulation/"),
    ]
    before = [queries(by, where) for where in places]
    for _ in range(3):
        case = UseCaseFactory.create(problem_statement="x")
        extension = start_extension(unit=case.unit, by=by)
        save_draft(
            version=extension, text=extension.source + "sign_off_validity_days: 20\n", by=by, seen=extension.digest
        )
    simulation = simulate_draft(version=version, by=by)
    simulate_policy(str(simulation.pk))
    publish(small_text(key="aside", primary=False))
    after = [queries(by, where) for where in places]
    assert after == before
    assert max(before) <= 25
