-- Messages by when they were said and by their words.

-- Words are the same whatever their case; nothing else compares bodies.
ALTER TABLE message
  MODIFY body TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL,
  ADD KEY message_time (timestamp, meetingID, orderID, seq);

-- Of this index for good: every word can be looked for.
SET SESSION innodb_ft_enable_stopword = OFF;

ALTER TABLE message ADD FULLTEXT KEY message_text (body);
