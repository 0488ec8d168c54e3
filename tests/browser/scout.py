"""Which use case, person or review of the demonstration a story needs, asked of the product itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.browser.product import Product

NEARLY_READY = """
from accounts.people import people_on
from gates.models import CriterionFinding, Review
from portfolio.models import UseCase

def missing(use_case):
    rows = CriterionFinding.objects.filter(
        use_case=use_case, gate=use_case.next_gate, policy__key="default", mandatory=True
    ).exclude(outcome__in=["met", "waived", "not_applicable"]).exclude(criterion="PP-25")
    return list(rows.values_list("criterion", flat=True))

rows = UseCase.objects.filter(tier="minimal", stage="poc", status="active").order_by("key")
running = Review.objects.exclude(state="decided").values("use_case")
found = next(u for u in rows.exclude(pk__in=running) if missing(u) == ["PP-01"])
people = {held.role: held.user.full_name for held in reversed(people_on([found.pk])[found.pk])}
answer = {"key": found.key, "name": found.name, "unit": found.unit.name, "people": people}
"""

UNDER_ASSURANCE = """
from accounts.people import people_on
from monitoring.models import Series
from portfolio.models import UseCase

rows = Series.objects.filter(
    metric="error_rate", use_case__assurance="in_force", use_case__stage="operations", use_case__tier="limited",
    rules__enabled=True,
).select_related("use_case__unit", "version").order_by("use_case__key")
found = rows[0]
use_case = found.use_case
people = {held.role: held.user.full_name for held in reversed(people_on([use_case.pk])[use_case.pk])}
answer = {
    "key": use_case.key, "name": use_case.name, "unit": use_case.unit.name, "people": people,
    "series": found.pk, "version": found.version.label if found.version else "",
}
"""

UNDER_REVIEW = """
from accounts.people import people_on
from governance.models import ModelVersion
from portfolio.models import UseCase

rows = UseCase.objects.filter(assurance="in_force", stage="operations", sampling_plan__isnull=True).order_by("-key")
use_case = rows.select_related("unit")[0]
version = ModelVersion.objects.filter(model__use_case=use_case, state="live").get()
people = {held.role: held.user.full_name for held in reversed(people_on([use_case.pk])[use_case.pk])}
answer = {
    "key": use_case.key, "name": use_case.name, "unit": use_case.unit.name, "people": people, "version": version.label,
}
"""

UNPROFILED = """
from accounts.people import people_on
from portfolio.models import UseCase

rows = UseCase.objects.filter(stage="operations", status="active", data_profiles__isnull=True).select_related("unit")
held = people_on([each.pk for each in rows])
# One that another story imported has nobody who answers for it.
use_case = next(each for each in rows.order_by("key") if any(one.role == "technical_lead" for one in held[each.pk]))
people = {one.role: one.user.full_name for one in reversed(held[use_case.pk])}
answer = {"key": use_case.key, "name": use_case.name, "unit": use_case.unit.name, "people": people}
"""

AN_OPEN_ALERT = """
from accounts.people import people_on
from monitoring.models import Alert

rows = Alert.objects.filter(state="open", level="warn", incident__isnull=True, rule__isnull=False)
found = rows.select_related("series__use_case__unit").order_by("series__use_case__key")[0]
use_case = found.series.use_case
people = {held.role: held.user.full_name for held in reversed(people_on([use_case.pk])[use_case.pk])}
answer = {
    "key": use_case.key, "name": use_case.name, "unit": use_case.unit.name, "people": people,
    "series": found.series_id, "message": found.message,
}
"""

ONE_OF_EACH = """
from accounts.models import User
from gates.models import Review
from gates.views.review_page import roles_to_sign
from ledger.models import Event
from monitoring.models import Series

reader = User.objects.get(full_name="Ruth Okafor")
open_reviews = Review.objects.filter(state="open").order_by("number")
series = Series.objects.filter(metric="error_rate", use_case__stage="operations").order_by("pk")[0]
answer = {
    "use_case": series.use_case.key,
    "series": series.pk,
    "review": next(review.number for review in open_reviews if roles_to_sign(review, reader)),
    "event": Event.objects.order_by("-index").values_list("index", flat=True)[0],
}
"""

RETURNED = """
from accounts.people import people_on
from gates.models import Review

review = Review.objects.filter(state="returned", tier="limited").order_by("number")[0]
use_case = review.use_case
people = {held.role: held.user.full_name for held in reversed(people_on([use_case.pk])[use_case.pk])}
answer = {"key": use_case.key, "name": use_case.name, "unit": use_case.unit.name, "people": people}
"""

ALMOST_SIGNED = """
from accounts.models import User
from accounts.people import people_on
from gates.models import Review
from gates.services.scenes import room_of
from gates.services.sign_offs import sign

def waiting(review):
    return [slot.role for slot in room_of(review).slots() if slot.state == "waiting"]

rows = Review.objects.filter(state="open", tier="minimal", gate="poc_to_pilot").order_by("number")
review = next(r for r in rows if waiting(r))
room = room_of(review)
*others, last = waiting(review)
for role in others:
    person = next(p for p in room.people[role] if not room.refusal(p, role))
    sign(review=review, role=role, verdict="approve", digest=review.digest, by=User.objects.get(pk=person.pk))
room = room_of(review)
signer = next(p for p in room.people[last] if not room.refusal(p, last))
use_case = review.use_case
people = {held.role: held.user.full_name for held in reversed(people_on([use_case.pk])[use_case.pk])}
answer = {
    "key": use_case.key, "name": use_case.name, "unit": use_case.unit.name, "review": review.number,
    "people": {**people, "last_signer": signer.full_name},
}
"""

A_SIGNER = """
from accounts.services import assign_role, create_person
from gates.models import Review
from gates.services.scenes import room_of
from ledger import SYSTEM

open_reviews = Review.objects.filter(state="open").select_related("use_case").order_by("-number")
review, role = next(
    (review, slot.role) for review in open_reviews for slot in room_of(review).slots()
    if slot.state == "waiting" and slot.role == "business_owner"
)
person = create_person(email=EMAIL, full_name=NAME, password=PASSWORD, by=SYSTEM)
assign_role(user=person, role=role, on=review.use_case, by=SYSTEM)
answer = {"name": NAME, "email": EMAIL, "password": PASSWORD, "review": review.number}
"""

GROW_OLD = """
from django.contrib.sessions.models import Session
from accounts.models import User

person, aged = str(User.objects.get(email=EMAIL).pk), 0
for row in Session.objects.all():
    session = row.get_decoded()
    if session.get("_auth_user_id") == person:
        for record in session["account_authentication_methods"]:
            record["at"] -= 600
        aged += Session.objects.filter(pk=row.pk).update(session_data=Session.objects.encode(session))
answer = aged
"""

SIGNATURE = """
from gates.models import SignOff

found = SignOff.objects.get(person__email=EMAIL)
answer = {"pk": str(found.pk), "method": found.method}
"""

TOKEN = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from accounts.services import issue_token

machine = User.objects.get(kind="service", full_name="Monitoring pipeline")
owner = User.objects.get(full_name="Yusuf Kaya")
answer = issue_token(
    user=machine, name="walk", scopes=SCOPES, expires_at=timezone.now() + timedelta(days=1), by=owner
)[1]
"""


@dataclass(frozen=True)
class Found:
    """A use case, with one name for each role on it."""

    key: str
    name: str
    unit: str
    people: dict[str, str]
    series: int = 0
    version: str = ""
    review: int = 0
    message: str = ""


@dataclass(frozen=True)
class Signer:
    """Somebody with a password of their own whose signature ``review`` waits for."""

    name: str
    email: str
    password: str
    review: int


def a_signer_with_a_password(product: Product) -> Signer:
    who = {"NAME": "Paula Keller", "EMAIL": "paula.keller@example.org", "PASSWORD": "correct horse battery staple"}
    given = "\n".join(f"{name} = {value!r}" for name, value in who.items())
    return Signer(**product.ask(f"{given}\n{A_SIGNER}"))


def let_the_proof_grow_old(product: Product, signer: Signer) -> None:
    """As if ten minutes had passed since the signer last proved who they are."""
    assert product.ask(f"EMAIL = {signer.email!r}\n{GROW_OLD}")


def signature_of(product: Product, signer: Signer) -> dict[str, str]:
    return dict(product.ask(f"EMAIL = {signer.email!r}\n{SIGNATURE}"))


def nearly_ready(product: Product) -> Found:
    """A use case of the minimal tier that lacks nothing but the result of its PoC."""
    return Found(**product.ask(NEARLY_READY))


def under_review(product: Product) -> Found:
    """A use case in operations that holds what its gate asked for, of whose outputs nobody looks at any yet."""
    return Found(**product.ask(UNDER_REVIEW))


def unprofiled(product: Product) -> Found:
    """A use case in operations of whose data nobody knows anything yet."""
    return Found(**product.ask(UNPROFILED))


def returned(product: Product) -> Found:
    """A use case whose review was returned, with nothing submitted since."""
    return Found(**product.ask(RETURNED))


def almost_signed(product: Product) -> Found:
    """A use case whose open review lacks one signature, that of ``people["last_signer"]``."""
    return Found(**product.ask(ALMOST_SIGNED))


def under_assurance(product: Product) -> Found:
    """A use case that runs, whose gates are all in force, with a rule about its error rate."""
    return Found(**product.ask(UNDER_ASSURANCE))


def an_open_alert(product: Product) -> Found:
    """A use case with a warning that nobody has answered; ``message`` is what it says."""
    return Found(**product.ask(AN_OPEN_ALERT))


def one_of_each(product: Product) -> dict[str, Any]:
    """A use case that runs, a series of it, a review that Ruth Okafor may sign, the newest event."""
    return dict(product.ask(ONE_OF_EACH))


def token_of_the_pipeline(product: Product, *scopes: str) -> str:
    return str(product.ask(f"SCOPES = {list(scopes) or ['monitor.ingest']!r}\n{TOKEN}"))
