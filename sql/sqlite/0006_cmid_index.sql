-- A cmid starts with its time. With the author after it, concurrent messages of many users are inserted at
-- one end of the index instead of one place for each user.

DROP INDEX message_cmid;
CREATE UNIQUE INDEX message_cmid ON message (meetingID, orderID, cmid, userID);
