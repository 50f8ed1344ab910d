-- What admins do to a running instance: entries of its log, of the kind moderated.

-- extended, ended, locked, unlocked, read_only, writable, muted, unmuted, removed, banned, unbanned,
-- announced
ALTER TABLE event_log ADD COLUMN action TEXT NULL;
-- Whom it concerns; of extended: the end since, in milliseconds since 1970.
ALTER TABLE event_log ADD COLUMN subject INTEGER NULL;
-- Of extended: the end before.
ALTER TABLE event_log ADD COLUMN was INTEGER NULL;
-- Why; of announced: what was said.
ALTER TABLE event_log ADD COLUMN note TEXT NULL;

-- What holds because of them, while it is live.
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
