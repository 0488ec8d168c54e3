"""A small OpenID Connect provider on 127.0.0.1, and somebody's browser between it and the product.

It does what OpenID Connect Core 1.0 asks of a provider with the authorization code flow: discovery, sessions of its
own, ``prompt`` and ``max_age``, ``auth_time``, ``nonce``, PKCE (S256), one code for one use, ID tokens signed with
RS256. What a bad provider does is a switch on it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

CLIENT_ID, SECRET = "tollgate", "a secret between the two"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """``people`` are its accounts by subject; ``asked`` holds the parameters of every authorization request."""

    server: HTTPServer
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    sessions: dict[str, tuple[str, float]] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    never_asks_again: bool = False
    says_no_auth_time: bool = False
    answers_with_error: str = ""
    answers_old_nonce: bool = False
    userinfo_subject: str = ""

    def __post_init__(self) -> None:
        routes = {
            "/.well-known/openid-configuration": self.discovery,
            "/jwks": self.jwks,
            "/authorize": self.authorize,
            "/token": self.token,
            "/userinfo": self.userinfo,
        }
        for path, handler in routes.items():
            self.server.expect_request(path).respond_with_handler(handler)

    @property
    def issuer(self) -> str:
        return self.server.url_for("").rstrip("/")

    def environment(self) -> dict[str, str]:
        """What an operator sets to use it."""
        return {
            "TOLLGATE_OIDC_SERVER_URL": self.issuer,
            "TOLLGATE_OIDC_CLIENT_ID": CLIENT_ID,
            "TOLLGATE_OIDC_CLIENT_SECRET": SECRET,
            "TOLLGATE_OIDC_NAME": "Example login",
        }

    def discovery(self, _request: Request) -> Response:
        pages = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "userinfo_endpoint": "userinfo",
            "jwks_uri": "jwks",
        }
        return _json({"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in pages.items()}})

    def jwks(self, _request: Request) -> Response:
        return _json({"keys": [{**_public_key(), "kid": "1", "use": "sig", "alg": "RS256"}]})

    def authorize(self, request: Request) -> Response:
        """GET asks who it is unless a session of its own will do; POST with ``subject`` is the login form."""
        asked = dict(request.args)
        if self.answers_with_error:
            return _back(asked, error=self.answers_with_error)
        if request.method == "POST":
            session = secrets.token_urlsafe()
            self.sessions[session] = (request.form["subject"], time.time())
            answer = self._hand_out_code(asked, *self.sessions[session])
            answer.set_cookie("idp", session)
            return answer
        self.asked.append(asked)
        subject, asked_at = self.sessions.get(request.cookies.get("idp", ""), ("", 0.0))
        if subject and (self.never_asks_again or not _wants_login(asked, asked_at)):
            return self._hand_out_code(asked, subject, asked_at)
        return Response("<form method=post><input name=subject></form>", mimetype="text/html")

    def token(self, request: Request) -> Response:
        given = dict(request.form)
        code = self.codes.pop(given.get("code", ""), None)
        proves_pkce = code is not None and _challenge(given.get("code_verifier", "")) == code["code_challenge"]
        if (
            code is None
            or not proves_pkce
            or (given.get("client_id"), given.get("client_secret")) != (CLIENT_ID, SECRET)
        ):
            return _json({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe()
        self.tokens[access] = code["sub"]
        return _json({"access_token": access, "token_type": "Bearer", "id_token": self._id_token(code)})

    def userinfo(self, request: Request) -> Response:
        subject = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "), "")
        if not subject:
            return _json({"error": "invalid_token"}, 401)
        return _json({"sub": self.userinfo_subject or subject, **self.people[subject]})

    def _hand_out_code(self, asked: dict[str, str], subject: str, asked_at: float) -> Response:
        code = secrets.token_urlsafe()
        kept: dict[str, Any] = {name: asked[name] for name in ("nonce", "code_challenge") if name in asked}
        self.codes[code] = {**kept, "sub": subject, "auth_time": asked_at}
        return _back(asked, code=code)

    def _id_token(self, code: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": code["sub"], "iat": now, "exp": now + 300}
        if not self.says_no_auth_time:
            claims["auth_time"] = int(code["auth_time"])
        if "nonce" in code:
            claims["nonce"] = "of yesterday" if self.answers_old_nonce else code["nonce"]
        return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "1"})


@dataclass
class Traveller:
    """A browser with the product's cookies and the provider's; its owner signs in at the provider as ``subject``."""

    provider: Provider
    subject: str
    product: Client = field(default_factory=Client)
    at_provider: requests.Session = field(default_factory=requests.Session)

    def sign_in(self, **query: str) -> Any:
        address = "/accounts/oidc/oidc/login/" + (f"?{urlencode(query)}" if query else "")
        return self.travel(self.product.post(address))

    def travel(self, sent_off: Any) -> Any:
        """From the product's redirect to the provider, through its form if it shows one, to the product's answer."""
        assert sent_off.status_code == 302, sent_off.content
        answer = self.at_provider.get(sent_off["Location"], allow_redirects=False)
        if answer.status_code == 200:
            answer = self.at_provider.post(sent_off["Location"], {"subject": self.subject}, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        assert back.path == "/accounts/oidc/oidc/login/callback/"
        return self.product.get(f"{back.path}?{back.query}")


def _wants_login(asked: dict[str, str], asked_at: float) -> bool:
    too_old = "max_age" in asked and time.time() - asked_at >= int(asked["max_age"])
    return asked.get("prompt") == "login" or too_old


def _back(asked: dict[str, str], **said: str) -> Response:
    query = urlencode({**said, "state": asked["state"]})
    return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{query}"})


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _public_key() -> dict[str, Any]:
    return dict(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())))


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def asked_for(answer: Any) -> dict[str, str]:
    """The parameters that a redirect to the provider carries."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}
