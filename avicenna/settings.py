"""Settings, from the environment only; `.env.example` lists every variable.

A secret may also be given as a file: `SECRET_KEY_FILE=/run/secrets/secret_key`.
A value of the wrong type stops the start with the name of the variable.
"""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import EnvError, FileAwareEnv

from avicenna.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

env = FileAwareEnv(strip_whitespace=True)


def secret(name: str, *, in_debug: str) -> str:
    """A value that must come from outside unless DEBUG is on."""
    value: str = env.str(name, "")
    if value:
        return value
    if DEBUG:
        return in_debug
    raise ImproperlyConfigured(f"{name} must be set (or {name}_FILE) when DEBUG is off.")


def networks(name: str, default: list[str]) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(text) for text in env.list(name, default)]
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def database() -> dict[str, Any]:
    config: dict[str, Any] = dict(env.dj_db_url("DATABASE_URL", f"sqlite:///{BASE_DIR / 'avicenna.sqlite3'}"))
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        # IMMEDIATE takes the write lock when the transaction begins: two writers wait instead of failing half-way.
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        return config
    config["ENGINE"] = "avicenna.postgresql"
    keeps_sessions = env.bool("DATABASE_PLANS", True)
    options.setdefault("connect_timeout", 10)
    if keeps_sessions:
        options.setdefault("options", database_limits())
    pool_size = env.int("DATABASE_POOL_SIZE", 0)
    if pool_size:
        most = pool_size + env.int("DATABASE_POOL_OVERFLOW", 40)
        # Who is away for long is tried again by the next request, not after a pause that grows up to minutes.
        options["pool"] = {
            "min_size": pool_size,
            "max_size": most,
            "timeout": 10,
            "max_idle": 60,
            "reconnect_timeout": 5,
        }
    else:
        config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 600)
    return config | {"CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": not keeps_sessions}


def database_limits() -> str:
    """For PostgreSQL's `options`. A limit of 0 seconds is none; process_defaults.py says whose they are."""
    statement = env.int("DATABASE_STATEMENT_TIMEOUT", 0)
    # Twice as long: whoever stops in the middle of a transaction holds its locks, also after the last statement.
    limits = {"statement_timeout": statement, "idle_in_transaction_session_timeout": 2 * statement}
    return " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())


try:
    DEBUG = env.bool("DEBUG", False)
    SECRET_KEY = secret("SECRET_KEY", in_debug="for-debugging-only-and-never-outside-of-it-0123456789")
    # `id:base64 of 32 bytes`, the first key seals, all keys open.
    FIELD_ENCRYPTION_KEYS = secret(
        "FIELD_ENCRYPTION_KEYS", in_debug="debug:ZGVidWdnaW5nLW9ubHktbmV2ZXItZm9yLXBhdGllbnQ="
    ).split(",")
    # The same for backups, with keys of their own: `manage.py new_backup_key` prints one.
    BACKUP_KEY: list[str] = env.list("BACKUP_KEY", [])
    BACKUP_FOLDER = env.str("BACKUP_FOLDER", str(BASE_DIR / "var" / "backups"))
    # What `manage.py doctor` looks at the age of.
    TLS_CERTIFICATE_PATH = env.str("TLS_CERTIFICATE_PATH", "")
    POSTGRESQL_BIN = env.str("POSTGRESQL_BIN", "")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
    CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
    CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", [])
    DATABASES = {"default": database()}
    DATABASE_PLANS = env.bool("DATABASE_PLANS", True)
    REDIS_URL = env.str("REDIS_URL", "")
    REALTIME_REDIS_URLS: list[str] = env.list("REALTIME_REDIS_URLS", [REDIS_URL] if REDIS_URL else [])
    LOG_LEVEL = env.log_level("LOG_LEVEL", logging.INFO)
    LOG_FILE = env.str("LOG_FILE", "")
    SQL_ECHO = env.bool("SQL_ECHO", False)
    LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
    TIME_ZONE = env.str("TIME_ZONE", "Asia/Tehran")
    BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", False)
    # The proxies whose X-Forwarded-For and -Proto are believed: addresses or networks.
    TRUSTED_PROXIES = networks("TRUSTED_PROXIES", ["127.0.0.0/8", "::1"] if BEHIND_TLS_PROXY else [])
    API_DOCS = env.bool("API_DOCS", DEBUG)
    STATIC_ROOT = env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
    METRICS_TOKEN = env.str("METRICS_TOKEN", "")
    WATCHED_FOLDERS: list[str] = env.list("WATCHED_FOLDERS", [str(BASE_DIR)])
    WATCHED_CERTIFICATES: list[str] = env.list("WATCHED_CERTIFICATES", [])
    WEBSOCKET_ALLOW_TOKEN_IN_QUERY = env.bool("WEBSOCKET_ALLOW_TOKEN_IN_QUERY", False)
    WEBSOCKETS_PER_USER = env.int("WEBSOCKETS_PER_USER", 20)
    WEBSOCKET_HANDSHAKES_PER_MINUTE = env.int("WEBSOCKET_HANDSHAKES_PER_MINUTE", 300)
    REALTIME_HEADS_CHECK_SECONDS = env.float("REALTIME_HEADS_CHECK_SECONDS", 15.0)
    ACCESS_TOKEN_MINUTES = env.int("ACCESS_TOKEN_MINUTES", 10)
    REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", 14)
    # Web push: `manage.py new_push_key` prints a key. Hosts of push services with all below them, or whole origins.
    VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", "")
    VAPID_SUBJECT = env.str("VAPID_SUBJECT", "")
    PUSH_SERVICES: list[str] = env.list(
        "PUSH_SERVICES",
        ["fcm.googleapis.com", "push.services.mozilla.com", "notify.windows.com", "push.apple.com"],
    )
    # Rate limits are on unless a load test of one's own server turns them off.
    RATELIMIT_ENABLE = env.bool("RATELIMIT_ENABLE", True)
    # Staff signs in with an authenticator app besides the password, to the admin and to the API.
    STAFF_TOTP_REQUIRED = env.bool("STAFF_TOTP_REQUIRED", not DEBUG)
except (EnvError, ValueError) as error:
    raise ImproperlyConfigured(f"A setting in the environment is wrong: {error}") from error

INSTALLED_APPS = [
    # Serves sockets, too, under `runserver`. Every other process starts a tenth sooner without Twisted.
    *(["daphne"] if "runserver" in sys.argv else []),
    "avicenna",  # before unfold: brings another build of one of its scripts (vendored.json)
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "avicenna.admin_config.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "corsheaders",
    "django_filters",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "accounts",
    "audit",
    "diagnoses",
    "feedback",
    "analytics",
    "predictions",
    "realtime",
    "dashboard",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "avicenna.proxies.ClientAddressMiddleware",
    "avicenna.logging.RequestLogMiddleware",
    "avicenna.headers.HeadersMiddleware",
    "avicenna.bodies.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "audit.middleware.AuditMiddleware",
    "accounts.second_step.SecondStepMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "avicenna.urls"
WSGI_APPLICATION = "avicenna.wsgi.application"
ASGI_APPLICATION = "avicenna.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis carries hints and counters, never health data; without it one process serves everything from memory.
if REDIS_URL:
    CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": REALTIME_REDIS_URLS},
        }
    }
    # Nobody waits for a Redis that hangs: what it would have known is found out otherwise.
    _redis = {
        "LOCATION": REDIS_URL,
        "VERSION": 2,  # those of 1 were pickled
        "OPTIONS": {
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            # Django's own would unpickle what it finds: who can write to Redis shall run no code here.
            "serializer": "django.core.signing.JSONSerializer",
        },
    }
    CACHES: dict[str, dict[str, Any]] = {
        "default": {"BACKEND": "avicenna.redis_cache.RedisCache"} | _redis,
        "limits": {"BACKEND": "avicenna.redis_cache.CountingCache"} | _redis,
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}}
    _memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    CACHES = {"default": _memory, "limits": _memory}
RATELIMIT_USE_CACHE = "limits"

AUTH_USER_MODEL = "accounts.User"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# django-axes watches every door where a password is tried; accounts/lockout.py decides, on the cache, and leaves its
# tables empty.
AXES_ENABLED = RATELIMIT_ENABLE
AXES_HANDLER = "accounts.lockout.Lockout"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "username"  # as `authenticate()` is called, here and by the admin's form
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
PASSWORD_HASHERS = [
    "accounts.passwords.OwaspArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.EndsSessions"},
]

LANGUAGES = [("fa", "فارسی"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale/frameworks"]
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "avicenna.staticfiles.HashedStaticFiles"
    },
}

# The largest body a request may bring, files included; the longest honest one is a batch of 50 feedbacks.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The admin's: a working day at most, and it goes with the browser.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if not DEBUG:  # no other host below the same domain can set a cookie of this name
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# A message of the admin may name a patient: it stays on the server.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "avicenna.errors.csrf_failed"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["avicenna.parsers.BoundedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "avicenna.pagination.Pages",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": "1",
    "ALLOWED_VERSIONS": ["1"],
    "DEFAULT_SCHEMA_CLASS": "avicenna.openapi.Schema",
    "EXCEPTION_HANDLER": "avicenna.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "AUDIENCE": "avicenna",
    "ISSUER": "avicenna",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Avicenna",
    "DESCRIPTION": "Diagnoses, feedback, evidence and predictions of a clinic of Persian medicine. "
    "Decision support: it never claims to cure.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_NAME_OVERRIDES": {
        "MizajEnum": "diagnoses.mizaj.Mizaj",
        "DiagnosisStatusEnum": "diagnoses.models.Diagnosis.Status",
        "RecommendationStatusEnum": "diagnoses.models.Recommendation.Status",
        "RoleEnum": "accounts.models.Role",
        "ToldRoleEnum": "audit.models.TOLD_ROLES",
        "ConsentPurposeEnum": "diagnoses.models.Consent.Purpose",
        "AccessPurposeEnum": "audit.models.Purpose",
        "OptimizationLevelEnum": "predictions.levels.Level",
    },
}

# The look of the admin; what stands in it is in the admin.py of each app, its menu in avicenna/back_office.py.
UNFOLD = {
    "SITE_TITLE": "avicenna.back_office.name",
    "SITE_HEADER": "avicenna.back_office.name",
    "SITE_ICON": "avicenna.back_office.icon",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "avicenna.back_office.icon"}],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["avicenna.back_office.style"],
    "SCRIPTS": ["avicenna.back_office.script"],
    "GLOBAL_CALLBACK": "avicenna.back_office.look",
    "SIDEBAR": {"navigation": "avicenna.back_office.menu"},
}

LOGGING = logging_config(level=LOG_LEVEL, file=LOG_FILE, sql_echo=SQL_ECHO)
