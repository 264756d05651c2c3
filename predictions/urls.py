from __future__ import annotations

from django.urls import path

from predictions import views

urlpatterns = [
    path("predictions/", views.RankingView.as_view(), name="predictions"),
    path("predictions/accuracy", views.AccuracyView.as_view(), name="prediction-accuracy"),
    path("predictions/accuracy/chart.svg", views.AccuracyChartView.as_view(), name="prediction-accuracy-chart"),
    path("predictions/optimize", views.OptimizationView.as_view(), name="prediction-optimization"),
    path("predictions/batch", views.BatchView.as_view(), name="prediction-batch"),
    path("predictions/profile/<uuid:patient_id>", views.ProfileView.as_view(), name="prediction-profile"),
    path("predictions/history", views.HistoryView.as_view(), name="prediction-history"),
    path("predictions/model", views.ModelView.as_view(), name="prediction-model"),
]
