from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Also renames what ES modules import: after a deploy no browser mixes old modules with new ones."""

    support_js_module_import_aggregation = True
    # A name depends on those of all imported modules: one pass for each step from app.js down to the last of them.
    max_post_process_passes = 20

    def create_compressor(self, **options: Any) -> Compressor:
        """By gzip alone, wherever it runs: nginx sends nothing else, and Brotli at its best takes most of a deploy."""
        return Compressor(use_brotli=False, **options)
