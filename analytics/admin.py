from __future__ import annotations

from django.contrib import admin

# Staff meet the clinic's figures first, above the list of what may be edited.
admin.site.index_template = "analytics/admin_index.html"
