-- At most one row: a transfer of all data into this database.

CREATE TABLE moving (
  id           TINYINT UNSIGNED NOT NULL,
  -- Identifies the transfer in both stores.
  token        CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The other store, without passwords.
  place        VARCHAR(1024) NOT NULL,
  begun_at     DATETIME(3) NOT NULL,
  -- NULL: the transfer is incomplete, and no server may start.
  completed_at DATETIME(3) NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
