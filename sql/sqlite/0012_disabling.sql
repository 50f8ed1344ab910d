-- Since when somebody may not sign in, if they may not.

ALTER TABLE user ADD COLUMN disabled_at INTEGER NULL;

-- Sessions that a command beside the server has ended, until the server has seen it.
CREATE TABLE signed_out (
  tokenHash BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;
