from __future__ import annotations

from django.urls import path

from analytics import views

urlpatterns = [
    path(
        "recommendations/<uuid:pk>",
        views.RecommendationAnalyticsView.as_view(),
        name="recommendation-analytics",
    ),
    path("diagnoses/<uuid:pk>", views.DiagnosisAnalyticsView.as_view(), name="diagnosis-analytics"),
    path("overall", views.OverallView.as_view(), name="overall"),
    path("remedies/<slug:slug>", views.RemedyAnalyticsView.as_view(), name="remedy-analytics"),
    path("remedies/<slug:slug>/chart.svg", views.RemedyChartView.as_view(), name="remedy-chart"),
    path("conditions/<slug:slug>", views.ConditionAnalyticsView.as_view(), name="condition-analytics"),
    path("trending", views.TrendingView.as_view(), name="trending"),
    path("most-effective", views.RankedListView.as_view(), name="most-effective"),
    path("worst-performing", views.WorstPerformingView.as_view(), name="worst-performing"),
    path("side-effects", views.SideEffectsView.as_view(), name="side-effect-ranking"),
    path("recalculate", views.RecalculateView.as_view(), name="recalculate"),
    path("summary", views.SummaryView.as_view(), name="summary"),
]
