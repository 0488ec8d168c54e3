"""The pages of policies, drafts and simulations: who sees what, what forms do to the text, how many queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from gates.in_force import body_of
from gates.models import PolicyVersion
from gates.services.policies import propose_draft, save_draft, start_draft, text_digest
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.gates import publish, shipped_policies, small_policy, small_text
from tests.factories.portfolio import UnitFactory, organisation

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
    version = PolicyVersion.objects.get(policy__unit=retail)
    assert "What a unit may change" in page(by, made["Location"])
    where = address(version, "text/")
    assert "extends: small" in page(by, where)
    wrong = version.source + "sign_off_validity_days: 90\n"
    refused = as_(by).post(where, {"text": wrong, "seen": text_digest(version)})
    assert "would loosen how long a signature counts" in refused.content.decode()


# simulating
