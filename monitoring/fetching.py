"""How connectors speak HTTP: through the guarded door, in JSON, in bounded time; every failure in a sentence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel.errors import DomainError
from kernel.http import guarded_client
from monitoring.connector import ConnectorError
from monitoring.setting import Setting

OK = 200
TIMEOUT = 15.0
ALL_SECONDS = 150.0
"""For all requests of one pull; below the time limit of the task, which is below the lease."""
MOST_SAID = 200

ADDRESS = Setting("url", gettext_lazy("Address"), gettext_lazy("Starts with https:// or http://."), required=True)
SIGN_IN: tuple[Setting, ...] = (
    Setting("token", gettext_lazy("Token"), gettext_lazy("Sent as Authorization: Bearer; or leave empty.")),
    Setting("username", gettext_lazy("User name"), gettext_lazy("For servers that ask for name and password.")),
    Setting("password", gettext_lazy("Password")),
)


def address_problems(url: str) -> list[str]:
    """What is wrong with an address that somebody typed in."""
    try:
        address = urlsplit(url)
        port_is_wrong = address.port == 0
    except ValueError:
        address, port_is_wrong = urlsplit(""), True
    if address.scheme not in {"http", "https"} or not address.hostname or port_is_wrong:
        return [_("Give an address that starts with https:// or http://.")]
    if address.username or address.password:
        return [_("An address is no place for a password: use the secret fields.")]
    return []


def destination(url: str) -> str:
    """Scheme, host and port: who gets to see a secret that is sent to this address."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}".lower()


def sign_in_problems(secret: Mapping[str, str]) -> dict[str, list[str]]:
    if bool(secret.get("username")) != bool(secret.get("password")):
        return {"password" if secret.get("username") else "username": [_("Give both the user name and the password.")]}
    if secret.get("token") and secret.get("username"):
        return {"token": [_("Give either a token or a user name with its password.")]}
    for name, value in secret.items():
        if not (value.isascii() and value.isprintable()):
            return {name: [_("Use printable ASCII characters only.")]}
    return {}


class Fetching:
    """The requests of one pull. A context manager."""

    def __init__(
        self, url: str, secret: Mapping[str, str] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self._headers = {**(headers or {}), **_authorization(secret or {})}
        self._auth = _basic(secret or {})
        self._ends = time.monotonic() + ALL_SECONDS
        # A redirect could carry the secret to another host: it is not followed.
        self._client = guarded_client(timeout=TIMEOUT, follow_redirects=False)

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def get(self, path: str = "", params: Mapping[str, Any] | None = None) -> Any:
        return self.json("GET", path, params=params)

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        return self.json("POST", path, json=content)

    def json(self, method: str, path: str = "", **options: Any) -> Any:
        """What the answer holds. Raises ``ConnectorError``."""
        answer = self.answer(method, path, **options)
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise ConnectorError("content", _("Its answer is not JSON: %(what)s.") % {"what": error.msg}) from None

    def answer(self, method: str, path: str = "", **options: Any) -> httpx2.Response:
        """The answer with status 200. Raises ``ConnectorError``."""
        if time.monotonic() > self._ends:
            raise ConnectorError("slow", _("All of its answers together took too long."))
        address = self.url.rstrip("/") + path if path else self.url
        auth = self._auth or httpx2.USE_CLIENT_DEFAULT
        try:
            answer = self._client.request(method, address, headers=self._headers, auth=auth, **options)
        except DomainError as error:
            raise ConnectorError("refused", error.message) from None
        except httpx2.TimeoutException:
            raise ConnectorError("slow", _("It did not answer in time.")) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ConnectorError(
                "unreachable", _("It cannot be reached: %(what)s.") % {"what": type(error).__name__}
            ) from None
        if answer.is_redirect:
            raise ConnectorError("answer", _("It answers with a redirect; enter the final address."))
        if answer.status_code != OK:
            raise ConnectorError("answer", _status(answer))
        return answer


def _authorization(secret: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret['token']}"} if secret.get("token") else {}


def _basic(secret: Mapping[str, str]) -> tuple[str, str] | None:
    return (secret["username"], secret["password"]) if secret.get("username") and secret.get("password") else None


def _status(answer: httpx2.Response) -> str:
    said = _("It answers with status %(status)d.") % {"status": answer.status_code}
    reason = _reason(answer)
    return f"{said} {_('It says:')} {reason}" if reason else said


def _reason(answer: httpx2.Response) -> str:
    """The server's own words, where it has the manners to give them in JSON (Prometheus, MLflow)."""
    try:
        content = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return ""
    for name in ("error", "message"):
        said = content.get(name) if isinstance(content, dict) else None
        if isinstance(said, str) and said:
            return " ".join(said.split())[:MOST_SAID]
    return ""
