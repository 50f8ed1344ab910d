-- One row once everything is moved, or is to be, from one home to another: here it says whereto, and
-- nobody serves this file any more.

CREATE TABLE moving (
  id           INTEGER NOT NULL PRIMARY KEY,
  -- The same in both homes of one move, and nowhere else.
  token        TEXT NOT NULL,
  -- The other home, as people are told of it.
  place        TEXT NOT NULL,
  begun_at     INTEGER NOT NULL,
  -- NULL: it was begun and not completed.
  completed_at INTEGER NULL
) STRICT;
