"""Words of governance in templates."""

from __future__ import annotations

from django import template

from governance.models import Evidence
from governance.selectors import evidence_state as state_of

register = template.Library()


@register.simple_tag
def evidence_state(evidence: Evidence) -> str:
    """withdrawn, expired, expiring, verified, attested or unverified."""
    return state_of(evidence)
