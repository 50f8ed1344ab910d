-- The users, meetings and schedule of the demo, as INSERTs with the columns of the original schema.
--
-- Times are UTC. At 2026-05-06 13:00:00 the Seminar and one course are active, the course ends within
-- five minutes, and its next instance starts within two; the others are scheduled for later.
-- script/demo shifts all times by the same amount, so that this moment is now.

INSERT INTO user (userID, name, age, gender, email) VALUES (1, 'john', 21, 'male', 'john@example.org');
INSERT INTO user (userID, name, age, gender, email) VALUES (2, 'hamid', 22, 'male', 'hamid@example.org');
INSERT INTO user (userID, name, age, gender, email) VALUES (3, 'haled', 23, 'male', 'haled@example.org');
UPDATE user SET role = 'admin' WHERE userID = 1;

INSERT INTO meeting (meetingID, title, description, isPublic) VALUES (1, 'BDMS Course', 'Big data management systems', 0);
INSERT INTO meeting (meetingID, title, description, isPublic) VALUES (2, 'DSA Course', 'Data structures and algorithms', 0);
INSERT INTO meeting (meetingID, title, description, isPublic) VALUES (3, 'Seminar', 'How new people are found and welcomed', 1);

INSERT INTO audience (meetingID, email) VALUES (1, 'john@example.org');
INSERT INTO audience (meetingID, email) VALUES (2, 'hamid@example.org');
INSERT INTO audience (meetingID, email) VALUES (2, 'haled@example.org');

INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (1, 1, '2026-05-06 12:40:00', '2026-05-06 13:04:30');
INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (1, 2, '2026-05-06 13:01:30', '2026-05-06 13:45:00');
INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (1, 3, '2026-05-06 15:00:00', '2026-05-06 16:00:00');
INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (1, 4, '2026-05-07 13:00:00', '2026-05-07 14:00:00');
INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (2, 1, '2026-05-06 13:40:00', '2026-05-06 14:25:00');
INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (2, 2, '2026-05-07 15:00:00', '2026-05-07 16:00:00');
INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES (3, 1, '2026-05-06 12:30:00', '2026-05-06 14:30:00');
