-- Replies, and edits and deletions of messages.

ALTER TABLE message
  ADD COLUMN replyTo    BIGINT UNSIGNED NULL,
  -- The time of the last edit; the body is the edited one.
  ADD COLUMN edited_at  DATETIME(3) NULL,
  -- The time of the deletion; the body is empty.
  ADD COLUMN deleted_at DATETIME(3) NULL;

-- For edited and deleted: the message, and the cmid of the change.
ALTER TABLE event_log
  ADD COLUMN target BIGINT UNSIGNED NULL,
  ADD COLUMN cmid   CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY event_cmid (meetingID, orderID, cmid, userID);
