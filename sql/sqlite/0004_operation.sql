-- What the servers of one deployment have in common, what its admins did, and what is live.

CREATE TABLE audit (
  auditID INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  actor   INTEGER NULL,
  action  TEXT NOT NULL,
  target  TEXT NOT NULL DEFAULT '',
  detail  TEXT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at);

-- One row: by the nonce a live store knows whose it is.
CREATE TABLE deployment (
  id    INTEGER NOT NULL PRIMARY KEY,
  nonce TEXT NOT NULL
) STRICT;

-- An instance from its start until its end is complete.
CREATE TABLE live_instance (
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  -- active, ending, closed
  state     TEXT NOT NULL,
  -- When it closed and why, once its closing has begun.
  closing   INTEGER NULL,
  reason    TEXT NULL,
  PRIMARY KEY (meetingID, orderID)
) STRICT, WITHOUT ROWID;

-- Who is in a live instance.
CREATE TABLE stay (
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  userID    INTEGER NOT NULL,
  -- The join's number, which names the stay, and its time.
  seq       INTEGER NOT NULL,
  joined    INTEGER NOT NULL,
  -- 1: joined without a connection, so that none that is lost can end it.
  lasting   INTEGER NOT NULL,
  PRIMARY KEY (meetingID, orderID, userID)
) STRICT, WITHOUT ROWID;

CREATE INDEX stay_order ON stay (meetingID, orderID, seq);

-- Which connection holds whose stay; and since when it is lost, if it is.
CREATE TABLE holder (
  connection TEXT NOT NULL,
  meetingID  INTEGER NOT NULL,
  orderID    INTEGER NOT NULL,
  userID     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  lost       INTEGER NULL,
  PRIMARY KEY (connection, meetingID, orderID)
) STRICT, WITHOUT ROWID;

CREATE INDEX holder_stay ON holder (meetingID, orderID, userID, seq);
CREATE INDEX holder_lost ON holder (meetingID, orderID, lost) WHERE lost IS NOT NULL;

-- Servers and the end of their lease.
CREATE TABLE node (
  node  TEXT NOT NULL PRIMARY KEY,
  lease INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
