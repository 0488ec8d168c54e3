"""Addresses of the gates below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from gates.api.boards import MeetingViewSet, RecusalViewSet
from gates.api.breaches import BreachDecisionViewSet
from gates.api.business import BusinessView
from gates.api.conditions import ConditionViewSet
from gates.api.emergencies import EmergencyViewSet
from gates.api.executive import ExecutiveView
from gates.api.judging import FindingViewSet, GateView
from gates.api.packs import PackView
from gates.api.policies import PolicyViewSet
from gates.api.policy_drafts import PolicyDraftViewSet
from gates.api.preparing import CommentViewSet, MissingView
from gates.api.review_calls import ReviewCallViewSet
from gates.api.reviews import DecisionViewSet, ReviewViewSet, SignOffViewSet
from gates.api.verdict import VerdictView
from gates.api.waivers import WaiverViewSet

router = SimpleRouter()
router.register("policies", PolicyViewSet, basename="policy")
router.register("policy-drafts", PolicyDraftViewSet, basename="policy-draft")
router.register("findings", FindingViewSet, basename="finding")
router.register("reviews", ReviewViewSet, basename="review")
router.register("review-comments", CommentViewSet, basename="review-comment")
router.register("sign-offs", SignOffViewSet, basename="sign-off")
router.register("decisions", DecisionViewSet, basename="decision")
router.register("conditions", ConditionViewSet, basename="condition")
router.register("waivers", WaiverViewSet, basename="waiver")
router.register("emergency-releases", EmergencyViewSet, basename="emergency-release")
router.register("breach-decisions", BreachDecisionViewSet, basename="breach-decision")
router.register("review-calls", ReviewCallViewSet, basename="review-call")
router.register("board-meetings", MeetingViewSet, basename="board-meeting")
router.register("recusals", RecusalViewSet, basename="recusal")

urlpatterns: list[URLPattern | URLResolver] = [
    path("use-cases/<slug:key>/gates/<slug:gate>/", GateView.as_view(), name="use-case-gate"),
    path("use-cases/<slug:key>/gates/<slug:gate>/verdict", VerdictView.as_view(), name="use-case-verdict"),
    path("use-cases/<slug:key>/gates/<slug:gate>/verdict/", VerdictView.as_view(schema=None)),
    path("use-cases/<slug:key>/business/", BusinessView.as_view(), name="use-case-business"),
    path("use-cases/<slug:key>/missing/", MissingView.as_view(), name="use-case-missing"),
    path("executive/", ExecutiveView.as_view(), name="executive"),
    path("reviews/<int:number>/pack/", PackView.as_view(), name="review-pack"),
    *router.urls,
]
