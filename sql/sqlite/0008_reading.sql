-- How far people have read: the last seq, which only grows.

CREATE TABLE read_position (
  userID    INTEGER NOT NULL,
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (userID, meetingID, orderID)
) STRICT, WITHOUT ROWID;
