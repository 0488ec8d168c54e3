"""Reviews over REST: read them, and the verbs that change them. There is no state to write, only verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from accounts.freshness import require_fresh
from gates.api.conditions import terms_from
from gates.api.filters import DecisionFilter, ReviewFilter, SignOffFilter
from gates.api.serializers import (
    DecideWrite,
    DecisionSerializer,
    RefreshedSerializer,
    ReviewDetail,
    ReviewRow,
    SignOffSerializer,
    SignWrite,
    SubmitWrite,
    WithdrawWrite,
)
from gates.api.simulations import UnderSerializer, under_detail
from gates.models import Decision, Review, SignOff
from gates.policy_access import chosen_version
from gates.selectors import reviews_for, votes_of
from gates.services.decisions import decide, readiness
from gates.services.reviews import SnapshotRenewed, refresh_review, submit_review, withdraw_review
from gates.services.scenes import room_of
from gates.services.sign_offs import giver_of, require_in_person, sign
from gates.under import under_version
from kernel.errors import Conflict
from kernel.viewsets import ReadOnlyViewSet, ViewSet
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

REVIEWS, SIGN_OFFS, DECISIONS = ["reviews"], ["sign-offs"], ["decisions"]


@extend_schema_view(list=extend_schema(summary="List reviews", tags=REVIEWS))
class ReviewViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Attempts to pass gates, of the use cases that the caller may see."""

    queryset = Review.objects.none()
    ordering = ("-submitted_at",)
    lookup_field = "number"
    lookup_value_regex = "[0-9]{1,9}"
    serializer_class = ReviewRow
    filterset_class = ReviewFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": SubmitWrite,
        "retrieve": ReviewDetail,
        "sign": SignWrite,
        "decide": DecideWrite,
        "withdraw": WithdrawWrite,
    }

    def get_queryset(self) -> QuerySet[Review]:
        return reviews_for(user_of(self.request))

    @extend_schema(summary="Read a review", responses=ReviewDetail, tags=REVIEWS)
    def retrieve(self, request: Request, number: str) -> Response:
        return Response(detail(self.get_object()))

    @extend_schema(summary="Submit a gate for review", request=SubmitWrite, responses={201: ReviewDetail}, tags=REVIEWS)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        review = submit_review(use_case=use_case, by=user_of(request), **given)
        headers = {"Location": f"/api/v1/reviews/{review.number}/"}
        return Response(detail(self._again(review)), status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Read a snapshot",
        description="The canonical JSON exactly as hashed: its SHA-256 is the digest that sign-offs bind to.",
        parameters=[OpenApiParameter("digest", str, description="An earlier snapshot; without it, the current one.")],
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
        tags=REVIEWS,
    )
    @action(detail=True, methods=["get"])
    def snapshot(self, request: Request, number: str) -> HttpResponse:
        review = self.get_object()
        wanted = request.query_params.get("digest") or review.digest
        found = review.snapshots.filter(digest=wanted).first()
        if found is None:
            raise Http404
        return HttpResponse(found.body, content_type="application/json", headers={"ETag": f'"{found.digest}"'})

    @extend_schema(
        summary="Sign a review",
        description=(
            "By a person who is signed in and proved who they are within the last five minutes "
            "(`/api/v1/me/confirm/`); tokens and service accounts never sign."
        ),
        request=SignWrite,
        responses={201: SignOffSerializer},
        tags=REVIEWS,
    )
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, number: str) -> HttpResponseBase:
        given, review, by = validated(self, request), self.get_object(), user_of(request)
        require_in_person(by)
        proof = require_fresh(request)
        if "on_behalf_of" in given:
            given["on_behalf_of"] = giver_of(by, review, given["on_behalf_of"])
        return self._kept(lambda: SignOffSerializer(sign(review=review, by=by, method=proof.method, **given)).data)

    @extend_schema(
        summary="Decide a review",
        description=(
            "By a person who is signed in and proved who they are within the last five minutes. Go needs every "
            "signature of the matrix on the current snapshot; when one of them asks for conditions, it is a go with "
            "conditions."
        ),
        request=DecideWrite,
        responses={201: DecisionSerializer},
        tags=REVIEWS,
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, number: str) -> HttpResponseBase:
        given, review = validated(self, request), self.get_object()
        require_in_person(user_of(request))
        require_fresh(request)
        given["conditions"] = terms_from(given["conditions"])
        return self._kept(lambda: DecisionSerializer(decide(review=review, by=user_of(request), **given)).data)

    @extend_schema(summary="Withdraw a review", request=WithdrawWrite, responses=ReviewDetail, tags=REVIEWS)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, number: str) -> Response:
        given, review = validated(self, request), self.get_object()
        return Response(detail(self._again(withdraw_review(review=review, by=user_of(request), **given))))

    @extend_schema(
        summary="Read a review under another version of the policy",
        description="Both versions are judged over the facts of now; the review stays on its own. 409 when there is "
        "no other version in force.",
        parameters=[OpenApiParameter("version", str, description="A version, such as 1.1.0, or key:version.")],
        responses=UnderSerializer,
        tags=REVIEWS,
    )
    @action(detail=True, methods=["get"])
    def under(self, request: Request, number: str) -> Response:
        review, wanted = self.get_object(), request.query_params.get("version", "")
        version = chosen_version(review, user_of(request), wanted)
        if version is None and wanted:
            raise Http404
        if version is None:
            raise Conflict(f"{review} is on the version in force.", hint="Name another one with ?version=.")
        return Response(under_detail(review, under_version(review, version)))

    @extend_schema(
        summary="Compare the snapshot with the facts of now",
        description="Takes the snapshot again when facts changed; the votes on the old one then lapse.",
        request=None,
        responses=RefreshedSerializer,
        tags=REVIEWS,
    )
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, number: str) -> Response:
        review, changed = refresh_review(review=self.get_object(), by=user_of(request))
        return Response({"changed": changed, "review": detail(self._again(review))})

    def _kept(self, verb: Callable[[], Any]) -> HttpResponseBase:
        """The answer of a verb. A refusal that renewed the snapshot is an answer, not an exception: an exception
        would undo the new snapshot when the request carries an ``Idempotency-Key``."""
        try:
            return Response(verb(), status=status.HTTP_201_CREATED)
        except SnapshotRenewed as renewed:
            refused: HttpResponseBase = self.handle_exception(renewed)
            return refused

    def _again(self, review: Review) -> Review:
        """The review as it is now, with what its representation shows."""
        return self.get_queryset().get(pk=review.pk)


@extend_schema_view(
    list=extend_schema(summary="List sign-offs", tags=SIGN_OFFS),
    retrieve=extend_schema(summary="Read a sign-off", tags=SIGN_OFFS),
)
class SignOffViewSet(ReadOnlyViewSet):
    """Votes, lapsed ones too, the newest first."""

    queryset = SignOff.objects.none()
    ordering = ("-signed_at",)
    serializer_class = SignOffSerializer
    filterset_class = SignOffFilter

    def get_queryset(self) -> QuerySet[SignOff]:
        rows = SignOff.objects.select_related("review__use_case", "person", "on_behalf_of")
        return for_user(rows, user_of(self.request), "use_case.view")


@extend_schema_view(
    list=extend_schema(summary="List decisions", tags=DECISIONS),
    retrieve=extend_schema(summary="Read a decision", tags=DECISIONS),
)
class DecisionViewSet(ReadOnlyViewSet):
    """What was decided, the newest first."""

    queryset = Decision.objects.none()
    ordering = ("-decided_at",)
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilter

    def get_queryset(self) -> QuerySet[Decision]:
        rows = Decision.objects.select_related("review__use_case", "decided_by")
        return for_user(rows, user_of(self.request), "use_case.view")


def detail(review: Review) -> dict[str, Any]:
    """A review with its slots, votes and decision, in a constant number of queries."""
    room = room_of(review)
    ready = readiness(review, room) if review.is_open else None
    votes = votes_of(review)
    for vote in votes:
        vote.review = review
    decision = getattr(review, "decision", None)
    return {
        **ReviewRow(review).data,
        "message": review.message,
        "slots": [
            {
                "role": s.role,
                "name": s.name,
                "state": s.state,
                "needed": s.needed,
                "given": len(s.votes),
                "note": s.note,
            }
            for s in (ready.slots if ready else room.slots())
        ],
        "readiness": {"open": ready.open, "reasons": list(ready.reasons)} if ready else None,
        "sign_offs": SignOffSerializer(votes, many=True).data,
        "decision": DecisionSerializer(decision).data if decision else None,
        "snapshots": list(review.snapshots.order_by("taken_at").values_list("digest", flat=True)),
    }
