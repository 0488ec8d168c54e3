"""Who does what on one use case."""

from __future__ import annotations

from accounts.services.bulk import Grant
from gates.demonstration.story import Story

ON_USE_CASE = (
    "business_sponsor",
    "business_owner",
    "technical_lead",
    "use_case_lead",
    "transition_owner",
    "data_scientist",
    "data_engineer",
)


def grants(story: Story) -> list[Grant]:
    """Roles on the use case itself. An idea that stalls has nobody to own it: that is why it stalls."""
    roles = list(ON_USE_CASE)
    if story.health == "stalled":
        roles.remove("business_owner")
        roles.remove("transition_owner")
    return [Grant(story.person(role), role, story.use_case) for role in roles]
