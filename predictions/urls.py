from __future__ import annotations

from django.urls import path

from predictions import views

urlpatterns = [
    path("predictions/", views.RankingView.as_view(), name="predictions"),
    path("predictions/accuracy", views.AccuracyView.as_view(), name="prediction-accuracy"),
    path("predictions/model", views.ModelView.as_view(), name="prediction-model"),
]
