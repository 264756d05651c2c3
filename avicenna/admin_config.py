from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    default_site = "avicenna.back_office.BackOffice"
