"""The decision pack over REST."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from gates.packs.decision import decision_pack, pack_bytes
from gates.selectors import review_or_none
from portfolio.api.use_cases import user_of


class PackView(APIView):
    """Everything a decision rests on, in one file that proves itself."""

    @extend_schema(
        operation_id="reviews_pack",
        summary="Read the decision pack",
        description="Of a decided review. `tollgate verify-pack` recomputes every digest in it; its own is the ETag.",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
        tags=["reviews"],
    )
    def get(self, request: Request, number: int) -> HttpResponse:
        review = review_or_none(user_of(request), number)
        if review is None:
            raise Http404
        pack = decision_pack(review)
        headers = {"ETag": f'"{pack["digest"]}"'}
        return HttpResponse(pack_bytes(pack), content_type="application/json", headers=headers)
