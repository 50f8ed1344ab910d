-- Since when somebody may not sign in, if they may not.

ALTER TABLE `user` ADD COLUMN disabled_at DATETIME(3) NULL;
