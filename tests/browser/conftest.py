"""The running product and people at browsers, for the stories in this folder.

With `-n 2 --dist loadfile` each process has a product of its own; both start from copies of one demonstration.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.product import Product
from tests.browser.visitor import Visitor, visit

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Enter = Callable[..., Visitor]


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Product]:
    """Web, worker and scheduler on an empty data directory; Ctrl-C at the end must end it well."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    found = Product(tmp_path_factory.mktemp("product") / "data")
    if worker_id == "master" or "DATABASE_URL" in os.environ:
        found.prepare()
    else:
        _copy_the_demonstration(found.data_dir, tmp_path_factory.getbasetemp().parent / "demonstration")
    found.start()
    try:
        yield found
    finally:
        code = found.stop()
    assert code == 0, found.log.read_text()[-3000:]


def _copy_the_demonstration(target: Path, kept: Path) -> None:
    """The first process prepares it; a second one waits for it and copies."""
    with kept.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not kept.exists():
            making = Product(kept.with_suffix(".new"))
            making.prepare()
            making.data_dir.rename(kept)
    shutil.copytree(kept, target)


@pytest.fixture(scope="session")
def chromium(product: Product) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield found
        found.close()


@pytest.fixture
def enter(product: Product, chromium: Browser) -> Iterator[Enter]:
    """``enter("Nadia Rahman")``: a window in which that person is signed in. No window may have complained."""
    windows: list[Visitor] = []

    def enter_as(name: str = "", *, address: str = "", **options: object) -> Visitor:
        visitor = visit(chromium, address or product.address, **options)
        windows.append(visitor)
        if name:
            visitor.be(name)
        return visitor

    yield enter_as
    complaints = [each for window in windows for each in window.complaints]
    for window in windows:
        window.close()
    assert complaints == []
