-- One row once everything is moved, or is to be, from one home to another: here it says from where.

CREATE TABLE moving (
  id           TINYINT UNSIGNED NOT NULL,
  -- The same in both homes of one move, and nowhere else.
  token        CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The other home, as people are told of it.
  place        VARCHAR(1024) NOT NULL,
  begun_at     DATETIME(3) NOT NULL,
  -- NULL: not everything is here yet, and nobody may serve it.
  completed_at DATETIME(3) NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
