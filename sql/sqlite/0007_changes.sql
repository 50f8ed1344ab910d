-- Messages that answer others, and what people change of what they said.

ALTER TABLE message ADD COLUMN replyTo INTEGER NULL;
-- When its sender changed it last: the body is what it says since.
ALTER TABLE message ADD COLUMN edited_at INTEGER NULL;
-- When its sender deleted it: the body is empty since.
ALTER TABLE message ADD COLUMN deleted_at INTEGER NULL;

-- Of edited and deleted: which message, and the client's own id of the change.
ALTER TABLE event_log ADD COLUMN target INTEGER NULL;
ALTER TABLE event_log ADD COLUMN cmid TEXT NULL;

CREATE INDEX event_cmid ON event_log (meetingID, orderID, cmid, userID) WHERE cmid IS NOT NULL;
