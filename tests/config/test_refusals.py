"""Requests that are refused before any page has a say."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_form_without_its_token_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a@example.org", "password": "x"})
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "reload the page and send it again" in text
    assert "CSRF verification" not in text
    assert "<style" not in text
