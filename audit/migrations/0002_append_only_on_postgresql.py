"""PostgreSQL itself keeps the trail as it is: only the seal may be added, once, to a record that has none."""

from django.db import migrations

GUARD = """
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.number IS NULL AND NEW.number IS NOT NULL
           AND to_jsonb(NEW) - ARRAY['number', 'previous_hash', 'hash']
             = to_jsonb(OLD) - ARRAY['number', 'previous_hash', 'hash'] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail only grows: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit_auditrecord
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit_auditrecord
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
"""
NO_GUARD = """
DROP TRIGGER audit_is_not_emptied ON audit_auditrecord;
DROP TRIGGER audit_only_grows ON audit_auditrecord;
DROP FUNCTION audit_only_grows();
"""


def on_postgresql(sql):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql, params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_audit_record")]

    operations = [migrations.RunPython(on_postgresql(GUARD), on_postgresql(NO_GUARD))]
