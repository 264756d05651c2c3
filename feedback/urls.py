from __future__ import annotations

from rest_framework.routers import SimpleRouter

from feedback import views

router = SimpleRouter()
router.register("feedback", views.FeedbackViewSet, basename="feedback")

urlpatterns = router.urls
