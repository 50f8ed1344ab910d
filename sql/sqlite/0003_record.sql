-- What took place: one numbered log an instance, its messages in a table of their own.

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
  -- The sender's own id of it. NULL: another message of theirs had the same one already.
  cmid      TEXT NULL,
  body      TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  PRIMARY KEY (meetingID, orderID, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX message_cmid ON message (meetingID, orderID, userID, cmid);
CREATE INDEX message_user ON message (meetingID, orderID, userID, seq);
