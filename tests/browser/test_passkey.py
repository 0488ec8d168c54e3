"""A passkey from its first day to a signature: added, signed in with, asked for again, and named on the record."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.scout import Signer
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """The authenticator that is built into a visitor's machine."""

    def __init__(self, visitor: Visitor) -> None:
        self._session = visitor.context.new_cdp_session(visitor.page)
        self._session.send("WebAuthn.enable")
        self._id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    def recognises(self, person: bool) -> None:
        """Whether the finger on it is the right one."""
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": person})

    def count(self) -> int:
        return len(self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})["credentials"])


@pytest.fixture
def signer(product: Product) -> Signer:
    return scout.a_signer_with_a_password(product)


def test_a_signer_adds_a_passkey_signs_in_with_it_and_signs_with_it(
    product: Product, enter: Enter, signer: Signer
) -> None:
    # Browsers bind a passkey to a name; an address of numbers has none.
    visitor = enter(address=f"http://localhost:{urlsplit(product.address).port}")
    device = Device(visitor)
    _sign_in_with_the_password(visitor, signer)
    _add_a_passkey(visitor)
    assert device.count() == 1
    _sign_out(visitor)

    visitor.page.get_by_role("button", name="Sign in with a passkey").click()
    visitor.page.wait_for_url(f"{visitor.address}/")
    expect(visitor.page.locator("body")).to_contain_text(signer.name)

    scout.let_the_proof_grow_old(product, signer)
    _fill_in(visitor, signer)
    visitor.page.get_by_role("button", name="Confirm with a passkey").click()
    _fail_with_a_foreign_finger(visitor, device)
    visitor.page.get_by_role("button", name="Use your passkey").click()
    visitor.page.wait_for_url(f"**/gates/reviews/{signer.review}/sign/")
    expect(visitor.page.get_by_label("Approve", exact=True)).to_be_checked()
    expect(visitor.page.get_by_label("Reason")).to_have_value("Reads well.")
    visitor.page.get_by_role("button", name="Sign this snapshot").click()
    visitor.page.wait_for_url(f"**/gates/reviews/{signer.review}/")

    found = scout.signature_of(product, signer)
    assert found["method"] == "webauthn"
    visitor.go(f"/gates/sign-offs/{found['pk']}/")
    expect(visitor.page.locator("dl.facts")).to_contain_text("Confirmed by")
    expect(visitor.page.locator("dl.facts")).to_contain_text("Passkey")


def _sign_in_with_the_password(visitor: Visitor, signer: Signer) -> None:
    visitor.go("/accounts/login/")
    visitor.page.locator("[name=login]").fill(signer.email)
    visitor.page.locator("[name=password]").fill(signer.password)
    visitor.page.get_by_role("button", name="Sign in", exact=True).click()
    visitor.page.wait_for_url(f"{visitor.address}/")


def _add_a_passkey(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/settings/")
    page.get_by_role("link", name="Second step").click()
    page.locator("a[href='/accounts/2fa/webauthn/add/']").click()
    page.locator("[name=name]").fill("Laptop")
    expect(page.get_by_label("Sign in with it alone")).to_be_checked()
    page.get_by_role("button", name="Add this passkey").click()
    page.wait_for_url("**/2fa/recovery-codes/")
    visitor.go("/accounts/2fa/webauthn/")
    expect(page.locator("main")).to_contain_text("Laptop")


def _sign_out(visitor: Visitor) -> None:
    visitor.go("/accounts/logout/")
    visitor.page.get_by_role("button", name="Sign out").last.click()
    visitor.go("/accounts/login/")


def _fill_in(visitor: Visitor, signer: Signer) -> None:
    visitor.go(f"/gates/reviews/{signer.review}/")
    visitor.page.locator(".sticky-bar").get_by_role("link", name="Read and sign").click()
    visitor.page.get_by_label("Approve", exact=True).check()
    visitor.page.get_by_label("Reason").fill("Reads well.")


def _fail_with_a_foreign_finger(visitor: Visitor, device: Device) -> None:
    """A device that does not recognise the person confirms nothing, and the page says so."""
    device.recognises(False)
    visitor.page.get_by_role("button", name="Use your passkey").click()
    expect(visitor.page.get_by_text("The passkey was not used")).to_be_visible()
    device.recognises(True)
