-- The archive: one numbered log for each instance, with its messages in a separate table.

CREATE TABLE event_log (
  eventID   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  meetingID INTEGER NULL,
  orderID   INTEGER NULL,
  seq       INTEGER NULL,
  userID    INTEGER NULL,
  -- opened, join, leave, closed
  eventType TEXT NULL,
  timestamp INTEGER NULL,
  reason    TEXT NULL
) STRICT;

CREATE UNIQUE INDEX event_seq ON event_log (meetingID, orderID, seq);

CREATE TABLE message (
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  userID    INTEGER NOT NULL,
  -- The id that the author's client gave it. NULL: an earlier message of the author has the same id.
  cmid      TEXT NULL,
  body      TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  PRIMARY KEY (meetingID, orderID, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX message_cmid ON message (meetingID, orderID, userID, cmid);
CREATE INDEX message_user ON message (meetingID, orderID, userID, seq);
