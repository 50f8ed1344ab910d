-- The time since which a user is disabled.

ALTER TABLE `user` ADD COLUMN disabled_at DATETIME(3) NULL;
