-- At most one row: a transfer of all data to another store. No server starts on this file while it exists.

CREATE TABLE moving (
  id           INTEGER NOT NULL PRIMARY KEY,
  -- Identifies the transfer in both stores.
  token        TEXT NOT NULL,
  -- The other store, without passwords.
  place        TEXT NOT NULL,
  begun_at     INTEGER NOT NULL,
  -- NULL: the transfer is incomplete.
  completed_at INTEGER NULL
) STRICT;
