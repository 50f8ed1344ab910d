-- Read positions: the last seq that a user has read, which never decreases.

CREATE TABLE read_position (
  userID    INTEGER NOT NULL,
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (userID, meetingID, orderID)
) STRICT, WITHOUT ROWID;
