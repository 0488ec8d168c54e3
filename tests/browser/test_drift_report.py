"""A technical lead profiles the training data, compares a week with it, and reads which feature drifted."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

WITHIN = 60.0


def write(path: Path, *, seed: int, older: float = 0.0) -> None:
    chance = np.random.default_rng(seed)
    path.parent.mkdir(exist_ok=True)
    table = pa.table(
        {
            "age": chance.normal(44 + older, 12, 4000).round(),
            "income": chance.lognormal(10, 0.5, 4000),
            "region": chance.choice(["north", "south", "west"], 4000, p=[0.5, 0.3, 0.2]),
        }
    )
    pyarrow.parquet.write_table(table, path)


def until(lead: Visitor, words: str) -> None:
    """The page reads itself again while a worker counts; it says so at last."""
    deadline = time.monotonic() + WITHIN
    while words not in lead.text():
        assert time.monotonic() < deadline, lead.text()
        lead.page.wait_for_timeout(500)


def test_a_lead_finds_the_feature_that_drifted(product: Product, enter: Enter) -> None:
    write(product.exports / "training.parquet", seed=1)
    write(product.exports / "week.parquet", seed=2, older=14)
    case = scout.unprofiled(product)
    lead = enter(case.people["technical_lead"])
    page = lead.page

    lead.go(f"/use-cases/{case.key}/monitoring/")
    page.get_by_role("link", name="Profiles and drift").click()
    expect(page.locator("main")).to_contain_text("Nothing says what is normal yet")
    page.get_by_role("link", name="Profile a reference").first.click()
    page.get_by_label("Name", exact=True).fill("Training data")
    page.get_by_label("Files").fill("training.parquet")
    page.get_by_role("button", name="Profile it").click()
    page.wait_for_url("**/monitoring/profiles/**")
    until(lead, "Done")

    page.get_by_role("link", name="Drift", exact=True).first.click()
    page.get_by_role("link", name="Compare newer data").click()
    page.get_by_label("Name", exact=True).fill("Week 47")
    page.get_by_label("Files").fill("week.parquet")
    page.get_by_role("button", name="Compare it").click()
    page.wait_for_url("**/monitoring/profiles/**")
    until(lead, "Drift report: 1 of 3 features")
    page.get_by_role("link", name="Drift report: 1 of 3 features").click()

    expect(page.locator("main")).to_contain_text("1 of 3 features drifted")
    rows = page.locator("#table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("age")
    expect(rows.first).to_contain_text("Drifted")
    digest = page.locator(".digest").first.get_attribute("title")
    with page.expect_download() as waited:
        page.get_by_role("link", name="JSON").click()
    assert hashlib.sha256(Path(waited.value.path()).read_bytes()).hexdigest() == digest

    page.locator("#filters input[name=q]").fill("inc")
    expect(rows).to_have_count(1)
    page.locator("#filters input[name=q]").fill("")
    expect(rows).to_have_count(3)
    rows.first.get_by_role("link", name="age").click()
    expect(page.locator("[data-chart-canvas] canvas").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("Population stability index")
    page.locator("summary", has_text="Show as a table").first.click()
    expect(page.locator("[data-chart-table]").first).to_contain_text("Newer data")

    phone = enter(case.people["technical_lead"], viewport=PHONE)
    phone.go(page.url.removeprefix(product.address))
    expect(phone.page.locator("h1")).to_have_text("age")
    wide = phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
