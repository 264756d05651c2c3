"""What the Channels tutorial builds: one consumer a socket joins the group, and the layer wakes each of them."""

from __future__ import annotations

import os

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        }
    },
    SECRET_KEY="benchmark",  # noqa: S106
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402


class Consumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.group = f"diagnosis.{self.scope['url_route']['kwargs']['diagnosis']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.group, {"type": "told", "content": content})

    async def told(self, event):
        await self.send_json(event["content"])


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/<int:diagnosis>", Consumer.as_asgi())])})
