-- The time since which a user is disabled.

ALTER TABLE user ADD COLUMN disabled_at INTEGER NULL;

-- Sessions that a command has ended, until the server has read them.
CREATE TABLE signed_out (
  tokenHash BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;
