"""Whether the server in this container is alive: exit code 0 or 1. Asks as the first of ALLOWED_HOSTS."""

from __future__ import annotations

import os
import sys
import urllib.request

url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health/live"
host = os.environ["ALLOWED_HOSTS"].split(",")[0]
try:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=4) as answer:
        sys.exit(answer.status != 200)
except OSError as error:
    sys.exit(str(error))
