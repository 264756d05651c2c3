from __future__ import annotations

from typing import Any

from rest_framework import serializers

from realtime.models import StreamProcess


class TicketRequestSerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField()


class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds")
    url = serializers.CharField(help_text="the socket's address on this host; add &since=N to resume")


class FrameSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    diagnosis_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # the frame's own key


class ReplaySerializer(serializers.Serializer[Any]):
    head = serializers.IntegerField(help_text="ask again with since=head")
    events = FrameSerializer(many=True)


class SnapshotSerializer(serializers.Serializer[Any]):
    head = serializers.IntegerField()
    snapshot = serializers.DictField()


class SinceSerializer(serializers.Serializer[Any]):
    since = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class StreamProcessSerializer(serializers.ModelSerializer[StreamProcess]):
    class Meta:
        model = StreamProcess
        fields = ["name", "started_at", "seen_at", "connections", "diagnoses", "users", "hears_hints"]


class StatusSerializer(serializers.Serializer[Any]):
    connections = serializers.IntegerField(help_text="open sockets in all processes")
    processes = StreamProcessSerializer(many=True, help_text="server processes that have given a sign of life lately")
