"""The board over REST: meetings with their verbs, and recusals. Votes are sign-offs, given by people who are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from accounts.models import User
from gates.models import Meeting, Recusal, Review
from gates.selectors import reviews_for
from gates.services import boards
from gates.services.boards.meetings import members
from gates.services.boards.reading import Item, agenda_of, meetings_for, recusals_for, seats_of, sees_all
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

MEETINGS, RECUSALS = ["board-meetings"], ["recusals"]


class MeetingRow(serializers.ModelSerializer[Meeting]):
    """A meeting in a list."""

    label = serializers.CharField(source="__str__", read_only=True)  # type: ignore[assignment]  # a field of that name
    chair = PersonRef(read_only=True)
    called_by = PersonRef(read_only=True)
    reviews = serializers.IntegerField(source="item_count", read_only=True, help_text="How many are on the agenda.")

    class Meta:
        model = Meeting
        fields = (
            "number",
            "label",
            "title",
            "starts_at",
            "place",
            "chair",
            "state",
            "called_by",
            "opened_at",
            "closed_at",
            "minutes_digest",
            "reviews",
        )
        read_only_fields = fields


class SeatShape(serializers.Serializer[Any]):
    person = PersonRef()
    present = serializers.BooleanField(allow_null=True, help_text="Null: nothing said yet.")
    chairs = serializers.BooleanField()


class AbsenceShape(serializers.Serializer[Any]):
    person = PersonRef()
    reason = serializers.CharField()


class BoardVoteShape(serializers.Serializer[Any]):
    person = PersonRef()
    verdict = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    signed_at = serializers.DateTimeField()


class ItemShape(serializers.Serializer[Any]):
    """One review on the agenda, as it stands."""

    position = serializers.IntegerField()
    review = serializers.IntegerField()
    use_case = serializers.CharField()
    gate = serializers.CharField()
    state = serializers.CharField()
    digest = serializers.CharField()
    met = serializers.IntegerField(help_text="Mandatory criteria that are met in the snapshot.")
    required = serializers.IntegerField()  # type: ignore[assignment]  # the word of the domain
    open = serializers.ListField(child=serializers.CharField())
    board = serializers.CharField(help_text="waiting, signed or rejected.")
    note = serializers.CharField(allow_blank=True, help_text="How the votes stand and what is missing.")
    votes = BoardVoteShape(many=True)
    recused = AbsenceShape(many=True)
    outcome = serializers.CharField(allow_null=True)
    minutes = serializers.CharField(allow_blank=True)


class MeetingDetail(MeetingRow):
    """With members, agenda and minutes; of what the caller may see."""

    minutes = serializers.CharField(allow_blank=True, help_text="General minutes; empty for who sees only a part.")
    members = SeatShape(many=True)
    agenda = ItemShape(many=True)

    class Meta(MeetingRow.Meta):
        fields = (*MeetingRow.Meta.fields, "minutes", "members", "agenda")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class CallWrite(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200)
    starts_at = serializers.DateTimeField()
    place = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    chair = serializers.UUIDField(required=False, help_text="Id of a member; without it, the caller.")
    reviews = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, default=list, help_text="Numbers of reviews."
    )


class ItemWrite(serializers.Serializer[Any]):
    review = serializers.IntegerField(min_value=1, help_text="Number of a review.")


class MoveWrite(ItemWrite):
    position = serializers.IntegerField(min_value=1, max_value=999)


class AttendWrite(serializers.Serializer[Any]):
    present = serializers.BooleanField()
    person = serializers.UUIDField(required=False, help_text="Somebody else, marked by who leads the meeting.")


class BoardMinutesWrite(serializers.Serializer[Any]):
    minutes = serializers.CharField(allow_blank=True, max_length=20_000)
    review = serializers.IntegerField(min_value=1, required=False, help_text="Without it, the general minutes.")


class BoardReasonWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class RevoteWrite(ItemWrite):
    reason = serializers.CharField(max_length=300)


class RecusalRow(serializers.ModelSerializer[Recusal]):
    """Somebody who takes no part in deciding about a use case, or about one review."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    review = serializers.IntegerField(source="review.number", read_only=True, allow_null=True, default=None)
    person = PersonRef(read_only=True)

    class Meta:
        model = Recusal
        fields = ("id", "use_case", "review", "person", "reason", "declared_at", "ended_at")
        read_only_fields = fields


class RecusalWrite(serializers.Serializer[Any]):
    use_case = serializers.CharField(required=False, help_text="Key: a standing interest.")
    review = serializers.IntegerField(min_value=1, required=False, help_text="Number: this one only.")
    reason = serializers.CharField(max_length=300)


class MeetingFilter(filters.FilterSet):
    starts_since = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")
    upcoming = filters.BooleanFilter(method="by_upcoming", help_text="Planned ones to come and those in session.")
    review = filters.NumberFilter(field_name="items__review__number", distinct=True)

    class Meta:
        model = Meeting
        fields: ClassVar[list[str]] = ["state"]

    def by_upcoming(self, rows: QuerySet[Meeting], _name: str, value: bool) -> QuerySet[Meeting]:
        found = Q(state=Meeting.State.IN_SESSION) | Q(state=Meeting.State.PLANNED, starts_at__gte=timezone.now())
        return rows.filter(found) if value else rows.exclude(found)


class RecusalFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key")
    review = filters.NumberFilter(field_name="review__number")
    standing = filters.BooleanFilter(field_name="review", lookup_expr="isnull")

    class Meta:
        model = Recusal
        fields: ClassVar[list[str]] = ["person"]


@extend_schema_view(list=extend_schema(summary="List board meetings", tags=MEETINGS))
class MeetingViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Meetings of the AI governance board; who sees only some use cases sees the meetings about them."""

    queryset = Meeting.objects.none()
    ordering = ("-starts_at",)
    lookup_field = "number"
    lookup_value_regex = "[0-9]{1,9}"
    serializer_class = MeetingRow
    filterset_class = MeetingFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": CallWrite,
        "retrieve": MeetingDetail,
        "cancel": BoardReasonWrite,
        "add_item": ItemWrite,
        "remove_item": ItemWrite,
        "move_item": MoveWrite,
        "attend": AttendWrite,
        "minutes": BoardMinutesWrite,
        "revote": RevoteWrite,
    }

    def get_queryset(self) -> QuerySet[Meeting]:
        return meetings_for(user_of(self.request))

    @extend_schema(summary="Read a board meeting", responses=MeetingDetail, tags=MEETINGS)
    def retrieve(self, request: Request, number: str) -> Response:
        return self._shown(self.get_object())

    @extend_schema(summary="Call a board meeting", request=CallWrite, responses={201: MeetingDetail}, tags=MEETINGS)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        chair = self._member(given.pop("chair"), "chair") if "chair" in given else None
        reviews = [self._review(number, "reviews") for number in given.pop("reviews")]
        meeting = boards.call_meeting(by=user_of(request), chair=chair, reviews=reviews, **given)
        answer = self._shown(meeting, status.HTTP_201_CREATED)
        answer["Location"] = f"/api/v1/board-meetings/{meeting.number}/"
        return answer

    @extend_schema(summary="Open a board meeting", request=None, responses=MeetingDetail, tags=MEETINGS)
    @action(detail=True, methods=["post"])
    def open(self, request: Request, number: str) -> Response:
        return self._shown(boards.open_meeting(meeting=self.get_object(), by=user_of(request)))

    @extend_schema(
        summary="Close a board meeting",
        description="Freezes its minutes. Every item needs minutes, and somebody was present.",
        request=None,
        responses=MeetingDetail,
        tags=MEETINGS,
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        return self._shown(boards.close_meeting(meeting=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Call off a board meeting", request=BoardReasonWrite, responses=MeetingDetail, tags=MEETINGS)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        given = validated(self, request)
        return self._shown(boards.cancel_meeting(meeting=self.get_object(), by=user_of(request), **given))

    @extend_schema(summary="Put a review on the agenda", request=ItemWrite, responses=MeetingDetail, tags=MEETINGS)
    @action(detail=True, methods=["post"], url_path="add-item")
    def add_item(self, request: Request, number: str) -> Response:
        review, meeting = self._review(validated(self, request)["review"]), self.get_object()
        boards.add_item(meeting=meeting, review=review, by=user_of(request))
        return self._shown(meeting)

    @extend_schema(summary="Take a review off the agenda", request=ItemWrite, responses=MeetingDetail, tags=MEETINGS)
    @action(detail=True, methods=["post"], url_path="remove-item")
    def remove_item(self, request: Request, number: str) -> Response:
        review, meeting = self._review(validated(self, request)["review"]), self.get_object()
        boards.remove_item(meeting=meeting, review=review, by=user_of(request))
        return self._shown(meeting)

    @extend_schema(
        summary="Take a review up at another place", request=MoveWrite, responses=MeetingDetail, tags=MEETINGS
    )
    @action(detail=True, methods=["post"], url_path="move-item")
    def move_item(self, request: Request, number: str) -> Response:
        given, meeting = validated(self, request), self.get_object()
        review = self._review(given["review"])
        boards.move_item(meeting=meeting, review=review, position=given["position"], by=user_of(request))
        return self._shown(meeting)

    @extend_schema(summary="Say who is there", request=AttendWrite, responses=MeetingDetail, tags=MEETINGS)
    @action(detail=True, methods=["post"])
    def attend(self, request: Request, number: str) -> Response:
        given, meeting = validated(self, request), self.get_object()
        person = self._member(given["person"], "person") if "person" in given else None
        boards.attend(meeting=meeting, present=given["present"], by=user_of(request), person=person)
        return self._shown(meeting)

    @extend_schema(summary="Write minutes", request=BoardMinutesWrite, responses=MeetingDetail, tags=MEETINGS)
    @action(detail=True, methods=["post"])
    def minutes(self, request: Request, number: str) -> Response:
        given, meeting = validated(self, request), self.get_object()
        review = self._review(given["review"]) if "review" in given else None
        boards.write_minutes(meeting=meeting, review=review, text=given["minutes"], by=user_of(request))
        return self._shown(meeting)

    @extend_schema(
        summary="Have the board vote again",
        description="Its votes on the item lapse; other signatures stay.",
        request=RevoteWrite,
        responses=MeetingDetail,
        tags=MEETINGS,
    )
    @action(detail=True, methods=["post"])
    def revote(self, request: Request, number: str) -> Response:
        given, meeting = validated(self, request), self.get_object()
        review = self._review(given["review"])
        boards.call_revote(meeting=meeting, review=review, by=user_of(request), reason=given["reason"])
        return self._shown(meeting)

    def _review(self, number: int, field: str = "review") -> Review:
        found = reviews_for(user_of(self.request)).filter(number=number).first()
        if found is None:
            said = f"There is no review {number} that you may see."
            raise Invalid(said, errors={field: [said]})
        return found

    def _member(self, pk: Any, field: str) -> User:
        found = next((m for m in members() if m.pk == pk), None)
        if found is None:
            said = "This is not a member of the board."
            raise Invalid(said, errors={field: [said]})
        return found

    def _shown(self, meeting: Meeting, code: int = status.HTTP_200_OK) -> Response:
        again = self.get_queryset().get(pk=meeting.pk)
        return Response(detail(again, user_of(self.request)), status=code)


@extend_schema_view(
    list=extend_schema(summary="List recusals", tags=RECUSALS),
    retrieve=extend_schema(summary="Read a recusal", tags=RECUSALS),
)
class RecusalViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Declared interests, and who was left out by their unit when a meeting closed."""

    queryset = Recusal.objects.none()
    ordering = ("-declared_at",)
    serializer_class = RecusalRow
    filterset_class = RecusalFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": RecusalWrite}

    def get_queryset(self) -> QuerySet[Recusal]:
        return recusals_for(user_of(self.request))

    @extend_schema(summary="Declare an interest", request=RecusalWrite, responses={201: RecusalRow}, tags=RECUSALS)
    def create(self, request: Request) -> Response:
        given, user = validated(self, request), user_of(request)
        review = reviews_for(user).filter(number=given["review"]).first() if "review" in given else None
        if "review" in given and review is None:
            said = f"There is no review {given['review']} that you may see."
            raise Invalid(said, errors={"review": [said]})
        use_case = visible_use_case(request, given["use_case"]) if "use_case" in given else None
        row = boards.recuse(by=user, review=review, use_case=use_case, reason=given["reason"])
        headers = {"Location": f"/api/v1/recusals/{row.pk}/"}
        return Response(RecusalRow(row).data, status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Say that an interest has ended", request=None, responses={204: None}, tags=RECUSALS)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        boards.take_back(recusal=self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def detail(meeting: Meeting, user: User) -> dict[str, Any]:
    """A meeting with what the caller may see of it, in a constant number of queries."""
    return {
        **MeetingRow(meeting).data,
        "minutes": meeting.minutes if sees_all(user) else "",
        "members": SeatShape(seats_of(meeting), many=True).data,
        "agenda": [_item(item) for item in agenda_of(meeting, user)],
    }


def _item(item: Item) -> dict[str, Any]:
    decision = item.decision
    return {
        "position": item.row.position,
        "review": item.review.number,
        "use_case": item.review.use_case.key,
        "gate": item.review.gate,
        "state": item.review.state,
        "digest": item.review.digest,
        "met": item.met,
        "required": item.required,
        "open": list(item.open),
        "board": item.board.state if item.board else "waiting",
        "note": item.board.note if item.board else "",
        "votes": BoardVoteShape(item.votes, many=True).data,
        "recused": AbsenceShape(item.absent, many=True).data,
        "outcome": decision.outcome if decision else None,
        "minutes": item.row.minutes,
    }
