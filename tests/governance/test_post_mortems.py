"""Post-mortems: written without blame, approved by somebody else, sealed for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from governance import services
from governance.failure_modes import failure_modes
from governance.models import Incident, Issue, PostMortem
from governance.services.post_mortems import content_digest
from kernel.errors import Conflict, Invalid, NotReady
from ledger import SYSTEM
from ledger.models import Event
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
WORDS = {
    "what_happened": "09:10 the score fell. 09:40 operations noticed.",
    "causes": ["FM-16", "FM-15"],
    "why": "Nobody had a rule on it.",
    "what_changes": "A rule on the score\nand a rota.",
}


def incident_with_people() -> tuple[Incident, Any, Any]:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    risk = person_with("risk_compliance", use_case)
    incident = services.report_incident(use_case=use_case, severity="sev3", title="Wrong answers", by=lead)
    return incident, lead, risk


def written(incident: Incident, by: Any, **more: Any) -> PostMortem:
    given: dict[str, Any] = {**WORDS, "owner": by, "due_on": timezone.localdate() + timedelta(days=14), **more}
    return services.write_post_mortem(incident=incident, by=by, **given)


def test_every_known_failure_has_a_key_and_a_reason() -> None:
    assert len(failure_modes()) == 34
    assert all(mode.name and mode.reason for mode in failure_modes().values())


def test_it_is_written_rewritten_approved_and_sealed() -> None:
    incident, lead, risk = incident_with_people()
    draft = written(incident, lead)
    again = written(incident, lead, why="Nobody had a rule on it, and the silence was not noticed.")
    assert draft.pk == again.pk
    assert again.causes == ["FM-15", "FM-16"]
    with pytest.raises(NotReady, match="Close the incident first"):
        services.approve_post_mortem(post_mortem=again, by=risk)
    services.close_incident(incident=incident, cause="No rule", by=risk)
    sealed = services.approve_post_mortem(post_mortem=again, by=risk)
    assert (sealed.approved_by, sealed.is_sealed) == (risk, True)
    assert sealed.sha256 == content_digest(PostMortem.objects.get())
    action = Issue.objects.get(kind="incident_action")
    assert (action.title, action.owner, action.due_on, action.incident) == (
        "A rule on the score",
        lead,
        sealed.due_on,
        incident,
    )
    with pytest.raises(Conflict, match="sealed"):
        written(incident, lead)
    with pytest.raises(Conflict, match="sealed"):
        services.approve_post_mortem(post_mortem=sealed, by=person_with("risk_compliance", incident.use_case))
    told = Event.objects.filter(action__startswith="post_mortem.").order_by("index").values_list("action", flat=True)
    assert list(told) == ["post_mortem.written", "post_mortem.written", "post_mortem.sealed"]


def test_nobody_approves_what_they_wrote() -> None:
    incident, _lead, risk = incident_with_people()
    draft = written(incident, risk)
    services.close_incident(incident=incident, cause="No rule", by=SYSTEM)
    with pytest.raises(PermissionDenied, match="you wrote it"):
        services.approve_post_mortem(post_mortem=draft, by=risk)
    with pytest.raises(IntegrityError), transaction.atomic():
        PostMortem.objects.update(approved_by=risk, sealed_at=timezone.now(), sha256="0" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        PostMortem.objects.update(sealed_at=timezone.now())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"causes": []}, "causes"), ({"causes": ["FM-99"]}, "causes"), ({"why": " "}, "why"), ({"owner": None}, "owner")],
)
def test_what_is_missing_is_said_at_its_field(wrong: dict[str, Any], field: str) -> None:
    incident, lead, _risk = incident_with_people()
    if "owner" in wrong:
        wrong = {"owner": PersonFactory.create()}
    with pytest.raises(Invalid) as caught:
        written(incident, lead, **wrong)
    assert field in caught.value.errors


def test_who_may_not_handle_incidents_writes_none() -> None:
    incident, lead, _risk = incident_with_people()
    owner = person_with("business_owner", incident.use_case)
    with pytest.raises(PermissionDenied):
        services.write_post_mortem(incident=incident, by=owner, owner=lead, due_on=timezone.localdate(), **WORDS)  # type: ignore[arg-type]  # words alone
    with pytest.raises(PermissionDenied):
        services.approve_post_mortem(post_mortem=written(incident, lead), by=owner)


def test_it_is_written_and_approved_in_the_browser() -> None:
    incident, lead, risk = incident_with_people()
    page = reverse("governance:incident", args=[incident.pk])
    write = reverse("governance:act", args=["post-mortem", incident.pk])
    client, approver = Client(), Client()
    client.force_login(lead)
    approver.force_login(risk)
    assert "Not written yet" in client.get(page).content.decode()
    assert "Silent degradation" in client.get(write).content.decode()
    given = {**WORDS, "owner": str(lead.pk), "due_on": "2030-01-31"}
    assert client.post(write, {**given, "causes": []}).status_code == 422
    assert client.post(write, given).status_code == 302
    draft = PostMortem.objects.get()
    shown = client.get(page).content.decode()
    assert "Silent degradation" in shown
    assert reverse("governance:act", args=["approve-post-mortem", draft.pk]) not in shown
    services.close_incident(incident=incident, cause="No rule", by=risk)
    approve = reverse("governance:act", args=["approve-post-mortem", draft.pk])
    assert approve in approver.get(page).content.decode()
    assert approver.post(approve, {}).status_code == 302
    sealed = approver.get(page).content.decode()
    assert "Sealed" in sealed
    assert "A rule on the score" in sealed
    assert write not in sealed


def test_it_is_written_read_and_approved_over_rest() -> None:
    incident, lead, risk = incident_with_people()
    address = f"/api/v1/incidents/{incident.pk}/post-mortem/"
    client = api_as(lead)
    assert client.get(address).status_code == 404
    given = {**WORDS, "owner": str(lead.pk), "due_on": "2030-01-31"}
    made = client.put(address, given, format="json")
    assert made.status_code == 200, made.content
    assert client.get(address).json()["causes"] == ["FM-15", "FM-16"]
    assert client.put(address, {**given, "owner": str(incident.pk)}, format="json").status_code == 422
    services.close_incident(incident=incident, cause="No rule", by=risk)
    approve = f"/api/v1/incidents/{incident.pk}/approve-post-mortem/"
    assert client.post(approve).status_code == 403
    assert api_as(risk).post(approve).json()["sha256"]
    assert client.put(address, given, format="json").status_code == 409
    assert api_as(PersonFactory.create()).get(address).status_code == 404
    assert APIClient().get(address).status_code == 401
