"""Uploaded evidence files: what is accepted, what is refused, and where it is kept.

Accepted by extension: documents (pdf, docx, xlsx, pptx, odt, ods, odp), text and data (txt, md, csv, tsv, json, jsonl,
yaml, yml, xml, toml, log, ipynb, eml, parquet), pictures (png, jpg, jpeg, gif, webp) and archives (zip, gz). The
content has to be what the extension says. Refused whatever the name: programs and scripts, HTML and SVG (a browser
would run them), office files with macros, archives that hold a program.

A file is kept under its SHA-256, ``evidence/<first two>/<digest>``, so that the same file is kept once and nothing of
an uploader's name becomes a path.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from kernel.errors import Invalid

HEAD = 8192
TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "txt": "text/plain",
    "md": "text/markdown",
    "log": "text/plain",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "ipynb": "application/json",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "toml": "application/toml",
    "xml": "application/xml",
    "eml": "message/rfc822",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "zip": "application/zip",
    "gz": "application/gzip",
}
TEXT = {"txt", "md", "log", "csv", "tsv", "json", "jsonl", "ipynb", "yaml", "yml", "toml", "xml", "eml"}
ZIPPED = {"docx", "xlsx", "pptx", "odt", "ods", "odp", "zip"}
STARTS = {
    "pdf": (b"%PDF-",),
    "parquet": (b"PAR1",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": (b"RIFF",),
    "gz": (b"\x1f\x8b",),
    **dict.fromkeys(ZIPPED, (b"PK\x03\x04",)),
}
PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\x00asm",
    b"dex\n",
    b"#!",
    b"\xd0\xcf\x11\xe0",  # old office containers and Windows installers: macros cannot be told from text
)
MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed)[\s>/]|<\?php", re.IGNORECASE)
DANGEROUS = re.compile(
    r"\.(?:exe|dll|so|dylib|bat|cmd|com|msi|scr|ps1|psm1|vbs|vbe|js|jse|mjs|wsf|hta|jar|class|sh|bash|py|pl|rb|php|"
    r"app|apk|deb|rpm|dmg|lnk|reg|svg|htm|html|xhtml|docm|xlsm|pptm)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """An upload that passed: its name without any path, its media type, size in bytes and SHA-256."""

    name: str
    media_type: str
    size: int
    sha256: str


def max_bytes() -> int:
    """The largest file that is accepted (``TOLLGATE_EVIDENCE_MAX_MB``)."""
    return int(getattr(settings, "TOLLGATE_EVIDENCE_MAX_MB", 50)) * 1024 * 1024


def check(upload: File) -> CheckedFile:  # type: ignore[type-arg]  # bytes in every case
    """Hash the upload in chunks and refuse what may not be kept; raises ``Invalid`` on ``upload``."""
    name = PurePosixPath((upload.name or "").replace("\\", "/")).name.strip()[:255]
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if DANGEROUS.search(name) or extension not in TYPES:
        _refuse(
            _("Files of this type are not accepted: %(name)s.") % {"name": name or _("a file without a name")},
            hint=_("Accepted: %(types)s.") % {"types": ", ".join(sorted(TYPES))},
        )
    size, sha256, head = _read(upload)
    if size == 0:
        _refuse(_("The file is empty."))
    _check_content(extension, head)
    if extension in ZIPPED:
        _check_archive(upload, name)
    return CheckedFile(name, TYPES[extension], size, sha256)


def keep(upload: File, checked: CheckedFile) -> str:  # type: ignore[type-arg]
    """Store the upload under its digest, once, and return the path within the storage."""
    path = f"evidence/{checked.sha256[:2]}/{checked.sha256}"
    if default_storage.exists(path) and default_storage.size(path) == checked.size:
        return path
    upload.seek(0)
    return str(default_storage.save(path, upload))


def _read(upload: File) -> tuple[int, str, bytes]:  # type: ignore[type-arg]
    limit = max_bytes()
    digest, size, head = hashlib.sha256(), 0, b""
    upload.seek(0)
    for chunk in upload.chunks():
        size += len(chunk)
        if size > limit:
            _refuse(_("The file is larger than %(size)d MB.") % {"size": limit // (1024 * 1024)})
        digest.update(chunk)
        if len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
    return size, digest.hexdigest(), head


def _check_content(extension: str, head: bytes) -> None:
    if head.startswith(PROGRAMS):
        _refuse(_("The file is a program or a script, whatever its name says."))
    if extension in STARTS and not head.startswith(STARTS[extension]):
        _refuse(_("The content is not what the name says: this is no .%(type)s file.") % {"type": extension})
    if extension not in TEXT:
        return
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        _refuse(_("The content is not what the name says: this is no text."))
    # Markdown and notebooks may quote a tag; a browser decides by how the file starts.
    start = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    looked_at = start if extension == "xml" else start[:512]
    if MARKUP.search(looked_at) and (extension == "xml" or start.startswith(b"<")):
        _refuse(_("The file holds HTML, SVG or a script that a browser would run."))


def _check_archive(upload: File, name: str) -> None:  # type: ignore[type-arg]
    upload.seek(0)
    try:
        with zipfile.ZipFile(upload) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        _refuse(_("The file is damaged: it cannot be opened as what its name says."))
    finally:
        upload.seek(0)
    if any(entry.lower().endswith("vbaproject.bin") for entry in inside):
        _refuse(_("The document holds macros. Save it without them."))
    if name.lower().endswith(".zip"):
        found = next((entry for entry in inside if DANGEROUS.search(entry)), "")
        if found:
            _refuse(_("The archive holds a file that is not accepted: %(name)s.") % {"name": found})


def _refuse(message: str, hint: str = "") -> None:
    raise Invalid(message, hint=hint, errors={"upload": [message]})
