-- Users and their sessions.

CREATE TABLE `user` (
  userID       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name         VARCHAR(255) NULL,
  age          INT NULL,
  gender       VARCHAR(32) NULL,
  email        VARCHAR(254) NULL,
  role         VARCHAR(16) NOT NULL DEFAULT 'member',
  passwordHash VARCHAR(255) NULL,
  -- Addresses are compared without regard to case, but with regard to accents.
  emailKey     VARCHAR(254) GENERATED ALWAYS AS (LOWER(email)) VIRTUAL,
  PRIMARY KEY (userID),
  UNIQUE KEY user_email (emailKey)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE session (
  -- SHA-256 of the session token; the token itself is not stored.
  tokenHash  BINARY(32) NOT NULL,
  userID     BIGINT UNSIGNED NOT NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  seen_at    DATETIME(3) NULL,
  label      VARCHAR(255) NOT NULL DEFAULT '',
  PRIMARY KEY (tokenHash),
  KEY session_user (userID),
  KEY session_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
