"""The object permissions that roles are stored as: django-guardian rows with real foreign keys.

Real keys instead of guardian's generic text key, so that "what may I see" is one indexed subquery.
"""

from __future__ import annotations

from django.db import models
from guardian.models import UserObjectPermissionBase

from portfolio.models.units import BusinessUnit
from portfolio.models.use_cases import UseCase


class UnitGrant(UserObjectPermissionBase):
    """A role held on a unit and all below it."""

    content_object = models.ForeignKey(BusinessUnit, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        pass


class UseCaseGrant(UserObjectPermissionBase):
    """A role held on one use case."""

    content_object = models.ForeignKey(UseCase, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        pass
