"""The database's own refusal to change events, as statements that create and drop it.

Used by migration 0002, by ``ledger_verify`` (which reports a trigger that is missing) and by the tests. These
statements are part of a migration: to change them, write new ones and a new migration.

On both databases: no UPDATE, no DELETE, and an event's index has to be the one after the last, which refuses gaps and
``INSERT OR REPLACE`` alike. PostgreSQL refuses TRUNCATE too, and fires its triggers in replica mode as well.
"""

from __future__ import annotations

TABLE = "ledger_event"

NAMES = {
    "postgresql": ("ledger_event_append_only", "ledger_event_next_index"),
    "sqlite": ("ledger_event_no_update", "ledger_event_no_delete", "ledger_event_next_index"),
}

CREATE = {
    "postgresql": [
        """
        CREATE FUNCTION ledger_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'ledger_event is append-only: % refused', TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER ledger_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_event
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_event_append_only()
        """,
        """
        CREATE FUNCTION ledger_event_next_index() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            expected bigint := coalesce((SELECT max("index") FROM ledger_event), -1) + 1;
        BEGIN
            IF NEW."index" IS DISTINCT FROM expected THEN
                RAISE EXCEPTION 'ledger_event is append-only: index % refused, the next is %', NEW."index", expected
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """,
        """
        CREATE TRIGGER ledger_event_next_index BEFORE INSERT ON ledger_event
            FOR EACH ROW EXECUTE FUNCTION ledger_event_next_index()
        """,
        "ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_append_only",
        "ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_next_index",
    ],
    "sqlite": [
        """
        CREATE TRIGGER ledger_event_no_update BEFORE UPDATE ON ledger_event
        BEGIN SELECT RAISE(ABORT, 'ledger_event is append-only: UPDATE refused'); END
        """,
        """
        CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event
        BEGIN SELECT RAISE(ABORT, 'ledger_event is append-only: DELETE refused'); END
        """,
        """
        CREATE TRIGGER ledger_event_next_index BEFORE INSERT ON ledger_event
        WHEN NEW."index" IS NOT (SELECT coalesce(max("index"), -1) + 1 FROM ledger_event)
        BEGIN SELECT RAISE(ABORT, 'ledger_event is append-only: this is not the next index'); END
        """,
    ],
}

DROP = {
    "postgresql": [
        "DROP TRIGGER IF EXISTS ledger_event_next_index ON ledger_event",
        "DROP TRIGGER IF EXISTS ledger_event_append_only ON ledger_event",
        "DROP FUNCTION IF EXISTS ledger_event_next_index()",
        "DROP FUNCTION IF EXISTS ledger_event_append_only()",
    ],
    "sqlite": [
        "DROP TRIGGER IF EXISTS ledger_event_next_index",
        "DROP TRIGGER IF EXISTS ledger_event_no_delete",
        "DROP TRIGGER IF EXISTS ledger_event_no_update",
    ],
}
