-- Meetings, their instances and audiences. All times are UTC.

CREATE TABLE meeting (
  meetingID   BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  title       VARCHAR(255) NULL,
  description TEXT NULL,
  isPublic    TINYINT(1) NULL DEFAULT 0,
  PRIMARY KEY (meetingID)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE meeting_instance (
  meetingID    BIGINT UNSIGNED NOT NULL,
  orderID      BIGINT UNSIGNED NOT NULL,
  fromdatetime DATETIME(3) NOT NULL,
  todatetime   DATETIME(3) NOT NULL,
  -- scheduled, active, ending, ended
  state        VARCHAR(16) NOT NULL DEFAULT 'scheduled',
  -- The generation of the live state, raised whenever that is rebuilt.
  gen          BIGINT UNSIGNED NOT NULL DEFAULT 0,
  -- The last archived seq: event_log and message are complete up to it.
  archived_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  reason       VARCHAR(32) NULL,
  ended_at     DATETIME(3) NULL,
  PRIMARY KEY (meetingID, orderID),
  KEY instance_starts (state, fromdatetime),
  KEY instance_ends (state, todatetime),
  CONSTRAINT instance_meeting FOREIGN KEY (meetingID) REFERENCES meeting (meetingID)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The audience of a private meeting: addresses, because people can be invited before they have an account.
CREATE TABLE audience (
  meetingID BIGINT UNSIGNED NOT NULL,
  email     VARCHAR(254) NOT NULL,
  emailKey  VARCHAR(254) GENERATED ALWAYS AS (LOWER(email)) VIRTUAL,
  PRIMARY KEY (meetingID, email),
  KEY audience_email (emailKey, meetingID),
  CONSTRAINT audience_meeting FOREIGN KEY (meetingID) REFERENCES meeting (meetingID)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
