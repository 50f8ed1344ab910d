-- Users and their sessions.

CREATE TABLE user (
  userID       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  name         TEXT NULL,
  age          INTEGER NULL,
  gender       TEXT NULL,
  email        TEXT NULL,
  role         TEXT NOT NULL DEFAULT 'member',
  passwordHash TEXT NULL,
  -- Addresses are compared without regard to case, but with regard to accents.
  emailKey     TEXT GENERATED ALWAYS AS (LOWER(email)) VIRTUAL
) STRICT;

CREATE UNIQUE INDEX user_email ON user (emailKey);

CREATE TABLE session (
  -- SHA-256 of the session token; the token itself is not stored.
  tokenHash  BLOB NOT NULL PRIMARY KEY,
  userID     INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  seen_at    INTEGER NULL,
  label      TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX session_user ON session (userID);
CREATE INDEX session_expiry ON session (expires_at);
