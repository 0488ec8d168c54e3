"""The OpenAPI description says which writes may be repeated and how errors look."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    found: dict[str, Any] = schema["paths"]
    return found


def header_of(operation: dict[str, Any]) -> bool:
    return any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))


def test_writes_say_that_they_may_be_repeated(paths: dict[str, Any]) -> None:
    assert header_of(paths["/api/v1/role-assignments/"]["post"])
    assert header_of(paths["/api/v1/measurements/"]["post"])
    assert not header_of(paths["/api/v1/role-assignments/"]["get"])
    assert not header_of(paths["/api/v1/tokens/"]["post"])


def test_every_operation_says_how_its_errors_look(paths: dict[str, Any]) -> None:
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert operations
    for operation in operations:
        content = operation["responses"]["default"]["content"]
        assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem"), operation["operationId"]
