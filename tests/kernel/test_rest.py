"""What JSON looks like, and that cursor pages neither repeat nor lose a row."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from kernel.orjson import OrjsonRenderer
from kernel.pagination import CursorPagination
from kernel.viewsets import ReadOnlyViewSet


class KindSerializer(serializers.ModelSerializer[ContentType]):
    class Meta:
        model = ContentType
        fields: tuple[str, ...] = ("id", "app_label", "model")


class ShortSerializer(KindSerializer):
    class Meta(KindSerializer.Meta):
        fields = ("id",)


class KindViewSet(ReadOnlyViewSet):
    queryset = ContentType.objects.filter(model__startswith="m")
    serializer_class = KindSerializer
    serializers = {"retrieve": ShortSerializer}  # as apps write it
    filter_backends = ()
    authentication_classes = ()
    permission_classes = ()
    ordering = "-app_label"


def walk(**query: object) -> list[int]:
    view = KindViewSet.as_view({"get": "list"})
    seen: list[int] = []
    url = f"/?{'&'.join(f'{name}={value}' for name, value in query.items())}"
    while url:
        content = json.loads(view(APIRequestFactory().get(url)).render().content)
        seen += [row["id"] for row in content["results"]]
        url = content["next"]
    return seen


@pytest.mark.django_db
def test_rows_with_equal_values_neither_repeat_nor_vanish_between_pages() -> None:
    ContentType.objects.bulk_create(ContentType(app_label=f"a{n % 2}", model=f"m{n}") for n in range(23))
    expected = list(
        ContentType.objects.filter(model__startswith="m").order_by("-app_label", "-pk").values_list("pk", flat=True)
    )
    for size in (1, 3, 7, 50):
        assert walk(page_size=size) == expected


@pytest.mark.django_db
def test_a_page_has_50_rows_and_at_most_500() -> None:
    ContentType.objects.bulk_create(ContentType(app_label="a", model=f"m{n}") for n in range(520))
    view = KindViewSet.as_view({"get": "list"})
    lengths = {
        query: len(json.loads(view(APIRequestFactory().get(f"/{query}")).render().content)["results"])
        for query in ("", "?page_size=10", "?page_size=10000", "?page_size=x")
    }
    assert lengths == {"": 50, "?page_size=10": 10, "?page_size=10000": 500, "?page_size=x": 50}


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("-created", ("-created", "-pk")),
        (("name", "-created"), ("name", "-created", "pk")),
        ("-pk", ("-pk",)),
        ("id", ("id",)),
        (None, ("pk",)),
    ],
)
def test_the_key_settles_every_order(ordering: object, expected: tuple[str, ...]) -> None:
    view = KindViewSet()
    view.ordering = ordering  # type: ignore[assignment]  # what an app may write
    request = Request(APIRequestFactory().get("/"))
    assert CursorPagination().get_ordering(request, ContentType.objects.all(), view) == expected


@pytest.mark.django_db
def test_actions_may_have_shapes_of_their_own() -> None:
    kind = ContentType.objects.create(app_label="a", model="m1")
    response = KindViewSet.as_view({"get": "retrieve"})(APIRequestFactory().get("/"), pk=kind.pk)
    assert json.loads(response.render().content) == {"id": kind.pk}


def test_json_has_one_spelling_for_each_type() -> None:
    data = {
        "decimal": Decimal("0.10"),
        "at": datetime(2026, 11, 21, 10, tzinfo=UTC),
        "day": date(2026, 11, 21),
        "id": UUID(int=1),
        "words": gettext_lazy("words"),
        "pair": (1, 2),
        "one": {1},
        "none": None,
    }
    assert json.loads(OrjsonRenderer().render(data)) == {
        "decimal": "0.10",
        "at": "2026-11-21T10:00:00Z",
        "day": "2026-11-21",
        "id": "00000000-0000-0000-0000-000000000001",
        "words": "words",
        "pair": [1, 2],
        "one": [1],
        "none": None,
    }


def test_no_data_is_no_body() -> None:
    assert OrjsonRenderer().render(None) == b""


def test_what_has_no_json_is_a_defect() -> None:
    with pytest.raises(TypeError):
        OrjsonRenderer().render({"x": object()})
