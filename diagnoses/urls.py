from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from diagnoses import views

router = SimpleRouter()
router.register("conditions", views.ConditionViewSet, basename="condition")
router.register("remedies", views.RemedyViewSet, basename="remedy")
router.register("side-effects", views.SideEffectViewSet, basename="side-effect")
router.register("patients", views.PatientViewSet, basename="patient")
router.register("diagnoses", views.DiagnosisViewSet, basename="diagnosis")
router.register("recommendations", views.RecommendationViewSet, basename="recommendation")

urlpatterns = [
    path("patients/<uuid:patient_id>/break-glass", views.BreakGlassView.as_view(), name="break-glass"),
    path("patients/<uuid:patient_id>/broken-glass", views.BrokenGlassView.as_view(), name="broken-glass"),
    path(
        "patients/<uuid:patient_id>/contraindications/",
        views.ContraindicationViewSet.as_view({"get": "list", "post": "create"}),
        name="contraindications",
    ),
    path(
        "patients/<uuid:patient_id>/contraindications/<uuid:pk>/lift/",
        views.ContraindicationViewSet.as_view({"post": "lift"}),
        name="contraindication-lift",
    ),
    path(
        "diagnoses/<uuid:diagnosis_id>/recommendations/",
        views.DiagnosisRecommendationsView.as_view(),
        name="diagnosis-recommendations",
    ),
    *router.urls,
]
