"""The shapes of the portfolio over REST. They only shape: services check and decide.

Lists are read by machines in bulk, so a use case is spelt by hand from its columns (``to_representation``); the
declared fields describe the same shape in the schema, and a test holds the two together.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from portfolio.models import BusinessUnit, Kpi, KpiMeasurement, OperatingPlan, StageChange, UseCase
from portfolio.services.kpis import DEFINITION
from portfolio.services.plans import PLAN_FIELDS
from portfolio.services.use_cases import EDITABLE, INTAKE, PROFILE

LISTED = (
    "id",
    "key",
    "name",
    "summary",
    "stage",
    "stage_since",
    "status",
    "tier",
    "tier_source",
    "legal_hold",
    "assurance",
    "assurance_reason",
    "assurance_since",
    "next_gate",
    "gate_met",
    "gate_required",
    *PROFILE,
    "created_at",
    "updated_at",
)
DETAILED = (*LISTED, *INTAKE, "source_profile", "source_row", "source_data")
NOT_LISTED = (*INTAKE, "source_data", "source_values")


class UseCaseRow(serializers.ModelSerializer[UseCase]):
    """A use case in a list; ``unit`` is the unit's code."""

    unit = serializers.CharField(source="unit.code", read_only=True)
    unit_name = serializers.CharField(source="unit.name", read_only=True)
    names: ClassVar[tuple[str, ...]] = LISTED

    class Meta:
        model = UseCase
        fields: tuple[str, ...] = (*LISTED, "unit", "unit_name")
        read_only_fields: tuple[str, ...] = fields

    def to_representation(self, instance: UseCase) -> dict[str, Any]:
        columns = instance.__dict__  # loaded columns, without the descriptors' detour: there are a thousand of them
        row = {name: columns[name] for name in self.names}
        row["unit"], row["unit_name"] = instance.unit.code, instance.unit.name
        return row


class UseCaseDetail(UseCaseRow):
    """A use case with its intake and what came with an imported row."""

    names = DETAILED

    class Meta(UseCaseRow.Meta):
        fields: tuple[str, ...] = (*DETAILED, "unit", "unit_name")
        read_only_fields: tuple[str, ...] = fields


class UseCaseWrite(serializers.ModelSerializer[UseCase]):
    """What may be given. ``unit`` is a unit's code; without a key the next free one is taken."""

    unit = serializers.SlugField()

    class Meta:
        model = UseCase
        fields: tuple[str, ...] = ("key", "unit", *EDITABLE)
        extra_kwargs: ClassVar[dict[str, Any]] = {"key": {"required": False, "validators": []}}


class UseCaseChange(UseCaseWrite):
    """The same, to change a use case; its key stays."""

    class Meta(UseCaseWrite.Meta):
        fields: tuple[str, ...] = ("unit", *EDITABLE)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class StageChangeSerializer(serializers.ModelSerializer[StageChange]):
    """One move; ``decision_id`` names the gate decision that caused it, if one did."""

    use_case: Any = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = StageChange
        fields = ("id", "use_case", "from_stage", "to_stage", "at", "by", "reason", "decision_id")
        read_only_fields = fields


class PlanSerializer(serializers.ModelSerializer[OperatingPlan]):
    """What has been committed. Amounts are in ``currency``, as decimal strings; null is a fact that is missing."""

    class Meta:
        model = OperatingPlan
        fields = (*PLAN_FIELDS, "updated_at")
        read_only_fields = ("updated_at",)


class KpiSerializer(serializers.ModelSerializer[Kpi]):
    """One version of a success measure; numbers are decimal strings in ``unit``."""

    use_case: Any = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Kpi
        fields = ("id", "use_case", "key", "version", *DEFINITION, "is_current", "locked_at", "created_at")
        read_only_fields = fields


class KpiWrite(serializers.ModelSerializer[Kpi]):
    use_case = serializers.SlugField()

    class Meta:
        model = Kpi
        fields = ("use_case", "key", *DEFINITION)
        extra_kwargs: ClassVar[dict[str, Any]] = {"is_primary": {"required": False}}
        validators: ClassVar[list[Any]] = []  # the service says it kindly, and as a 409


class KpiChange(serializers.ModelSerializer[Kpi]):
    class Meta:
        model = Kpi
        fields = DEFINITION
        validators: ClassVar[list[Any]] = []


class MeasurementSerializer(serializers.ModelSerializer[KpiMeasurement]):
    """What was measured over a window of days, both ends included; ``value`` is a decimal string in ``unit``."""

    use_case = serializers.CharField(source="kpi.use_case.key", read_only=True)
    kpi_key = serializers.CharField(source="kpi.key", read_only=True)
    kpi_version = serializers.IntegerField(source="kpi.version", read_only=True)
    unit = serializers.CharField(source="kpi.unit", read_only=True)

    class Meta:
        model = KpiMeasurement
        fields = (
            "id",
            "use_case",
            "kpi",
            "kpi_key",
            "kpi_version",
            "window_start",
            "window_end",
            "value",
            "unit",
            "sample_size",
            "source",
            "recorded_by",
            "recorded_at",
        )
        read_only_fields = fields


class MeasurementWrite(serializers.ModelSerializer[KpiMeasurement]):
    """Names its KPI by key within a use case, so that a script needs no ids; the current version is measured."""

    use_case = serializers.SlugField()
    kpi = serializers.SlugField()

    class Meta:
        model = KpiMeasurement
        fields = ("use_case", "kpi", "window_start", "window_end", "value", "sample_size", "source")
        validators: ClassVar[list[Any]] = []


class UnitSerializer(serializers.ModelSerializer[BusinessUnit]):
    """A unit of the tree; ``parent`` is the code of the one above, null for the organisation."""

    parent: Any = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = BusinessUnit
        fields = ("id", "code", "name", "parent", "path", "description", "created_at")
        read_only_fields = fields


class UnitWrite(serializers.ModelSerializer[BusinessUnit]):
    parent: Any = serializers.SlugField()

    class Meta:
        model = BusinessUnit
        fields = ("code", "name", "parent", "description")
        extra_kwargs: ClassVar[dict[str, Any]] = {"code": {"validators": []}}


class UnitChange(serializers.ModelSerializer[BusinessUnit]):
    class Meta:
        model = BusinessUnit
        fields = ("name", "description")
