"""Django's settings. What varies between installations comes from `config.env`; what is here is true everywhere."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from config import env as house
from config.env import BASE_DIR, DATA_DIR, DEBUG, DEMO, PRODUCTION, PUBLIC_URL, REDIS_URL, env
from config.logs import configure_logging

# -- This installation -----------------------------------------------------------------------------------------------
TOLLGATE_VERSION = "0.1.0"
TOLLGATE_PRODUCTION = PRODUCTION
TOLLGATE_DEMO = DEMO
TOLLGATE_DATA_DIR = DATA_DIR
TOLLGATE_PUBLIC_URL = PUBLIC_URL or "http://127.0.0.1:8000"
TOLLGATE_IDENTITY_ORIGINS = house.identity_origins()
TOLLGATE_SIGNUP_OPEN = env.bool("TOLLGATE_SIGNUP_OPEN", default=False)

TOLLGATE_SECRET_KEY_GIVEN = house.SECRET_KEY_GIVEN
SECRET_KEY = house.secret_key()
SECRET_KEY_FALLBACKS = env.list("TOLLGATE_SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = house.allowed_hosts()
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

# -- Apps ------------------------------------------------------------------------------------------------------------
OWN_APPS = ["kernel", "ledger", "accounts", "notify", "portfolio", "governance", "monitoring", "gates"]
INSTALLED_APPS = [
    "config",
    *OWN_APPS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",  # its loader is named below; the full app would rewrite TEMPLATES
    "django_structlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "config.health.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ledger.middleware.RequestContextMiddleware",
    "config.request_log.RequestLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kernel.problems.DomainErrorMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kernel.context.shell",
                "notify.context.bell",
            ],
        },
    },
]

# -- Data ------------------------------------------------------------------------------------------------------------
DATABASES = {"default": house.database()}
TOLLGATE_SHARED_SERVICES = bool(REDIS_URL) and "sqlite" not in DATABASES["default"]["ENGINE"]
MEDIA_ROOT = DATA_DIR / "files"
MEDIA_URL = "/files/"  # nothing is served from here: evidence goes through a view that asks for permission
FILE_UPLOAD_PERMISSIONS = 0o600
TOLLGATE_EVIDENCE_MAX_MB = env.int("TOLLGATE_EVIDENCE_MAX_MB", default=50)
TOLLGATE_POINTS_KEEP_DAYS = env.int("TOLLGATE_POINTS_KEEP_DAYS", default=730)
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "tollgate"}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# -- Language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- Static files: served by WhiteNoise, hashed names in production ----------------------------------------------------
STATIC_URL = "/static/"
# Outside production nothing is collected: the finders serve the files from where they lie.
STATIC_ROOT = env.str("TOLLGATE_STATIC_ROOT", default=str(BASE_DIR / "staticfiles") if PRODUCTION else None)
STATICFILES_DIRS = [BASE_DIR / "static"]
_STATIC_STORAGE = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

# -- People and sign-in ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ANONYMOUS_USER_NAME = None  # nobody is nobody: no row stands for the anonymous visitor
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False

ACCOUNT_ADAPTER = "config.sign_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if PRODUCTION else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Tollgate] "
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # as for signatures: accounts.freshness.FRESH_SECONDS
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A key that is merely plugged in says nothing of who touches it: it has to see a finger, a face or a PIN.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # http://localhost
MFA_FORMS = {"add_webauthn": "accounts.forms_passkey.AddPasskeyForm"}
MFA_TOTP_ISSUER = "Tollgate"

SOCIALACCOUNT_ADAPTER = "config.sign_in.SocialAccountAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = house.identity_providers()

# -- REST ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["kernel.orjson.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["kernel.orjson.OrjsonParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_PAGINATION_CLASS": "kernel.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.RestSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "kernel.problems.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": env.str("TOLLGATE_API_ANONYMOUS_RATE", default="60/min")},
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": [
        "kernel.orjson.OrjsonRenderer",
        "rest_framework.renderers.MultiPartRenderer",
    ],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate",
    "DESCRIPTION": "Use cases, evidence, metrics, gate reviews and the ledger. Errors are problem details (RFC 9457).",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "StageEnum": "portfolio.models.Stage",
        "KpiDirectionEnum": "portfolio.models.kpis.Direction",
        "SeriesDirectionEnum": "monitoring.api.serializers.DIRECTIONS",
        "RuleOperatorEnum": "monitoring.models.Rule.Op",
        "SeriesKindEnum": "monitoring.api.serializers.KINDS",
        "ResponseByEnum": "monitoring.models.Alert.ResponseBy",
        "BreachOutcomeEnum": "monitoring.models.Alert.Outcome",
        "FindingOutcomeEnum": "gates.models.CriterionFinding.Outcome",
        "DecisionOutcomeEnum": "gates.models.Decision.Outcome",
        "DecisionChoiceEnum": "gates.services.decisions.OUTCOMES",
        "BreachDecisionStateEnum": "gates.models.BreachDecision.State",
        "BreachStateFilterEnum": "gates.breach_reading.STATES",
        "RetrainingStateEnum": "monitoring.models.RetrainingRequest.State",
        "RetrainingKindEnum": "monitoring.models.RetrainingRequest.Kind",
        "RetrainingOriginEnum": "monitoring.models.RetrainingRequest.Origin",
        "RetrainingAnswerEnum": "monitoring.api.retraining.ANSWERED",
        "RetrainingFilterEnum": "monitoring.selectors.retraining.STATES",
        "OutputReasonEnum": "monitoring.models.ReasonCode",
        "ComparisonKindEnum": "monitoring.models.Comparison.Kind",
        "ComparisonBasisEnum": "monitoring.models.Comparison.Basis",
        "ComparisonVerdictEnum": "monitoring.models.Comparison.Verdict",
        "ConditionStateEnum": "gates.models.Condition.State",
        "ReviewStateEnum": "gates.models.Review.State",
        "EmergencyStateEnum": "gates.models.EmergencyRelease.State",
        "MeetingStateEnum": "gates.models.Meeting.State",
        "SimulationStateEnum": "gates.models.Simulation.State",
        "PolicyStateEnum": "gates.models.PolicyVersion.State",
        "EvidenceKindEnum": "governance.models.Evidence.Kind",
        "GivenEvidenceKindEnum": "governance.api.serializers.GIVEN_KINDS",
        "DocumentStatusEnum": "governance.models.Document.DocStatus",
        "ValidationVerdictEnum": "governance.models.ValidationRun.Verdict",
        "IssueKindEnum": "governance.models.Issue.Kind",
        "LevelEnum": "governance.models.Issue.Severity",
        "IssueStateEnum": "governance.models.Issue.IssueState",
        "IncidentSeverityEnum": "governance.models.Incident.Severity",
        "RiskStateEnum": "governance.models.RiskItem.RiskState",
        "UseCaseStatusEnum": "portfolio.models.Status",
        "SignOffVerdictEnum": "gates.models.SignOff.Verdict",
        "SlotStateEnum": "gates.api.serializers.SLOT_STATES",
        "JobStateEnum": "monitoring.models.jobs.Job.JobState",
        "ContentKindEnum": "monitoring.models.ContentSetup.Kind",
        "ContentVerdictEnum": "monitoring.models.ContentComparison.Outcome",
        "PlaceOriginEnum": "monitoring.models.contents.Placed.Origin",
        "ProfileOriginEnum": "monitoring.models.DataProfile.Origin",
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# -- Mail ------------------------------------------------------------------------------------------------------------
_MAIL_DEFAULT = "consolemail://" if PRODUCTION else f"filemail:///{DATA_DIR / 'mail'}"
vars().update(env.email_url("TOLLGATE_EMAIL_URL", default=_MAIL_DEFAULT))
DEFAULT_FROM_EMAIL = env.str("TOLLGATE_EMAIL_FROM", default="Tollgate <tollgate@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# -- Security --------------------------------------------------------------------------------------------------------
_HTTPS = PRODUCTION and not PUBLIC_URL.startswith("http://")
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "tollgate_session"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_NAME = "tollgate_csrf"
CSRF_FAILURE_VIEW = "config.refusals.csrf_failure"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _HTTPS
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TOLLGATE_BEHIND_PROXY", default=False) else None
)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# Networks, hosts and .domains of the own network that sources and webhooks may be called at.
OUTBOUND_ALLOW = env.list("TOLLGATE_OUTBOUND_ALLOW", default=[])
# Folders that sources may read files and SQLite databases in. Nothing outside of them is ever opened for a source.
SOURCE_ROOTS = env.list("TOLLGATE_SOURCE_ROOTS", default=[])

# -- Logs ------------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = None
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG  # a sweep every few seconds is not news; its failure is
configure_logging(
    level=env.str("TOLLGATE_LOG_LEVEL", default="INFO"),
    as_json=env.str("TOLLGATE_LOG_FORMAT", default="json" if PRODUCTION else "text") == "json",
)
