"""HTTP to Tollgate: signs in with a token, repeats what is safe to repeat, and passes refusals on in its own words."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from tollgate_client import __version__

ATTEMPTS = 4
AGAIN = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """Tollgate answered, and the answer is no."""


class Unreachable(Exception):
    """Nobody answered."""


class Tollgate:
    """One installation, one token. `pause`: seconds before the second attempt; it doubles after each."""

    def __init__(self, url: str, token: str, *, timeout: float = 30.0, pause: float = 1.0) -> None:
        scheme = urllib.parse.urlsplit(url).scheme
        if scheme not in ("https", "http"):
            raise ValueError(f"{url!r} is not an http(s) address")
        self.root = url.rstrip("/") + "/api/v1/"
        self.token = token
        self.timeout = timeout
        self.pause = pause

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send once, however often it has to be tried: the key is the content, so a repetition is recognised."""
        content = json.dumps(body, sort_keys=True, allow_nan=False).encode()
        key = hashlib.sha256(path.encode() + b"\n" + content).hexdigest()
        return self._ask("POST", self.root + path, content, {"Idempotency-Key": key})

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        return self._ask("GET", f"{self.root}{path}?{urllib.parse.urlencode(query)}", None, {})

    def rows(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Every row of a list, page after page."""
        url: str | None = f"{self.root}{path}?{urllib.parse.urlencode(query)}"
        while url:
            page = self._ask("GET", url, None, {})
            yield from page["results"]
            url = page.get("next")
            if url and not url.startswith(self.root):  # the token goes to this installation and nowhere else
                raise Refused(f"The next page is elsewhere: {url}")

    def _ask(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Any:
        request = urllib.request.Request(url, data=content, method=method, headers=dict(headers))  # noqa: S310
        request.add_header("Accept", "application/json")
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("User-Agent", f"tollgate-client/{__version__}")
        if content is not None:
            request.add_header("Content-Type", "application/json")
        pause = self.pause
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _OPENER.open(request, timeout=self.timeout) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                if error.code not in AGAIN or attempt == ATTEMPTS:
                    raise Refused(_explain(error)) from error
                pause = _asked_to_wait(error) or pause
            except OSError as error:
                if attempt == ATTEMPTS:
                    raise Unreachable(f"{urllib.parse.urlsplit(url).netloc} does not answer: {error}") from error
            time.sleep(pause)
            pause *= 2
        raise AssertionError("every attempt ends in an answer or in an error")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _asked_to_wait(error: urllib.error.HTTPError) -> float:
    seconds = error.headers.get("Retry-After", "")
    return min(float(seconds), 60.0) if seconds.isdigit() else 0.0


def _explain(error: urllib.error.HTTPError) -> str:
    """What the problem details (RFC 9457) say, or the status when the answer is something else."""
    try:
        problem = json.loads(error.read())
    except (ValueError, OSError):
        return f"{error.code} {error.reason}"
    if not isinstance(problem, dict):
        return f"{error.code} {error.reason}"
    lines = [f"{error.code} {problem.get('detail') or problem.get('title') or error.reason}"]
    lines += [
        f"  {field}: {message}" if field else f"  {message}"
        for field, messages in (problem.get("errors") or {}).items()
        for message in messages
    ]
    lines += [str(problem["hint"])] if problem.get("hint") else []
    lines += [f"request id {problem['request_id']}"] if problem.get("request_id") else []
    return "\n".join(lines)
