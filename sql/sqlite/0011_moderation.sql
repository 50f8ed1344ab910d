-- Moderation actions: events of the kind moderated.

-- extend, end, lock, unlock, read_only, writable, mute, unmute, remove, ban, unban, announce
ALTER TABLE event_log ADD COLUMN action TEXT NULL;
-- The user it applies to; for extend: the new end, in milliseconds since 1970.
ALTER TABLE event_log ADD COLUMN subject INTEGER NULL;
-- For extend: the previous end.
ALTER TABLE event_log ADD COLUMN was INTEGER NULL;
-- The reason; for announce: the announcement.
ALTER TABLE event_log ADD COLUMN note TEXT NULL;

-- The moderation in force in a live instance.
ALTER TABLE live_instance ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live_instance ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;

CREATE TABLE restraint (
  meetingID INTEGER NOT NULL,
  orderID   INTEGER NOT NULL,
  userID    INTEGER NOT NULL,
  -- muted, banned
  kind      TEXT NOT NULL,
  PRIMARY KEY (meetingID, orderID, userID, kind)
) STRICT, WITHOUT ROWID;
