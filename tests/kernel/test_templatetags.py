"""What the interface's own tags and filters say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django import forms
from django.http import QueryDict
from django.template import Context, Template
from django.utils.html import strip_tags

from kernel.templatetags import tollgate

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def rendered(source: str, **context: Any) -> str:
    return Template("{% load tollgate %}" + source).render(Context(context))


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def test_an_icon_without_words_is_hidden_from_screen_readers() -> None:
    assert rendered('{% icon "check" %}').startswith('<svg class="icon" aria-hidden="true">')


def test_an_icon_with_words_says_them() -> None:
    assert 'role="img" aria-label="Error &lt;b&gt;"' in rendered("{% icon 'error' label=words %}", words="Error <b>")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (date(2026, 11, 3), "3 Nov 2026, 18 days ago"),
        (date(2026, 11, 21), "21 Nov 2026, today"),
        (date(2026, 12, 3), "3 Dec 2026, in 12 days"),
        (NOW - timedelta(hours=5), "21 Nov 2026 07:00, 5 hours ago"),
        (NOW + timedelta(minutes=1), "21 Nov 2026 12:01, in 1 minute"),
        (NOW, "21 Nov 2026 12:00, just now"),
        (NOW - timedelta(days=200), "5 May 2026, 6 months ago"),
        (NOW - timedelta(days=800), "12 Sep 2024, 2 years ago"),
    ],
)
def test_dates_are_absolute_with_the_relative_beside(value: date, words: str) -> None:
    html = tollgate.ago(value)
    assert strip_tags(html) == words


def test_no_date_says_nothing() -> None:
    assert tollgate.ago(None) == tollgate.day(None) == tollgate.relative(None) == ""


def test_a_time_element_carries_the_exact_moment() -> None:
    assert 'datetime="2026-11-21T07:00:00+00:00"' in tollgate.ago(NOW - timedelta(hours=5))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (timedelta(days=3, hours=4, minutes=9), "3 d 4 h"),
        (timedelta(days=3, minutes=9), "3 d"),
        (720, "12 min"),
        (61, "1 min 1 s"),
        (0.25, "250 ms"),
        (0, "0 s"),
        (timedelta(hours=-2), "−2 h"),
        (None, ""),
    ],
)
def test_durations_name_their_two_largest_units(value: Any, words: str) -> None:
    assert tollgate.duration(value) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.8500"), "0.85"),
        (Decimal("1E+3"), "1000"),
        (Decimal(100), "100"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        (Decimal("-0.0"), "0"),
        ("NaN", "NaN"),
        ("not a number", "not a number"),
        (None, ""),
    ],
)
def test_decimals_have_no_exponent_and_no_trailing_zeros(value: object, text: str) -> None:
    assert tollgate.decimal(value) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("Ana Maria de la Cruz", "AC"),
        ("plato", "PL"),
        ("ada.lovelace@example.org", "AL"),
        ("", "?"),
    ],
)
def test_initials_stand_for_a_person(name: str, letters: str) -> None:
    assert tollgate.initials(name) == letters


def test_a_name_keeps_its_colour() -> None:
    assert tollgate.avatar_tone("Ada") == tollgate.avatar_tone("Ada")
    assert {tollgate.avatar_tone(f"person {number}") for number in range(50)} == set(range(tollgate.AVATAR_TONES))


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<a href="#" onclick="alert(1)">x</a>',
        "![x](https://example.org/pixel.png)",
        '<p style="color:red">x</p>',
    ],
)
def test_markdown_lets_nothing_active_through(attack: str) -> None:
    html = tollgate.markdown(attack)
    for danger in ("<script", 'href="javascript', '<a href="#" onclick', "<img", "<p style"):
        assert danger not in html


def test_markdown_keeps_what_people_mean() -> None:
    html = tollgate.markdown("**two** [years](https://example.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<strong>two</strong>" in html
    assert 'href="https://example.org" rel="noopener noreferrer nofollow"' in html
    assert "<td>1</td>" in html


def test_query_changes_one_parameter_and_forgets_the_page() -> None:
    params = QueryDict("stage=pilot&tier=high&page=4")
    assert rendered('{% query params stage="" q="a b" %}', params=params) == "?tier=high&amp;q=a+b"


def test_a_sparkline_breaks_where_there_is_no_value() -> None:
    html = rendered("{% sparkline points 2 1 'F1' %}", points=[1, 2, None, 3, 4])
    assert html.count("<polyline") == 2
    assert 'aria-label="F1"' in html
    assert "spark__baseline" in html
    assert "spark__threshold" in html


@pytest.mark.parametrize("points", [[], [None, None]])
def test_a_sparkline_of_nothing_says_so(points: list[None]) -> None:
    assert "No data" in rendered("{% sparkline points %}", points=points)


def test_a_sparkline_of_equal_values_is_level() -> None:
    assert 'points="3.0,12.0 93.0,12.0"' in rendered("{% sparkline points %}", points=[5, 5])


def test_a_split_bar_divides_by_count_and_says_the_counts() -> None:
    parts = [{"state": "met", "count": 3, "label": "met"}, {"state": "missing", "count": 1, "label": "missing"}]
    html = rendered("{% split_bar parts %}", parts=[*parts, {"state": "error", "count": 0, "label": "error"}])
    assert 'aria-label="3 met, 1 missing"' in html
    assert 'class="is-met" x="0.0" y="0" width="75.0"' in html
    assert html.count("<rect") == 2


class Form(forms.Form):
    name = forms.CharField(label="Name", help_text="As people say it.")
    note = forms.CharField(label="Note", required=False)
    kind = forms.ChoiceField(label="Kind", widget=forms.RadioSelect, choices=[("a", "A")])
    sure = forms.BooleanField(label="I am sure")
    file = forms.FileField(label="File")


def row(name: str, **data: str) -> str:
    return rendered("{% form_row field %}", field=Form(data or None)[name])


def test_a_form_row_ties_label_help_and_error_to_the_control() -> None:
    html = row("name", note="x")
    assert '<label class="field__label" for="id_name">Name</label>' in html
    assert 'id="id_name_helptext">As people say it.' in html
    assert 'id="id_name_error"' in html
    assert "This field is required." in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_only_optional_fields_are_marked() -> None:
    assert "(optional)" in row("note")
    assert "(optional)" not in row("name")


def test_choices_stand_in_a_fieldset_and_a_tick_box_in_its_label() -> None:
    assert "<fieldset" in row("kind")
    assert "<legend" in row("kind")
    assert '<label class="check" for="id_sure">' in row("sure")


def test_a_file_field_can_be_dropped_on() -> None:
    assert "data-drop" in row("file")
    assert 'type="file"' in row("file")


def test_a_sparkline_does_without_the_lines_that_a_template_does_not_know() -> None:
    drawn = rendered("{% sparkline points card.baseline card.rule.act 'Newest values' %}", points=[1.0, 2.0], card={})
    assert "<svg" in drawn
