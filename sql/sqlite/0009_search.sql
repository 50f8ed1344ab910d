-- Search: messages by time and by their words.

CREATE INDEX message_time ON message (timestamp, meetingID, orderID, seq);

-- The full-text index identifies rows by one number, and does not store their text.
CREATE TABLE message_place (
  id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  UNIQUE (meetingID, orderID, seq)
) STRICT;

CREATE VIRTUAL TABLE message_text USING fts5(
  body,
  content = '',
  contentless_delete = 1,
  tokenize = 'unicode61 remove_diacritics 2'
);

INSERT INTO message_place (meetingID, orderID, seq)
SELECT meetingID, orderID, seq FROM message ORDER BY timestamp;

INSERT INTO message_text (rowid, body)
SELECT p.id, m.body
FROM message_place p
JOIN message m ON m.meetingID = p.meetingID AND m.orderID = p.orderID AND m.seq = p.seq
WHERE m.deleted_at IS NULL;

CREATE TRIGGER message_said AFTER INSERT ON message
BEGIN
  INSERT INTO message_place (meetingID, orderID, seq)
  VALUES (NEW.meetingID, NEW.orderID, NEW.seq);
  INSERT INTO message_text (rowid, body)
  SELECT id, NEW.body
  FROM message_place
  WHERE meetingID = NEW.meetingID AND orderID = NEW.orderID AND seq = NEW.seq;
END;

CREATE TRIGGER message_changed AFTER UPDATE OF body ON message
BEGIN
  UPDATE message_text
  SET body = NEW.body
  WHERE rowid = (
    SELECT id FROM message_place
    WHERE meetingID = NEW.meetingID AND orderID = NEW.orderID AND seq = NEW.seq);
END;

CREATE TRIGGER message_removed AFTER DELETE ON message
BEGIN
  DELETE FROM message_text
  WHERE rowid = (
    SELECT id FROM message_place
    WHERE meetingID = OLD.meetingID AND orderID = OLD.orderID AND seq = OLD.seq);
  DELETE FROM message_place
  WHERE meetingID = OLD.meetingID AND orderID = OLD.orderID AND seq = OLD.seq;
END;
