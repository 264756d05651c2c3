from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("auth/register", views.RegisterView.as_view(), name="register"),
    path("auth/token", views.TokenView.as_view(), name="token"),
    path("auth/token/refresh", views.RefreshView.as_view(), name="token-refresh"),
    path("auth/logout", views.LogoutView.as_view(), name="logout"),
    path("me", views.MeView.as_view(), name="me"),
    path("me/password", views.PasswordView.as_view(), name="password"),
    path("me/sessions", views.SessionViewSet.as_view({"get": "list"}), name="sessions"),
    path("me/sessions/<uuid:pk>", views.SessionViewSet.as_view({"delete": "destroy"}), name="session"),
    path("consents", views.ConsentTextsView.as_view(), name="consent-texts"),
    path("me/export", views.ExportView.as_view(), name="export"),
    path("me/consents", views.ConsentsView.as_view(), name="consents"),
    path("me/erasure", views.ErasureView.as_view(), name="erasure"),
    path("patients/<uuid:patient_id>/erasure", views.PatientErasureView.as_view(), name="patient-erasure"),
    path("me/push", views.PushView.as_view(), name="push"),
]
