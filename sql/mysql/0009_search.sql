-- Search: messages by time and by their words.

-- Words are compared without regard to case. Nothing else compares bodies.
ALTER TABLE message
  MODIFY body TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL,
  ADD KEY message_time (timestamp, meetingID, orderID, seq);

-- The index is created without stop words, so that every word can be found.
SET SESSION innodb_ft_enable_stopword = OFF;

ALTER TABLE message ADD FULLTEXT KEY message_text (body);
