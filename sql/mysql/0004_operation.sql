-- What the servers of one deployment have in common, and what its admins did.

CREATE TABLE audit (
  auditID BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  at      DATETIME(3) NOT NULL,
  actor   BIGINT UNSIGNED NULL,
  action  VARCHAR(64) NOT NULL,
  target  VARCHAR(255) NOT NULL DEFAULT '',
  detail  TEXT NULL,
  PRIMARY KEY (auditID),
  KEY audit_at (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row: by the nonce a live store knows whose it is.
CREATE TABLE deployment (
  id    TINYINT UNSIGNED NOT NULL,
  nonce CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
