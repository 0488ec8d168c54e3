"""Everything that goes wrong over REST is a problem (RFC 9457); on a page it is a page."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client, override_settings
from rest_framework.test import APIClient

pytestmark = [pytest.mark.urls("tests.kernel.problem_urls"), pytest.mark.django_db]

MEMBERS = {"type", "title", "status", "detail", "instance", "errors", "hint", "request_id"}


@pytest.fixture
def quiet() -> Client:
    """A client that gets the 500 page, as a browser does, instead of the exception."""
    return Client(raise_request_exception=False)


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert set(content) == MEMBERS
    assert content["status"] == status
    assert content["request_id"] == response.headers["X-Request-ID"]
    return content


@pytest.mark.parametrize("prefix", ["/api/v1", "/api/v1/plain"])
@pytest.mark.parametrize(
    ("kind", "status", "code", "detail"),
    [
        ("domain", 400, "domain_error", "No."),
        ("invalid", 422, "invalid", "The lamp is odd."),
        ("conflict", 409, "conflict", "The lamp is sold."),
        ("not_ready", 409, "not_ready", "The lamp is cold."),
        ("missing", 404, "not_found", "Not found"),
        ("denied", 403, "permission_denied", "Only for electricians."),
        ("denied_silently", 403, "permission_denied", "Not allowed"),
        ("model", 422, "invalid", "The lamp is odd."),
        ("model_plain", 422, "invalid", "The lamp is odd."),
        ("throttled", 429, "throttled", "Request was throttled. Expected available in 7 seconds."),
    ],
)
def test_errors_become_problems(prefix: str, kind: str, status: int, code: str, detail: str, client: Client) -> None:
    url = f"{prefix}/{kind}/"
    content = problem(client.get(f"{url}?q=secret"), status)
    assert content["type"] == f"urn:tollgate:problem:{code}"
    assert content["detail"] == detail
    assert content["instance"] == url


def test_a_domain_error_tells_its_fields_and_its_hint(client: Client) -> None:
    assert problem(client.get("/api/v1/invalid/"), 422)["errors"] == {"watts": ["Too many."]}
    assert problem(client.get("/api/v1/conflict/"), 409)["hint"] == "Buy another."


def test_errors_of_models_are_by_field(client: Client) -> None:
    assert problem(client.get("/api/v1/model/"), 422)["errors"] == {
        "watts": ["Too many."],
        "": ["The lamp is odd."],
    }


def test_a_throttled_client_is_told_when_to_come_back(client: Client) -> None:
    assert client.get("/api/v1/throttled/").headers["Retry-After"] == "7"


def test_nested_errors_of_serializers_name_their_place() -> None:
    lamps = [{"watts": 5}, {"watts": 500, "bulbs": [1, "x"]}, {"watts": 13}, {}]
    content = problem(APIClient().post("/api/v1/shelf/", {"lamps": lamps}), 422)
    assert content["errors"] == {
        "lamps.1.watts": ["Ensure this value is less than or equal to 100."],
        "lamps.1.bulbs.1": ["A valid integer is required."],
        "lamps.2": ["Unlucky."],
        "lamps.3.watts": ["This field is required."],
    }


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('{"a": tru}', "line 1, column 7"),
        ('{\n "a": NaN}', "line 2, column 7"),
        ("[Infinity]", "line 1, column 2"),
        ('{"a": 1e999}', "line 1, column 7"),
        ('{"a": "\\ud800"}', "line 1"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(body: str, place: str, client: Client) -> None:
    response = client.post("/api/v1/shelf/", body, content_type="application/json")
    content = problem(response, 400)
    assert content["type"] == "urn:tollgate:problem:parse_error"
    assert place in content["detail"]


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    response = client.post("/api/v1/shelf/", '"' + "x" * 200 + '"', content_type="application/json")
    assert response.status_code in (400, 413)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_another_content_type_is_refused(client: Client) -> None:
    problem(client.post("/api/v1/shelf/", "a: 1", content_type="application/yaml"), 415)


def test_another_method_is_refused(client: Client) -> None:
    problem(client.delete("/api/v1/shelf/"), 405)


def test_what_the_client_cannot_accept_is_still_a_problem(client: Client) -> None:
    problem(client.get("/api/v1/conflict/", headers={"Accept": "application/pdf"}), 406)


def test_an_unknown_address_of_the_api_is_a_problem(client: Client) -> None:
    content = problem(client.get("/api/v1/a/b/c/d/"), 404)
    assert content["type"] == "urn:tollgate:problem:not_found"


@pytest.mark.parametrize("prefix", ["/api/v1", "/api/v1/plain"])
@pytest.mark.parametrize("kind", ["bug", "integrity"])
def test_a_defect_is_a_500_that_tells_nothing(prefix: str, kind: str, quiet: Client) -> None:
    content = problem(quiet.get(f"{prefix}/{kind}/"), 500)
    assert content["detail"] == "Something failed on our side"
    assert "constraint" not in str(content)


def test_a_broken_constraint_is_not_swallowed(client: Client) -> None:
    with pytest.raises(IntegrityError):
        client.get("/api/v1/integrity/")


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [("conflict", 409, ["The lamp is sold.", "Buy another."]), ("invalid", 422, ["The lamp is odd."])],
)
def test_a_domain_error_of_a_page_is_a_page(kind: str, status: int, words: list[str], client: Client) -> None:
    response = client.get(f"/pages/{kind}/")
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    for word in words:
        assert word in response.content.decode()


def test_other_errors_of_pages_are_left_to_django(quiet: Client) -> None:
    assert quiet.get("/pages/missing/").status_code == 404
    assert quiet.get("/pages/denied/").status_code == 403
    assert quiet.get("/pages/bug/").status_code == 500
