"""Addresses of the pages on sampled outputs, their reviews, and comparisons of versions."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring.views import comparisons, output_queue, outputs, review_statistics

urlpatterns: list[URLPattern | URLResolver] = [
    path("outputs/", outputs.outputs, name="outputs"),
    path("outputs/<uuid:pk>/", outputs.output, name="output"),
    path("review/", output_queue.queue, name="output_queue"),
    path("review/next/", output_queue.take_next, name="output_next"),
    path("review/<uuid:pk>/", output_queue.review, name="output_review"),
    path("review/<uuid:pk>/claim/", outputs.claim, name="output_claim"),
    path("review/<uuid:pk>/skip/", output_queue.skip, name="output_skip"),
    path("review/verdicts/<uuid:pk>/take-back/", output_queue.take_back, name="verdict_take_back"),
    path("use-cases/<slug:key>/review/", review_statistics.page, name="review_statistics"),
    path("use-cases/<slug:key>/review/plan/", review_statistics.plan, name="sampling_plan"),
    path("use-cases/<slug:key>/review/record/<uuid:pk>/", review_statistics.record, name="review_record"),
    path("comparisons/", comparisons.comparisons, name="comparisons"),
    path("comparisons/<uuid:pk>/", comparisons.page, name="comparison"),
    path("comparisons/<uuid:pk>/data.json", comparisons.data, name="comparison_data"),
    path("comparisons/<uuid:pk>/verdict/", comparisons.decide, name="comparison_decide"),
    path("use-cases/<slug:key>/comparisons/new/", comparisons.define, name="comparison_define"),
]
