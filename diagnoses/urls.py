from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from diagnoses.views.catalogue import ConditionViewSet, RemedyViewSet, SideEffectViewSet
from diagnoses.views.contraindications import ContraindicationViewSet
from diagnoses.views.diagnoses import DiagnosisViewSet
from diagnoses.views.glass import BreakGlassView, BrokenGlassView
from diagnoses.views.patients import PatientViewSet
from diagnoses.views.recommendations import DiagnosisRecommendationsView, RecommendationViewSet

router = SimpleRouter()
router.register("conditions", ConditionViewSet, basename="condition")
router.register("remedies", RemedyViewSet, basename="remedy")
router.register("side-effects", SideEffectViewSet, basename="side-effect")
router.register("patients", PatientViewSet, basename="patient")
router.register("diagnoses", DiagnosisViewSet, basename="diagnosis")
router.register("recommendations", RecommendationViewSet, basename="recommendation")

urlpatterns = [
    path("patients/<uuid:patient_id>/break-glass", BreakGlassView.as_view(), name="break-glass"),
    path("patients/<uuid:patient_id>/broken-glass", BrokenGlassView.as_view(), name="broken-glass"),
    path(
        "patients/<uuid:patient_id>/contraindications/",
        ContraindicationViewSet.as_view({"get": "list", "post": "create"}),
        name="contraindications",
    ),
    path(
        "patients/<uuid:patient_id>/contraindications/<uuid:pk>/lift/",
        ContraindicationViewSet.as_view({"post": "lift"}),
        name="contraindication-lift",
    ),
    path(
        "diagnoses/<uuid:diagnosis_id>/recommendations/",
        DiagnosisRecommendationsView.as_view(),
        name="diagnosis-recommendations",
    ),
    *router.urls,
]
