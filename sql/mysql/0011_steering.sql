-- What admins do to a running instance: entries of its log, of the kind moderated.

ALTER TABLE event_log
  -- extended, ended, locked, unlocked, read_only, writable, muted, unmuted, removed, banned, unbanned,
  -- announced
  ADD COLUMN action  VARCHAR(16) NULL,
  -- Whom it concerns; of extended: the end since, in milliseconds since 1970.
  ADD COLUMN subject BIGINT UNSIGNED NULL,
  -- Of extended: the end before.
  ADD COLUMN was     BIGINT UNSIGNED NULL,
  -- Why; of announced: what was said.
  ADD COLUMN note    TEXT NULL;
