from __future__ import annotations

from django.urls import path

from predictions import views

urlpatterns = [
    path("", views.RankingView.as_view(), name="predictions"),
    path("accuracy", views.AccuracyView.as_view(), name="prediction-accuracy"),
    path("accuracy/chart.svg", views.AccuracyChartView.as_view(), name="prediction-accuracy-chart"),
    path("optimize", views.OptimizationView.as_view(), name="prediction-optimization"),
    path("batch", views.BatchView.as_view(), name="prediction-batch"),
    path("profile/<uuid:patient_id>", views.ProfileView.as_view(), name="prediction-profile"),
    path("history", views.HistoryView.as_view(), name="prediction-history"),
    path("model", views.ModelView.as_view(), name="prediction-model"),
]
