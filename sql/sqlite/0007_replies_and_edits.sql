-- Replies, and edits and deletions of messages.

ALTER TABLE message ADD COLUMN replyTo INTEGER NULL;
-- The time of the last edit; the body is the edited one.
ALTER TABLE message ADD COLUMN edited_at INTEGER NULL;
-- The time of the deletion; the body is empty.
ALTER TABLE message ADD COLUMN deleted_at INTEGER NULL;

-- For edited and deleted: the message, and the cmid of the change.
ALTER TABLE event_log ADD COLUMN target INTEGER NULL;
ALTER TABLE event_log ADD COLUMN cmid TEXT NULL;

CREATE INDEX event_cmid ON event_log (meetingID, orderID, cmid, userID) WHERE cmid IS NOT NULL;
