"""What is missing for the next gate and who settles it, and what people say about a review, over REST."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from accounts.models import User
from gates.api.filters import CommentFilter
from gates.models import Assignment, ReviewComment
from gates.selectors import review_or_none
from gates.services.assignments import assign_criterion
from gates.services.comments import comment_on_review
from gates.standing import results_of
from gates.todo import ToDo, todo_of
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

MISSING, COMMENTS = ["findings"], ["reviews"]


class Missing(serializers.Serializer[Any]):
    """One open criterion: what would make it pass, whom it waits for and until when."""

    criterion = serializers.CharField()
    title = serializers.CharField()
    outcome = serializers.CharField()
    mandatory = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)
    todo = serializers.CharField(help_text="What would make it pass.")
    people = serializers.ListField(child=serializers.EmailField(), help_text="E-mail addresses of whom it waits for.")
    assigned = serializers.BooleanField(help_text="Whether somebody was named; else whoever holds the role.")
    due_on = serializers.DateField(allow_null=True)
    due_from_plan = serializers.BooleanField(help_text="Whether the day is the roadmap's.")
    late = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)


class AssignWrite(serializers.Serializer[Any]):
    """Without person, day and note the assignment is taken away."""

    gate = serializers.CharField(max_length=40)
    criterion = serializers.CharField(max_length=40)
    person = serializers.EmailField(required=False, allow_blank=True, default="")
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class MissingView(APIView):
    serializer_class = Missing

    @extend_schema(summary="List what is missing for the next gate", responses=Missing(many=True), tags=MISSING)
    def get(self, request: Request, key: str) -> Response:
        use_case = visible_use_case(request, key)
        result = next((r for r in results_of(use_case) if r.policy.primary), None)
        items = todo_of(use_case, result) if result else []
        return Response([_missing(item) for item in items])

    @extend_schema(
        summary="Say who settles a criterion, and by when",
        request=AssignWrite,
        responses={200: Missing(many=True)},
        tags=MISSING,
    )
    def post(self, request: Request, key: str) -> Response:
        use_case = visible_use_case(request, key, "activity.update")
        shape = AssignWrite(data=request.data)
        shape.is_valid(raise_exception=True)
        given = dict(shape.validated_data)
        given["person"] = _person(given["person"])
        assign_criterion(use_case=use_case, by=user_of(request), **given)
        return self.get(request, key)


class CommentSerializer(serializers.ModelSerializer[ReviewComment]):
    review = serializers.IntegerField(source="review.number", read_only=True)
    author = serializers.EmailField(source="author.email", read_only=True)
    author_name = serializers.CharField(source="author.full_name", read_only=True)

    class Meta:
        model = ReviewComment
        fields = ("id", "review", "criterion", "text", "author", "author_name", "written_at")
        read_only_fields = fields


class CommentWrite(serializers.Serializer[Any]):
    review = serializers.IntegerField(min_value=1, help_text="Number of the review.")
    text = serializers.CharField()
    criterion = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)


@extend_schema_view(
    list=extend_schema(summary="List comments on reviews", tags=COMMENTS),
    retrieve=extend_schema(summary="Read a comment", tags=COMMENTS),
)
class CommentViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What people said about reviews, the newest first; ``?review=`` narrows to one."""

    queryset = ReviewComment.objects.none()
    ordering = ("-written_at",)
    serializer_class = CommentSerializer
    filterset_class = CommentFilter
    serializers: ClassVar[dict[str, Any]] = {"create": CommentWrite}

    def get_queryset(self) -> QuerySet[ReviewComment]:
        rows = ReviewComment.objects.select_related("review__use_case", "author")
        return for_user(rows, user_of(self.request), "use_case.view")

    @extend_schema(
        summary="Comment on a review", request=CommentWrite, responses={201: CommentSerializer}, tags=COMMENTS
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        review = review_or_none(user_of(request), given.pop("review"))
        if review is None:
            raise Http404
        comment = comment_on_review(review=review, by=user_of(request), **given)
        return Response(CommentSerializer(comment).data, status=status.HTTP_201_CREATED)


def _missing(item: ToDo) -> dict[str, Any]:
    assigned: Assignment | None = item.assigned
    return {
        "criterion": item.row.key,
        "title": item.row.title,
        "outcome": item.row.state,
        "mandatory": item.row.mandatory,
        "reason": item.row.reason,
        "todo": item.row.todo,
        "people": [person.email for person in item.people],
        "assigned": assigned is not None and assigned.person_id is not None,
        "due_on": item.due_on,
        "due_from_plan": item.due_from_plan,
        "late": item.late,
        "note": assigned.note if assigned else "",
    }


def _person(email: str) -> User | None:
    if not email:
        return None
    person = User.objects.filter(email=email.lower()).first()
    if person is None:
        raise Invalid("This was not assigned.", errors={"person": [f"There is nobody with the address {email}."]})
    return person
