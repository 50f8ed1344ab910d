-- Messages that answer others, and what people change of what they said.

ALTER TABLE message
  ADD COLUMN replyTo    BIGINT UNSIGNED NULL,
  -- When its sender changed it last: the body is what it says since.
  ADD COLUMN edited_at  DATETIME(3) NULL,
  -- When its sender deleted it: the body is empty since.
  ADD COLUMN deleted_at DATETIME(3) NULL;

-- Of edited and deleted: which message, and the client's own id of the change.
ALTER TABLE event_log
  ADD COLUMN target BIGINT UNSIGNED NULL,
  ADD COLUMN cmid   CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY event_cmid (meetingID, orderID, cmid, userID);
