from __future__ import annotations

from django.urls import path

from dashboard.views import DashboardView, ManifestView, ServiceWorkerView

urlpatterns = [
    path("", DashboardView.as_view(), name="dashboard"),
    path("sw.js", ServiceWorkerView.as_view(), name="service-worker"),
    path("manifest.webmanifest", ManifestView.as_view(), name="manifest"),
]
