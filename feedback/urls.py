from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from feedback import views

router = SimpleRouter()
router.register("severe-side-effects", views.SevereFlagViewSet, basename="severe-side-effects")
router.register("feedback", views.FeedbackViewSet, basename="feedback")

urlpatterns = [
    path("feedback/due", views.DueView.as_view(), name="feedback-due"),
    path(
        "recommendations/<uuid:recommendation_id>/feedback-summary",
        views.FeedbackSummaryView.as_view(),
        name="feedback-summary",
    ),
    path(
        "diagnoses/<uuid:diagnosis_id>/feedback-overview",
        views.FeedbackOverviewView.as_view(),
        name="feedback-overview",
    ),
    path(
        "diagnoses/<uuid:diagnosis_id>/feedback-course",
        views.FeedbackCourseView.as_view(),
        name="feedback-course",
    ),
    *router.urls,
]
