-- The audit log, and the nonce of the deployment.

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

-- One row. By the nonce, Redis knows which database it belongs to.
CREATE TABLE deployment (
  id    TINYINT UNSIGNED NOT NULL,
  nonce CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
