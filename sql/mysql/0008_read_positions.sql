-- Read positions: the last seq that a user has read, which never decreases.

CREATE TABLE read_position (
  userID    BIGINT UNSIGNED NOT NULL,
  meetingID BIGINT UNSIGNED NOT NULL,
  orderID   BIGINT UNSIGNED NOT NULL,
  seq       BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (userID, meetingID, orderID)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
