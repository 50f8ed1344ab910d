-- A client's ids of messages begin with their time: with the sender behind them, what many people say
-- at once goes to one end of the index, not to one place for each of them.

ALTER TABLE message
  DROP KEY message_cmid,
  ADD UNIQUE KEY message_cmid (meetingID, orderID, cmid, userID);
