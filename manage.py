#!/usr/bin/env python
"""Runs Avicenna's administrative commands."""

from __future__ import annotations

import os
import sys

CANNOT_RUN = 2


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "avicenna.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from avicenna import process_defaults

    process_defaults.for_command(next(iter(sys.argv[1:]), ""))
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\nEvery setting is explained in .env.example.\n")
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
