from __future__ import annotations

from django.urls import path

from analytics import views

urlpatterns = [
    path(
        "analytics/recommendations/<uuid:pk>",
        views.RecommendationAnalyticsView.as_view(),
        name="recommendation-analytics",
    ),
    path("analytics/diagnoses/<uuid:pk>", views.DiagnosisAnalyticsView.as_view(), name="diagnosis-analytics"),
    path("analytics/overall", views.OverallView.as_view(), name="overall"),
    path("analytics/remedies/<slug:slug>", views.RemedyAnalyticsView.as_view(), name="remedy-analytics"),
    path("analytics/remedies/<slug:slug>/chart.svg", views.RemedyChartView.as_view(), name="remedy-chart"),
    path("analytics/conditions/<slug:slug>", views.ConditionAnalyticsView.as_view(), name="condition-analytics"),
    path("analytics/trending", views.TrendingView.as_view(), name="trending"),
    path("analytics/most-effective", views.RankedListView.as_view(), name="most-effective"),
    path("analytics/worst-performing", views.WorstPerformingView.as_view(), name="worst-performing"),
    path("analytics/side-effects", views.SideEffectsView.as_view(), name="side-effect-ranking"),
    path("analytics/recalculate", views.RecalculateView.as_view(), name="recalculate"),
    path("analytics/summary", views.SummaryView.as_view(), name="summary"),
]
