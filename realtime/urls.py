from __future__ import annotations

from django.urls import path

from realtime import views

urlpatterns = [
    path("realtime/status", views.StatusView.as_view(), name="realtime-status"),
    path("realtime/tickets", views.TicketView.as_view(), name="tickets"),
    path("diagnoses/<uuid:diagnosis_id>/events/", views.EventsView.as_view(), name="diagnosis-events"),
    path("diagnoses/<uuid:diagnosis_id>/snapshot", views.SnapshotView.as_view(), name="diagnosis-snapshot"),
]
