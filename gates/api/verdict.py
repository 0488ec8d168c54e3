"""The verdict of a gate over REST: one call for a pipeline, with a wait of up to a minute when it asks for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import connection
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import to_act_on
from gates.api.serializers import FINDINGS, PolicyRef
from gates.in_force import policy_for
from gates.models import Decision, GateAssurance
from gates.moments import read_moment
from gates.verdict import ALLOW, DECISION, DENY, EMERGENCY, NOTHING, etag, verdict
from kernel.errors import DomainError, Invalid
from kernel.problems import problem_response
from ledger.models import Event
from portfolio.api.use_cases import user_of
from portfolio.models import UseCase

READ = "gate.read_verdict"
LONGEST_WAIT = 60
STEP = 1.0
"""Seconds between two looks while a caller waits."""
MOST_WAITING = 4
"""Callers that may wait in one process; the other threads answer everybody else."""
RETRY_AFTER = 5
LOOK_ANYWAY = 10
"""Steps after which it is judged again although no event came: time itself may have changed it."""

_places = threading.BoundedSemaphore(MOST_WAITING)


class UnknownGate(DomainError):
    status = 404
    code = "unknown_gate"


class LineSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class FailingSerializer(serializers.Serializer[Any]):
    """A mandatory criterion that does not pass."""

    criterion = serializers.CharField()
    title = serializers.CharField()
    outcome = serializers.ChoiceField(choices=FINDINGS)
    observed = serializers.CharField(allow_blank=True)
    required = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the word of the domain
    reason = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(help_text="Key of the role that owes it.")
    owner_name = serializers.CharField()
    remedy = serializers.CharField(help_text="What would make it pass.")


class VerdictAssurance(serializers.Serializer[Any]):
    state = serializers.CharField(help_text=", ".join(GateAssurance.State.values))
    reasons = LineSerializer(many=True)
    since = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)


class VerdictSignOff(serializers.Serializer[Any]):
    role = serializers.CharField()
    name = serializers.CharField()
    verdict = serializers.CharField()
    signed_at = serializers.DateTimeField()


class VerdictDecision(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    review = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Decision.Outcome.choices)
    reason = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(help_text="SHA-256 of the snapshot that was signed.")
    record_digest = serializers.CharField(help_text="SHA-256 of the record of the decision.")
    decided_at = serializers.DateTimeField()
    decided_by = serializers.CharField()
    tier = serializers.CharField()
    policy = PolicyRef()
    sign_offs = VerdictSignOff(many=True)


class VerdictCondition(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    text = serializers.CharField()
    scope = serializers.CharField()
    owner = serializers.CharField()
    due_on = serializers.DateField()
    state = serializers.CharField(help_text="open or reported")
    overdue = serializers.BooleanField()


class VerdictWaiver(serializers.Serializer[Any]):
    waiver = serializers.CharField()
    criterion = serializers.CharField()
    reason = serializers.CharField()
    expires_at = serializers.DateTimeField()


class VerdictEmergency(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reason = serializers.CharField()
    requested_by = serializers.CharField()
    confirmed_by = serializers.CharField()
    confirmed_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    review_due_at = serializers.DateTimeField(allow_null=True)


class VerdictLive(serializers.Serializer[Any]):
    """The model version in use."""

    model = serializers.CharField()
    version = serializers.CharField()
    since = serializers.DateTimeField()


class VerdictSerializer(serializers.Serializer[Any]):
    """Allow or deny, and everything it rests on."""

    allowed = serializers.BooleanField()
    verdict = serializers.ChoiceField(choices=(ALLOW, DENY))
    basis = serializers.ChoiceField(choices=(DECISION, EMERGENCY, NOTHING))
    strict = serializers.BooleanField()
    use_case = serializers.CharField()
    name = serializers.CharField()
    gate = serializers.CharField()
    title = serializers.CharField()
    stage = serializers.CharField()
    status = serializers.CharField()
    tier = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(help_text="The moment that it is about.")
    asked_at = serializers.DateTimeField()
    reasons = LineSerializer(many=True, help_text="Why it is denied; empty when it is allowed.")
    warnings = LineSerializer(many=True)
    blockers = serializers.ListField(child=serializers.CharField(), help_text="What closes every gate.")
    failing = FailingSerializer(many=True)
    assurance = VerdictAssurance(allow_null=True)
    decision = VerdictDecision(allow_null=True, help_text="The decision that stands.")
    last_decision = VerdictDecision(allow_null=True, help_text="A later one, or one that did not let it pass.")
    open_review = serializers.CharField(allow_blank=True)
    conditions = VerdictCondition(many=True, help_text="Still owed after a conditional go.")
    waivers = VerdictWaiver(many=True)
    emergency = VerdictEmergency(allow_null=True)
    live = VerdictLive(allow_null=True)
    policy = PolicyRef(help_text="The version in force at that moment.")
    reconstructed = serializers.ListField(child=serializers.CharField(), help_text="What is not on record for then.")


class VerdictView(APIView):
    @extend_schema(
        summary="Ask for the verdict of a gate",
        description=(
            "May this be released? A denial is 200 with `allowed: false`. Allowed: a go that still stands and is not "
            "up for re-approval, or an emergency release. At risk is allowed with warnings, and denied with `strict`."
        ),
        parameters=[
            OpenApiParameter("at", str, description="What held then: a date or a moment in the past (ISO 8601)."),
            OpenApiParameter("strict", bool, description="Deny what is at risk."),
            OpenApiParameter(
                "wait",
                int,
                description="Seconds (at most 60) to wait until it is allowed or the answer changes; with "
                "If-None-Match until it differs from that.",
            ),
        ],
        responses=VerdictSerializer,
        tags=["verdicts"],
    )
    def get(self, request: Request, key: str, gate: str) -> HttpResponseBase:
        at, strict, wait = _moment(request), _flag(request, "strict"), _seconds(request)
        if at is not None and wait:
            raise Invalid("The past does not change.", errors={"wait": ["Leave it out when you ask with at."]})
        use_case = _use_case(request, key)
        _known(use_case, gate)
        found = verdict(use_case, gate, at=at, strict=strict)
        known = request.headers.get("If-None-Match", "")
        if wait and not _is_news(found, etag(found), known):
            if not _places.acquire(blocking=False):
                return _busy(request)
            try:
                found = _waited(
                    use_case.pk, lambda: verdict(_use_case(request, key), gate, strict=strict), found, known, wait
                )
            finally:
                _places.release()
        name = etag(found)
        headers = {"ETag": name, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
        if known and known == name:
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(VerdictSerializer(found).data, headers=headers)


def _waited(
    use_case_id: Any, judge: Callable[[], dict[str, Any]], first: dict[str, Any], known: str, wait: int
) -> dict[str, Any]:
    """The first answer that is news, or the last one when the time is up.

    While it sleeps nothing is held: neither a transaction nor a connection. It judges again when the ledger has an
    event about the use case, because every change of its state leaves one, and now and then for the sake of time.
    """
    end = time.monotonic() + wait
    start, found, steps = etag(first), first, 0
    mark = _newest_event(use_case_id)
    while (left := end - time.monotonic()) > 0:
        _let_go()
        time.sleep(min(STEP, left))
        steps += 1
        newest = _newest_event(use_case_id)
        if newest == mark and steps % LOOK_ANYWAY and end - time.monotonic() > 0:
            continue
        mark, found = newest, judge()
        if etag(found) != (known or start):
            break
    return found


def _is_news(found: dict[str, Any], name: str, known: str) -> bool:
    """Against what the caller knows already, any difference; for one who knows nothing, that it is allowed."""
    return name != known if known else bool(found["allowed"])


def _newest_event(use_case_id: Any) -> int:
    rows = Event.objects.filter(use_case_id=str(use_case_id)).order_by("-index")
    return rows.values_list("index", flat=True).first() or 0


def _let_go() -> None:
    """Give the connection back. Inside a transaction, as under a test, it belongs to somebody else."""
    if not connection.in_atomic_block:
        connection.close()


def _use_case(request: Request, key: str) -> UseCase:
    """Whoever may see the use case, and the machines that serve it."""
    found = to_act_on(UseCase.objects.select_related("unit"), user_of(request), READ).filter(key=key).first()
    if found is None:
        raise Http404
    return found


def _known(use_case: UseCase, gate: str) -> None:
    _version, policy = policy_for(use_case)
    if gate not in policy.gates:
        names = ", ".join(policy.gates)
        raise UnknownGate(f"The policy has no gate “{gate}”.", hint=f"There are: {names}.")


def _moment(request: Request) -> datetime | None:
    text = request.query_params.get("at")
    if not text:
        return None
    at, now = read_moment(text), timezone.now()
    if at.date() == now.date() and at > now and "T" not in text:
        return now  # today, of which nobody knows the end yet
    if at > now:
        raise Invalid("Nobody knows that yet.", errors={"at": ["Give a moment in the past."]})
    return at


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "").lower()
    if text not in ("", "0", "1", "true", "false"):
        raise Invalid("This is true or false.", errors={name: ["Give true or false."]})
    return text in ("1", "true")


def _seconds(request: Request) -> int:
    text = request.query_params.get("wait") or "0"
    if not text.isascii() or not text.isdigit() or int(text[:9]) > LONGEST_WAIT or len(text) > len("999999"):
        raise Invalid("That is no wait.", errors={"wait": [f"Give whole seconds from 0 to {LONGEST_WAIT}."]})
    return int(text)


def _busy(request: Request) -> HttpResponseBase:
    answer = problem_response(
        request._request,
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        detail="Too many callers wait for a verdict at once.",
        hint=f"Ask again after {RETRY_AFTER} seconds, or without wait.",
    )
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer
