"""HTTP alone, for gunicorn."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from avicenna.time_limits import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "avicenna.settings")
limit_statements()

application = get_wsgi_application()
