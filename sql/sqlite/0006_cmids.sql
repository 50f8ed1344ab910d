-- A client's ids of messages begin with their time: with the sender behind them, what many people say
-- at once goes to one end of the index, not to one place for each of them.

DROP INDEX message_cmid;
CREATE UNIQUE INDEX message_cmid ON message (meetingID, orderID, cmid, userID);
