"""The same as `sqlalchemy_feedback` in Django REST framework: what a request costs before any work of ours is in it.

No sign-in, one kept connection for a thread, and of middleware only what tells the length of an answer. It stores into
the tables of that peer.
"""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import django
from django.conf import settings
from environs import Env

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": Env().dj_db_url("DATABASE_URL") | {"CONN_MAX_AGE": None}},
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # without a length no connection is used again
    ROOT_URLCONF=__name__,
    USE_TZ=False,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

RAISE = """
    INSERT INTO peer_rollup AS held (recommendation_id, day, n, rating_sum) VALUES (%s, %s, 1, %s)
    ON CONFLICT (recommendation_id, day)
    DO UPDATE SET n = held.n + EXCLUDED.n, rating_sum = held.rating_sum + EXCLUDED.rating_sum
"""


class Report(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    recommendation_id = models.UUIDField()
    rating = models.IntegerField()
    symptom_improvement = models.IntegerField()
    comment = models.TextField()
    created_at = models.DateTimeField(default=datetime.now)

    class Meta:
        app_label = "peers"
        db_table = "peer_feedback"
        managed = False

    def __str__(self) -> str:
        return str(self.id)


class ReportSerializer(serializers.Serializer[Report]):
    id = serializers.UUIDField(read_only=True)
    recommendation = serializers.UUIDField(source="recommendation_id")
    rating = serializers.IntegerField(min_value=1, max_value=5)
    symptom_improvement = serializers.IntegerField(min_value=1, max_value=5)
    comment = serializers.CharField(max_length=500, default="", allow_blank=True)
    created_at = serializers.DateTimeField(read_only=True)


class ReportView(APIView):
    def post(self, request: Request) -> Response:
        given = ReportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic(), connection.cursor() as cursor:
            row = Report.objects.create(**given.validated_data)
            cursor.execute(RAISE, [row.recommendation_id, row.created_at.date(), row.rating])
        return Response(ReportSerializer(row).data, status=201)


urlpatterns = [path("django", ReportView.as_view())]
application = get_wsgi_application()
