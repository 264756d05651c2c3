from __future__ import annotations

from django.urls import path

from predictions import views

urlpatterns = [
    path("predictions/", views.RankingView.as_view(), name="predictions"),
    path("predictions/accuracy", views.AccuracyView.as_view(), name="prediction-accuracy"),
    path("predictions/accuracy/chart.svg", views.AccuracyChartView.as_view(), name="prediction-accuracy-chart"),
    path("predictions/model", views.ModelView.as_view(), name="prediction-model"),
]
