-- What is to take place, when, and for whom. Every time is in milliseconds since 1970, UTC.

CREATE TABLE meeting (
  meetingID   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  title       TEXT NULL,
  description TEXT NULL,
  isPublic    INTEGER NULL DEFAULT 0
) STRICT;

CREATE TABLE meeting_instance (
  meetingID    INTEGER NOT NULL REFERENCES meeting (meetingID),
  orderID      INTEGER NOT NULL,
  fromdatetime INTEGER NOT NULL,
  todatetime   INTEGER NOT NULL,
  -- scheduled, active, ending, ended
  state        TEXT NOT NULL DEFAULT 'scheduled',
  -- Raised whenever the live state begins anew.
  gen          INTEGER NOT NULL DEFAULT 0,
  -- The last seq of which the record is complete: the last of all, for one file holds everything.
  archived_seq INTEGER NOT NULL DEFAULT 0,
  reason       TEXT NULL,
  ended_at     INTEGER NULL,
  PRIMARY KEY (meetingID, orderID)
) STRICT, WITHOUT ROWID;

CREATE INDEX instance_starts ON meeting_instance (state, fromdatetime);
CREATE INDEX instance_ends ON meeting_instance (state, todatetime);

-- Who may join a private meeting: addresses, so that people can be invited before they are here.
CREATE TABLE audience (
  meetingID INTEGER NOT NULL REFERENCES meeting (meetingID),
  email     TEXT NOT NULL,
  emailKey  TEXT GENERATED ALWAYS AS (LOWER(email)) VIRTUAL,
  PRIMARY KEY (meetingID, email)
) STRICT, WITHOUT ROWID;

CREATE INDEX audience_email ON audience (emailKey, meetingID);
