"""Django in a benchmark's own process, embedded and without its log: imported before the clinic's modules."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "avicenna.settings")
os.environ |= {"DEBUG": "1", "LOG_LEVEL": "WARNING"}
django.setup()
