from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from avicenna.backup.format import BackupError
from avicenna.encryption import parse_keys


def backup_keys() -> dict[str, bytes]:
    """Key id → key, the one that seals first. Raises `BackupError` when there is none, `ImproperlyConfigured`."""
    if not settings.BACKUP_KEY:
        raise BackupError("BACKUP_KEY is not set (or BACKUP_KEY_FILE). `manage.py new_backup_key` prints a key.")
    return parse_keys(tuple(settings.BACKUP_KEY), "BACKUP_KEY")


def shared_with_fields() -> set[str]:
    """Ids of backup keys that also seal fields: whoever had both backup and key would read everything."""
    try:
        ours = backup_keys()
    except (BackupError, ImproperlyConfigured):
        return set()
    fields = set(parse_keys(tuple(settings.FIELD_ENCRYPTION_KEYS), "FIELD_ENCRYPTION_KEYS").values())
    return {key_id for key_id, key in ours.items() if key in fields}
