"""The API's description is made once, and its page reads the form that is quick to write."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.factories.accounts import PersonFactory

pytestmark = pytest.mark.django_db


def test_the_description_is_made_once_and_reads_as_json_and_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.force_login(PersonFactory.create())
    first = json.loads(client.get("/api/v1/schema/?format=json").content)
    assert "/api/v1/use-cases/" in first["paths"]

    def made_again(*_arguments: object, **_more: object) -> None:
        raise AssertionError("the description is made again")

    monkeypatch.setattr(SchemaGenerator, "get_schema", made_again)
    assert json.loads(client.get("/api/v1/schema/?format=json").content) == first
    assert client.get("/api/v1/schema/").content.startswith(b"openapi:")


def test_the_page_of_the_documentation_reads_it_as_json() -> None:
    client = Client()
    client.force_login(PersonFactory.create())
    script = client.get("/api/v1/docs/?script=").content.decode().replace("\\u003D", "=")
    assert "/api/v1/schema/?format=json" in script
