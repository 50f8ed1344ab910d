-- Meetings, their instances and audiences. All times are in milliseconds since 1970, UTC.

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
  -- The generation of the live state, raised whenever that is rebuilt.
  gen          INTEGER NOT NULL DEFAULT 0,
  -- The last seq of the log.
  archived_seq INTEGER NOT NULL DEFAULT 0,
  reason       TEXT NULL,
  ended_at     INTEGER NULL,
  PRIMARY KEY (meetingID, orderID)
) STRICT, WITHOUT ROWID;

CREATE INDEX instance_starts ON meeting_instance (state, fromdatetime);
CREATE INDEX instance_ends ON meeting_instance (state, todatetime);

-- The audience of a private meeting: addresses, because people can be invited before they have an account.
CREATE TABLE audience (
  meetingID INTEGER NOT NULL REFERENCES meeting (meetingID),
  email     TEXT NOT NULL,
  emailKey  TEXT GENERATED ALWAYS AS (LOWER(email)) VIRTUAL,
  PRIMARY KEY (meetingID, email)
) STRICT, WITHOUT ROWID;

CREATE INDEX audience_email ON audience (emailKey, meetingID);
