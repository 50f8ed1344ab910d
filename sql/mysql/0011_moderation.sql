-- Moderation actions: events of the kind moderated.

ALTER TABLE event_log
  -- extend, end, lock, unlock, read_only, writable, mute, unmute, remove, ban, unban, announce
  ADD COLUMN action  VARCHAR(16) NULL,
  -- The user it applies to; for extend: the new end, in milliseconds since 1970.
  ADD COLUMN subject BIGINT UNSIGNED NULL,
  -- For extend: the previous end.
  ADD COLUMN was     BIGINT UNSIGNED NULL,
  -- The reason; for announce: the announcement.
  ADD COLUMN note    TEXT NULL;
