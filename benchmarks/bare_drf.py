"""The least that Django REST framework can do: the same columns of the same table, no sign-in, no permissions.

A yardstick for `benchmarks.rest`. Served by itself: `gunicorn benchmarks.bare_drf:application`.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.conf import settings

if not settings.configured:
    _place = urlsplit(os.environ["DATABASE_URL"])
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="a yardstick on loopback",
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        MIDDLEWARE=[],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": _place.hostname,
                "PORT": _place.port or "",
                "USER": _place.username,
                "PASSWORD": _place.password or "",
                "NAME": _place.path.lstrip("/"),
                "CONN_MAX_AGE": 600,
            }
        },
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
            "PAGE_SIZE": 50,
        },
    )

from django.core.wsgi import get_wsgi_application  # after the settings

application = get_wsgi_application()

from django.db import models  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402


class Row(models.Model):
    """The columns that the product's list gives, without the unit's name."""

    id = models.UUIDField(primary_key=True)
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=300)
    summary = models.TextField()
    stage = models.CharField(max_length=40)
    stage_since = models.DateTimeField()
    status = models.CharField(max_length=20)
    tier = models.CharField(max_length=20)
    tier_source = models.CharField(max_length=20)
    legal_hold = models.BooleanField()
    assurance = models.CharField(max_length=20)
    assurance_reason = models.TextField()
    assurance_since = models.DateTimeField(null=True)
    next_gate = models.CharField(max_length=40)
    gate_met = models.IntegerField()
    gate_required = models.IntegerField()
    third_party = models.BooleanField(null=True)
    personal_data = models.BooleanField(null=True)
    affects_people = models.BooleanField(null=True)
    generative_or_agentic = models.BooleanField(null=True)
    jurisdictions = models.JSONField()
    regulations = models.JSONField()
    eu_role = models.CharField(max_length=40)
    oversight_tier = models.CharField(max_length=20)
    primary_metric = models.CharField(max_length=100)
    vendor = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    unit_id = models.UUIDField()

    class Meta:
        app_label = "bare"
        managed = False
        db_table = "portfolio_usecase"

    def __str__(self) -> str:
        return self.key


class RowSerializer(serializers.ModelSerializer[Row]):
    class Meta:
        model = Row
        fields = "__all__"


class Rows(viewsets.ReadOnlyModelViewSet[Row]):
    queryset: models.QuerySet[Row] = models.QuerySet(Row).order_by("key")
    serializer_class = RowSerializer
    permission_classes = ()


router = routers.SimpleRouter()
router.register("use-cases", Rows)
urlpatterns = [path("", include(router.urls))]
