from __future__ import annotations

from django.urls import path

from audit import views

urlpatterns = [path("me/access-log", views.AccessLogView.as_view(), name="access-log")]
