"""Addresses of governance, under /governance/."""

from __future__ import annotations

from django.urls import path

from governance.views import documents, entries, evidence, lists, things

app_name = "governance"

urlpatterns = [
    path("", lists.index, name="index"),
    path("evidence/", lists.evidence_list, name="evidence_list"),
    path("evidence/<uuid:pk>/", evidence.evidence, name="evidence"),
    path("evidence/<uuid:pk>/file", evidence.evidence_file, name="evidence_file"),
    path("documents/", lists.document_list, name="document_list"),
    path("documents/<uuid:pk>/", documents.document, name="document"),
    path("documents/preview/", documents.preview, name="preview"),
    path("issues/", lists.issue_list, name="issue_list"),
    path("issues/<uuid:pk>/", things.issue, name="issue"),
    path("incidents/", lists.incident_list, name="incident_list"),
    path("incidents/<uuid:pk>/", things.incident, name="incident"),
    path("datasets/", lists.dataset_list, name="dataset_list"),
    path("datasets/<uuid:pk>/", things.dataset, name="dataset"),
    path("datasets/<uuid:pk>/edit/", things.edit_dataset, name="edit_dataset"),
    path("versions/<uuid:pk>/", things.version, name="version"),
    # Every other form: about a use case, and about one thing of it.
    path("use-cases/<slug:key>/<slug:entry>/", entries.enter, name="enter"),
    path("do/<slug:entry>/<str:pk>/", entries.act, name="act"),
]
