"""A canary is put in as a secret and looked for everywhere else."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.urls import reverse
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitoring import pulling, services
from monitoring.models import Source
from monitoring.secrets import SecretLost, redact, seal, unseal
from tests.factories.accounts import api_as, person_with
from tests.factories.portfolio import UseCaseFactory

CANARY = "canary-7f3a9b2e5d"
SECRET = {"header": "Authorization", "header_value": f"Bearer {CANARY}"}


def test_what_is_sealed_can_be_unsealed_and_not_read() -> None:
    sealed = seal(SECRET)
    assert CANARY not in sealed
    assert unseal(sealed) == SECRET
    assert seal(SECRET) != sealed
    assert (seal({}), unseal("")) == ("", {})


def test_a_rotated_key_still_opens_what_it_sealed(settings: Settings) -> None:
    sealed = seal(SECRET)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key of this installation"
    assert unseal(sealed) == SECRET
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretLost):
        unseal(sealed)


def test_what_was_tampered_with_is_refused() -> None:
    sealed = seal(SECRET)
    with pytest.raises(SecretLost):
        unseal(sealed[:-6] + "AAAAA=")


def test_errors_that_quote_a_secret_are_blacked_out() -> None:
    assert CANARY not in redact(f"status 401: Bearer {CANARY} is not known", SECRET)
    assert CANARY not in redact(f"invalid token {CANARY}", SECRET)


@pytest.mark.django_db
def test_the_canary_is_nowhere_but_in_the_header(httpserver: HTTPServer, settings: Settings, tmp_path: Path) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    sent: list[str] = []

    def answer(request: Request) -> Response:
        sent.append(request.headers["Authorization"])
        return Response(f"who is {CANARY}?", status=401)

    httpserver.expect_request("/m").respond_with_handler(answer)
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        client = api_as(lead)
        created = client.post(
            "/api/v1/sources/",
            {
                "use_case": use_case.key,
                "name": "Gateway",
                "connector": "http_json",
                "config": {"url": httpserver.url_for("/m"), "metric": "f1"},
                "secret": SECRET,
            },
        )
        assert created.status_code == 201, created.content
        source = Source.objects.get()
        answers: list[Any] = [created, client.get(f"/api/v1/sources/{source.pk}/preview/")]
        pulling.pull(source.pk)
        answers += [client.get("/api/v1/sources/"), client.patch(f"/api/v1/sources/{source.pk}/", {"name": "Gate"})]
        answers += [client.patch(f"/api/v1/sources/{source.pk}/", {"secret": {"header": f"bad {CANARY}"}})]
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    assert len(sent) == 2
    assert all(value == f"Bearer {CANARY}" for value in sent)
    for answer_given in answers:
        assert CANARY not in answer_given.content.decode()
    assert CANARY not in log.getvalue()
    assert CANARY not in serializers.serialize("json", Source.objects.all())
    assert [table for table in connection.introspection.table_names() if _holds_canary(table)] == []
    broker = Path(settings.TOLLGATE_DATA_DIR)
    assert not [path for path in broker.rglob("*") if _is_message(path) and CANARY.encode() in path.read_bytes()]


@pytest.mark.django_db
def test_pages_never_show_a_stored_secret(client: Any) -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    source = services.connect_source(
        use_case=use_case,
        name="Gateway",
        connector="http_json",
        config={"url": "https://example.com/", "metric": "f1"},
        secret=SECRET,
        by=lead,
    )
    client.force_login(lead)
    for name in ("source", "source_edit"):
        page = client.get(reverse(f"monitoring:{name}", args=[source.pk])).content.decode()
        assert CANARY not in page
        assert source.secret not in page


def _holds_canary(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')
        return any(
            CANARY in str(bytes(v) if isinstance(v, memoryview) else v) for row in cursor.fetchall() for v in row
        )


def _is_message(path: Path) -> bool:
    return path.is_file() and "sqlite" not in path.name
