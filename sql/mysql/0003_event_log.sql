-- The archive: one numbered log for each instance, with its messages in a separate table.

CREATE TABLE event_log (
  eventID   BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  meetingID BIGINT UNSIGNED NULL,
  orderID   BIGINT UNSIGNED NULL,
  seq       BIGINT UNSIGNED NULL,
  userID    BIGINT UNSIGNED NULL,
  -- opened, join, leave, closed
  eventType VARCHAR(32) NULL,
  timestamp DATETIME(3) NULL,
  reason    VARCHAR(32) NULL,
  PRIMARY KEY (eventID),
  UNIQUE KEY event_seq (meetingID, orderID, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE message (
  meetingID BIGINT UNSIGNED NOT NULL,
  orderID   BIGINT UNSIGNED NOT NULL,
  seq       BIGINT UNSIGNED NOT NULL,
  userID    BIGINT UNSIGNED NOT NULL,
  -- The id that the author's client gave it. NULL: an earlier message of the author has the same id.
  cmid      CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  body      TEXT NOT NULL,
  timestamp DATETIME(3) NOT NULL,
  PRIMARY KEY (meetingID, orderID, seq),
  UNIQUE KEY message_cmid (meetingID, orderID, userID, cmid),
  KEY message_user (meetingID, orderID, userID, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
