"""Adding, attesting, verifying and withdrawing evidence: who may, and what is refused."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from governance import services
from governance.models import Evidence
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories.accounts import ServiceAccountFactory, give, person_with
from tests.factories.governance import PDF, AttestationFactory, EvidenceFactory, ModelVersionFactory, upload
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def case_and(role: str) -> tuple[UseCase, User]:
    use_case = UseCaseFactory.create()
    return use_case, person_with(role, use_case)


def add(use_case: UseCase, by: User, name: str = "report.pdf", content: bytes = PDF) -> Evidence:
    return services.add_file(use_case=use_case, upload=upload(name, content), title="Report", by=by)


def zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return target.getvalue()


def test_file_is_kept_under_its_digest_and_recorded() -> None:
    use_case, lead = case_and("technical_lead")
    evidence = add(use_case, lead)
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert (evidence.sha256, evidence.size, evidence.media_type) == (sha256, len(PDF), "application/pdf")
    assert evidence.file.name == f"evidence/{sha256[:2]}/{sha256}"
    assert default_storage.open(evidence.file.name).read() == PDF
    event = Event.objects.get(action="evidence.added")
    assert str(use_case.pk) == event.use_case_id


def test_the_same_file_is_kept_once() -> None:
    use_case, lead = case_and("technical_lead")
    first, second = add(use_case, lead), add(use_case, lead, name="another name.pdf")
    assert first.file.name == second.file.name
    assert second.file_name == "another name.pdf"


def test_name_of_a_file_never_becomes_a_path() -> None:
    use_case, lead = case_and("technical_lead")
    evidence = add(use_case, lead, name="..\\..\\etc/passwd.txt", content=b"hello")
    assert ".." not in f"{evidence.file_name} {evidence.file.name}"


def test_empty_file_is_refused_and_nothing_is_kept() -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(Invalid) as caught:
        add(use_case, lead, content=b"")
    assert caught.value.errors == {"upload": ["The file is empty."]}
    assert not Evidence.objects.exists()


def test_file_beyond_the_limit_is_refused(settings: Settings) -> None:
    settings.TOLLGATE_EVIDENCE_MAX_MB = 1
    use_case, lead = case_and("technical_lead")
    with pytest.raises(Invalid, match="larger than 1 MB"):
        add(use_case, lead, content=PDF + b" " * 1024 * 1024)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.exe", b"MZ\x90"),
        ("script.sh", b"echo"),
        ("page.html", b"<html>"),
        ("drawing.svg", b"<svg/>"),
        ("noextension", b"text"),
        ("archive.rar", b"Rar!"),
        ("report.pdf.exe", PDF),
    ],
)
def test_files_of_forbidden_types_are_refused_by_name(name: str, content: bytes) -> None:
    use_case, lead = case_and("technical_lead")
    file = upload("x.pdf", content)
    file.name = name
    with pytest.raises(Invalid, match="not accepted"):
        services.add_file(use_case=use_case, upload=file, title="x", by=lead)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("report.pdf", b"MZ\x90\x00", "program"),
        ("data.csv", b"\x7fELF\x02", "program"),
        ("notes.txt", b"#!/bin/sh\nrm -rf /", "program"),
        ("report.pdf", b"plain words", "not what the name says"),
        ("picture.png", b"\xff\xd8\xff", "not what the name says"),
        ("notes.txt", b"abc\x00def", "not what the name says"),
        ("notes.txt", b"\xef\xbb\xbf  <!DOCTYPE html><p>", "browser would run"),
        ("notes.md", b"<script>alert(1)</script>", "browser would run"),
        ("drawing.xml", b'<?xml version="1.0"?><svg xmlns="x">', "browser would run"),
        ("sheet.xlsx", b"PK\x03\x04broken", "damaged"),
    ],
)
def test_files_of_forbidden_types_are_refused_by_content(name: str, content: bytes, reason: str) -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(Invalid, match=reason):
        add(use_case, lead, name=name, content=content)


def test_macros_and_programs_inside_archives_are_refused() -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(Invalid, match="macros"):
        add(use_case, lead, name="plan.docx", content=zipped("word/document.xml", "word/vbaProject.bin"))
    with pytest.raises(Invalid, match=r"setup\.exe"):
        add(use_case, lead, name="results.zip", content=zipped("results.csv", "tools/setup.exe"))


def test_office_documents_text_and_archives_are_accepted() -> None:
    use_case, lead = case_and("technical_lead")
    add(use_case, lead, name="plan.docx", content=zipped("word/document.xml"))
    add(use_case, lead, name="results.zip", content=zipped("results.csv"))
    add(use_case, lead, name="notes.md", content=b"# Results\n\nThe tag `<script>` was escaped.\n")
    add(use_case, lead, name="utf16.txt", content="Grüße".encode("utf-16"))
    assert Evidence.objects.count() == 4


def test_person_without_a_role_here_cannot_add_evidence() -> None:
    use_case, stranger = UseCaseFactory.create(), person_with("technical_lead", UseCaseFactory.create())
    with pytest.raises(PermissionDenied):
        add(use_case, stranger)


def test_reader_cannot_add_evidence() -> None:
    use_case, auditor = case_and("auditor")
    with pytest.raises(PermissionDenied):
        services.add_link(use_case=use_case, url="https://example.com/x", title="x", by=auditor)


@pytest.mark.parametrize("url", ["ftp://example.com/x", "javascript:alert(1)", "no address", ""])
def test_link_has_to_be_an_address_of_the_web(url: str) -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(Invalid) as caught:
        services.add_link(use_case=use_case, url=url, title="x", by=lead)
    assert "url" in caught.value.errors


def test_validity_has_to_end_in_the_future() -> None:
    use_case, lead = case_and("technical_lead")
    yesterday = timezone.now() - timedelta(days=1)
    with pytest.raises(Invalid) as caught:
        services.add_link(use_case=use_case, url="https://example.com", title="x", by=lead, valid_until=yesterday)
    assert "valid_until" in caught.value.errors


def test_version_of_another_use_case_is_refused() -> None:
    use_case, lead = case_and("technical_lead")
    version = ModelVersionFactory.create()
    with pytest.raises(Invalid) as caught:
        services.add_link(use_case=use_case, url="https://example.com", title="x", by=lead, version=version)
    assert "version" in caught.value.errors


def test_owner_attests_in_the_role_held() -> None:
    use_case, owner = case_and("business_owner")
    found = services.attest(
        use_case=use_case, criterion="IP-03", role="business_owner", statement="I accept.", items=["a"], by=owner
    )
    assert (found.kind, found.role, found.items, found.added_by) == ("attestation", "business_owner", ["a"], owner)
    assert len(found.sha256) == 64


def test_nobody_attests_in_a_role_they_do_not_hold() -> None:
    use_case, owner = case_and("business_owner")
    with pytest.raises(PermissionDenied, match="Legal and privacy"):
        services.attest(use_case=use_case, criterion="PR-24", role="legal_privacy", statement="Fine.", by=owner)


def test_role_held_through_the_unit_counts() -> None:
    use_case = UseCaseFactory.create()
    legal = person_with("legal_privacy", organisation())
    services.attest(use_case=use_case, criterion="PR-24", role="legal_privacy", statement="Fine.", by=legal)


def test_service_account_never_attests() -> None:
    use_case = UseCaseFactory.create()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    with pytest.raises(PermissionDenied, match="service account"):
        services.attest(use_case=use_case, criterion="IP-03", role="service_account", statement="I do.", by=machine)


def test_attestation_needs_words() -> None:
    use_case, owner = case_and("business_owner")
    with pytest.raises(Invalid) as caught:
        services.attest(use_case=use_case, criterion="IP-03", role="business_owner", statement="  ", by=owner)
    assert "statement" in caught.value.errors


def test_another_person_verifies() -> None:
    evidence = EvidenceFactory.create()
    risk = person_with("risk_compliance", organisation())
    found = services.verify_evidence(evidence=evidence, by=risk)
    assert found.verified_by == risk
    assert found.verified_at is not None


def test_author_cannot_verify_own_evidence() -> None:
    use_case, security = case_and("security")
    evidence = EvidenceFactory.create(use_case=use_case, added_by=security)
    with pytest.raises(PermissionDenied, match="you added it"):
        services.verify_evidence(evidence=evidence, by=security)


def test_technical_lead_cannot_verify() -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(PermissionDenied):
        services.verify_evidence(evidence=EvidenceFactory.create(use_case=use_case), by=lead)


def test_evidence_is_verified_once() -> None:
    use_case, security = case_and("security")
    evidence = EvidenceFactory.create(use_case=use_case)
    services.verify_evidence(evidence=evidence, by=security)
    with pytest.raises(Conflict):
        services.verify_evidence(evidence=evidence, by=security)


def test_author_withdraws_with_a_reason_and_it_stays_on_record() -> None:
    use_case, lead = case_and("technical_lead")
    evidence = add(use_case, lead)
    services.withdraw_evidence(evidence=evidence, by=lead, reason="Wrong file.")
    evidence.refresh_from_db()
    assert (evidence.withdrawn_reason, evidence.withdrawn_by) == ("Wrong file.", lead)
    assert Event.objects.filter(action="evidence.withdrawn").count() == 1


def test_withdrawal_needs_a_reason() -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(Invalid):
        services.withdraw_evidence(evidence=add(use_case, lead), by=lead, reason=" ")


def test_colleague_cannot_withdraw_what_somebody_else_attested() -> None:
    use_case, lead = case_and("technical_lead")
    with pytest.raises(PermissionDenied):
        services.withdraw_evidence(evidence=AttestationFactory.create(use_case=use_case), by=lead, reason="No.")


def test_withdrawn_evidence_cannot_be_verified() -> None:
    use_case, security = case_and("security")
    evidence = EvidenceFactory.create(use_case=use_case)
    services.withdraw_evidence(evidence=evidence, by=security, reason="Outdated.")
    with pytest.raises(Conflict, match="withdrawn"):
        services.verify_evidence(evidence=evidence, by=security)
