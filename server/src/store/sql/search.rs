//! Search: candidates from the full-text index, or the newest messages where the index does not help.

use plenary_shared::domain::{InstanceState, Role, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchHit;
use plenary_shared::search::{Place, Query as SearchQuery, Within};

use super::history::message;
use super::{Dialect, Params, Query, Row, Unusable, params};
use crate::store::search_page::indexed_words;

/// At most `count` candidates below a place, the newest first, among the messages that a user may read:
/// those of instances that they are invited to and, in MySQL, of `joined`, which the live store names.
/// What the user typed is only in parameters.
pub fn candidates(
    dialect: Dialect,
    viewer: &User,
    joined: &[InstanceId],
    query: &SearchQuery,
    below: Option<Place>,
    count: usize,
) -> Query<SearchHit> {
    let words = indexed_words(query);
    let mut statement = Statement {
        dialect,
        sql: String::from(
            "SELECT m.meetingID, m.orderID, m.seq, m.userID, m.cmid, m.body, m.timestamp,
                    m.replyTo, m.edited_at, m.deleted_at, u.name, i.state, t.title
             FROM ",
        ),
        params: params! { "limit": count },
    };
    statement.sql.push_str(match (dialect, words.is_empty()) {
        (Dialect::Mysql, _) => "message m",
        // SQLite keeps the order of these joins: from the index to its messages, or from the newest.
        (Dialect::Sqlite, true) => "message m INDEXED BY message_time",
        (Dialect::Sqlite, false) => {
            "message_text x
             CROSS JOIN message_place p ON p.id = x.rowid
             CROSS JOIN message m NOT INDEXED
               ON m.meetingID = p.meetingID AND m.orderID = p.orderID AND m.seq = p.seq"
        }
    });
    statement.sql.push_str(
        "
             JOIN meeting t ON t.meetingID = m.meetingID
             JOIN meeting_instance i ON i.meetingID = m.meetingID AND i.orderID = m.orderID
             LEFT JOIN user u ON u.userID = m.userID
             WHERE m.deleted_at IS NULL",
    );
    if !words.is_empty() {
        statement.matching(&words);
    }
    if viewer.role != Role::Admin {
        statement.readable(viewer, joined);
    }
    statement.within(query);
    if let Some(from) = &query.from {
        statement.written_by(viewer, from);
    }
    if let Some(place) = below {
        statement.below(place);
    }
    statement.sql.push_str(
        "
             ORDER BY m.timestamp DESC, m.meetingID DESC, m.orderID DESC, m.seq DESC
             LIMIT :limit",
    );
    Query::new("message", statement.sql, statement.params, found)
}

/// A statement in the making.
struct Statement {
    dialect: Dialect,
    sql: String,
    params: Params,
}

impl Statement {
    fn and(&mut self, condition: &str, params: Params) {
        self.sql.push_str("\n               AND ");
        self.sql.push_str(condition);
        self.params.extend(params);
    }

    /// Words are letters, digits and underscores, so none of them is an operator.
    fn matching(&mut self, words: &[&str]) {
        let (condition, words): (_, Vec<String>) = match self.dialect {
            Dialect::Mysql => (
                "MATCH (m.body) AGAINST (:words IN BOOLEAN MODE)",
                words.iter().map(|word| format!("+{word}*")).collect(),
            ),
            Dialect::Sqlite => (
                "message_text MATCH :words",
                words.iter().map(|word| format!("\"{word}\"*")).collect(),
            ),
        };
        self.and(condition, params! { "words": words.join(" ") });
    }

    fn readable(&mut self, viewer: &User, joined: &[InstanceId]) {
        let or_joined = match self.dialect {
            Dialect::Mysql => self.one_of(joined),
            Dialect::Sqlite => {
                self.params.extend(params! { "viewer": viewer.id });
                " OR EXISTS (
                 SELECT 1 FROM stay s
                 WHERE s.meetingID = m.meetingID AND s.orderID = m.orderID AND s.userID = :viewer)"
                    .to_owned()
            }
        };
        self.and(
            &format!(
                "(t.isPublic OR EXISTS (
                 SELECT 1 FROM audience a
                 WHERE a.meetingID = m.meetingID AND a.emailKey IN (:email, :key)){or_joined})"
            ),
            params! { "email": viewer.email.trim(), "key": viewer.email_key().trim() },
        );
    }

    fn one_of(&mut self, instances: &[InstanceId]) -> String {
        let mut condition = String::new();
        for (at, one) in instances.iter().enumerate() {
            let (meeting, order) = (format!(":meeting{at}"), format!(":order{at}"));
            condition.extend([
                " OR (m.meetingID = ",
                &meeting,
                " AND m.orderID = ",
                &order,
                ")",
            ]);
            self.params.push((meeting.into(), one.meeting.into()));
            self.params.push((order.into(), one.order.into()));
        }
        condition
    }

    fn within(&mut self, query: &SearchQuery) {
        match query.within {
            Some(Within::Meeting(meeting)) => {
                self.and("m.meetingID = :meeting", params! { "meeting": meeting });
            }
            Some(Within::Instance(one)) => self.and(
                "m.meetingID = :meeting AND m.orderID = :order",
                params! { "meeting": one.meeting, "order": one.order },
            ),
            None => {}
        }
        if let Some(after) = query.after {
            self.and("m.timestamp >= :after", params! { "after": after });
        }
        if let Some(before) = query.before {
            self.and("m.timestamp < :before", params! { "before": before });
        }
    }

    fn written_by(&mut self, viewer: &User, from: &str) {
        if from == "me" {
            self.and("m.userID = :author", params! { "author": viewer.id });
            return;
        }
        let name_starts = match self.dialect {
            Dialect::Mysql => "LEFT(LOWER(w.name), CHAR_LENGTH(:from)) = :from",
            Dialect::Sqlite => "SUBSTR(LOWER(w.name), 1, LENGTH(:from)) = :from",
        };
        self.and(
            &format!(
                "m.userID IN (
                 SELECT w.userID FROM user w
                 WHERE w.userID = :author
                    OR w.emailKey = :from
                    OR {name_starts})"
            ),
            // No user has the id 0.
            params! { "author": from.parse::<u64>().unwrap_or_default(), "from": from },
        );
    }

    fn below(&mut self, place: Place) {
        self.and(
            match self.dialect {
                // MySQL uses the index for the first condition only.
                Dialect::Mysql => {
                    "m.timestamp <= :at
               AND (m.timestamp < :at
                 OR (m.meetingID, m.orderID, m.seq) < (:at_meeting, :at_order, :at_seq))"
                }
                Dialect::Sqlite => {
                    "(m.timestamp, m.meetingID, m.orderID, m.seq)
                   < (:at, :at_meeting, :at_order, :at_seq)"
                }
            },
            params! {
                "at": place.timestamp,
                "at_meeting": place.instance.meeting,
                "at_order": place.instance.order,
                "at_seq": place.seq,
            },
        );
    }
}

fn found(row: &dyn Row) -> Result<SearchHit, Unusable> {
    let instance = row.instance_id()?;
    Ok(SearchHit {
        instance,
        title: row.title(instance.meeting),
        live: row.state()? == InstanceState::Active,
        message: message(row)?,
    })
}
