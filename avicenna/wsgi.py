"""HTTP alone, for gunicorn."""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from avicenna import process_defaults
from avicenna.garbage import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "avicenna.settings")
process_defaults.for_wsgi()

application = get_wsgi_application()

# Views and all that they import, now and not while somebody waits for the first answer after a restart.
import_module(settings.ROOT_URLCONF)
keep_what_is_loaded()
