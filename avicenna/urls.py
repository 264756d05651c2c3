from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.second_step import SecondStepView
from avicenna import documentation, exposition, health

# Those with a name of their own first: the others are all looked through.
api: list[URLPattern | URLResolver] = [
    path("predictions/", include("predictions.urls")),
    path("analytics/", include("analytics.urls")),
    path("", include("accounts.urls")),
    path("", include("audit.urls")),
    path("", include("realtime.urls")),
    path("", include("diagnoses.urls")),
    path("", include("feedback.urls")),
    path("health", health.health),
]

urlpatterns = [
    path("", include("dashboard.urls")),
    path("api/", include(api)),
    path("admin/second-step/", SecondStepView.as_view(), name="second-step"),
    path("admin/", admin.site.urls),
    path("schema", documentation.SchemaView.as_view(), name="schema"),
    path("docs", documentation.SwaggerView.as_view(url_name="schema"), name="docs"),
    path("redoc", documentation.RedocView.as_view(url_name="schema"), name="redoc"),
    path("health", health.health, name="health"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/live", health.live, name="health-live"),
    path("metrics", exposition.export, name="metrics"),
]

handler400 = "avicenna.errors.bad_request"
handler403 = "avicenna.errors.permission_denied"
handler404 = "avicenna.errors.not_found"
handler500 = "avicenna.errors.server_error"
