-- The audit log, the nonce of the deployment, and the live state.

CREATE TABLE audit (
  auditID INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  actor   INTEGER NULL,
  action  TEXT NOT NULL,
  target  TEXT NOT NULL DEFAULT '',
  detail  TEXT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at);

-- One row. By the nonce, Redis knows which database it belongs to.
CREATE TABLE deployment (
  id    INTEGER NOT NULL PRIMARY KEY,
  nonce TEXT NOT NULL
) STRICT;

-- Live instances: from the start until the end is complete.
CREATE TABLE live_instance (
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  -- active, ending, closed
  state     TEXT NOT NULL,
  -- The time and reason of the end, once the instance is closing.
  closing   INTEGER NULL,
  reason    TEXT NULL,
  PRIMARY KEY (meetingID, orderID)
) STRICT, WITHOUT ROWID;

-- The participants of live instances.
CREATE TABLE stay (
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  userID    INTEGER NOT NULL,
  -- The seq of the join, which identifies the stay, and its time.
  seq       INTEGER NOT NULL,
  joined    INTEGER NOT NULL,
  -- 1: joined without a connection, so that no lost connection ends the stay.
  lasting   INTEGER NOT NULL,
  PRIMARY KEY (meetingID, orderID, userID)
) STRICT, WITHOUT ROWID;

CREATE INDEX stay_order ON stay (meetingID, orderID, seq);

-- The connections that hold a stay, and since when a connection is lost.
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

-- Running servers and the end of their lease.
CREATE TABLE node (
  node  TEXT NOT NULL PRIMARY KEY,
  lease INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
