"""What the views of governance share: whose rows, which use case, which version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request

from accounts.access import for_user, to_act_on
from accounts.api.idempotency import IdempotentMixin
from governance.models import Evidence, ModelVersion
from kernel.errors import Invalid
from kernel.viewsets import SerializerPerAction
from portfolio.api.use_cases import user_of
from portfolio.models import UseCase


class GovernanceViewSet(
    IdempotentMixin, SerializerPerAction, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Rows of use cases that the caller may see; for an action, also of those on which they may do it."""

    model: ClassVar[type[Model]]
    related: ClassVar[Sequence[str]] = ("use_case",)
    rights: ClassVar[dict[str, str]] = {}
    """Action of the view -> right with which a row may be looked up without seeing its use case."""

    def get_queryset(self) -> QuerySet[Any]:
        rows = self.model._default_manager.select_related(*self.related)
        right = self.rights.get(self.action or "")
        user = user_of(self.request)
        return to_act_on(rows, user, right) if right else for_user(rows, user, "use_case.view")


def use_case_for(request: Request, key: str, right: str) -> UseCase:
    """The use case that is written to; 404 for whoever neither sees it nor holds ``right`` on it."""
    rows = to_act_on(UseCase.objects.select_related("unit"), user_of(request), right)
    use_case = rows.filter(key=key).first()
    if use_case is None:
        raise Http404
    return use_case


def version_of(use_case: UseCase, named: str) -> ModelVersion | None:
    """The version by its id, its label, or ``model/label`` where several models use the label."""
    if not named:
        return None
    rows = ModelVersion.objects.filter(model__use_case=use_case).select_related("model")
    found = list(rows.filter(pk=named)) if _is_uuid(named) else list(rows.filter(label=named))
    if not found and "/" in named:
        model, _slash, label = named.rpartition("/")
        found = list(rows.filter(model__name=model, label=label))
    if len(found) == 1:
        return found[0]
    said = (
        _("Several models have a version %(name)s: say model/version.") % {"name": named}
        if found
        else _("%(use_case)s has no version %(name)s.") % {"use_case": use_case.key, "name": named}
    )
    raise Invalid(said, errors={"version": [said]})


def evidence_of(use_case: UseCase, pk: UUID | None) -> Evidence | None:
    if pk is None:
        return None
    found = Evidence.objects.filter(use_case=use_case, pk=pk).first()
    if found is None:
        said = _("%(use_case)s has no such evidence.") % {"use_case": use_case.key}
        raise Invalid(said, errors={"evidence": [said]})
    return found


class Person(serializers.StringRelatedField):  # type: ignore[type-arg]  # generic in stubs alone
    """The name of whoever did it; null when nobody did."""

    def to_representation(self, value: Any) -> str:
        return str(value)


class WhyWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
