"""What people and machines ask of monitoring: verbs, keyword-only, by somebody whose rights are checked."""

from __future__ import annotations

from monitoring.services.alert_care import (
    assign_alert,
    comment_on_alert,
    report_alert,
    resolve_alert,
    snooze_alert,
    wake_alert,
)
from monitoring.services.alerts import acknowledge_alert
from monitoring.services.comparisons import decide_comparison, define_comparison
from monitoring.services.contents import (
    cancel_content_comparison,
    compare_content,
    retry_content_comparison,
    unwatch_content,
    watch_content,
)
from monitoring.services.output_reviews import (
    claim_next,
    claim_output,
    review_output,
    skip_output,
    take_back_verdict,
)
from monitoring.services.outputs import push_outputs
from monitoring.services.points import push_fitting_points, push_points, record_point
from monitoring.services.profiles import (
    agree_terms,
    cancel_profile,
    compare_again,
    profile_current,
    profile_reference,
    push_answers,
    push_profile,
    retry_profile,
)
from monitoring.services.receivers import (
    add_receiver,
    change_receiver,
    remove_receiver,
    renew_secret,
    retry_delivery,
    try_receiver,
)
from monitoring.services.responses import reset_response, set_response
from monitoring.services.retraining import (
    answer_request,
    request_retraining,
    send_again,
    set_up_retraining,
)
from monitoring.services.review_results import record_review_result
from monitoring.services.rules import define_rule, edit_rule, switch_rule, try_rule
from monitoring.services.sampling_plans import set_sampling_plan
from monitoring.services.series import define_series, edit_series, set_baseline
from monitoring.services.source_care import (
    backfill_source,
    clone_source,
    delete_source,
    pause_source,
    pull_now,
    resume_source,
)
from monitoring.services.sources import connect_source, edit_source, try_source

__all__ = [
    "acknowledge_alert",
    "add_receiver",
    "agree_terms",
    "answer_request",
    "assign_alert",
    "backfill_source",
    "cancel_content_comparison",
    "cancel_profile",
    "change_receiver",
    "claim_next",
    "claim_output",
    "clone_source",
    "comment_on_alert",
    "compare_again",
    "compare_content",
    "connect_source",
    "decide_comparison",
    "define_comparison",
    "define_rule",
    "define_series",
    "delete_source",
    "edit_rule",
    "edit_series",
    "edit_source",
    "pause_source",
    "profile_current",
    "profile_reference",
    "pull_now",
    "push_answers",
    "push_fitting_points",
    "push_outputs",
    "push_points",
    "push_profile",
    "record_point",
    "record_review_result",
    "remove_receiver",
    "renew_secret",
    "report_alert",
    "request_retraining",
    "reset_response",
    "resolve_alert",
    "resume_source",
    "retry_content_comparison",
    "retry_delivery",
    "retry_profile",
    "review_output",
    "send_again",
    "set_baseline",
    "set_response",
    "set_sampling_plan",
    "set_up_retraining",
    "skip_output",
    "snooze_alert",
    "switch_rule",
    "take_back_verdict",
    "try_receiver",
    "try_rule",
    "try_source",
    "unwatch_content",
    "wake_alert",
    "watch_content",
]
