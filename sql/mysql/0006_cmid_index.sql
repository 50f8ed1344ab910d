-- A cmid starts with its time. With the author after it, concurrent messages of many users are inserted at
-- one end of the index instead of one place for each user.

ALTER TABLE message
  DROP KEY message_cmid,
  ADD UNIQUE KEY message_cmid (meetingID, orderID, cmid, userID);
