//! Search: candidates from the full-text index, or the newest messages where the index does not help.

use plenary_shared::domain::{InstanceState, Role, User};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::SearchHit;
use plenary_shared::search::{Place, Query as SearchQuery, Within};

use super::history::message;
use super::{Dialect, Params, Query, Row, Unusable, params};
use crate::store::sanitize;
use crate::store::search_page::{Spellings, first_characters};

/// What a search reads, the same for each of its batches.
pub struct Candidates<'a> {
    /// The database.
    pub dialect: Dialect,
    /// The user who searches. Candidates are the messages that this user may read: those of instances
    /// that they are invited to and, in MySQL, of `joined`.
    pub viewer: &'a User,
    /// The instances that the live store names.
    pub joined: &'a [InstanceId],
    /// The search.
    pub query: &'a SearchQuery,
    /// Words for the index, each with its spellings.
    pub words: Vec<Spellings>,
    /// The senders, if the search names them.
    pub authors: Option<Vec<UserId>>,
}

impl Candidates<'_> {
    /// At most `count` candidates below a place, the newest first. What the user typed is only in
    /// parameters.
    pub fn read(&self, below: Option<Place>, count: usize) -> Query<SearchHit> {
        let mut statement = Statement {
            dialect: self.dialect,
            sql: String::from(
                "SELECT m.meetingID, m.orderID, m.seq, m.userID, m.cmid, m.body, m.timestamp,
                    m.replyTo, m.edited_at, m.deleted_at, u.name, i.state, t.title
             FROM ",
            ),
            params: params! { "limit": count },
        };
        statement
            .sql
            .push_str(match (self.dialect, self.words.is_empty()) {
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
        if !self.words.is_empty() {
            statement.matching(&self.words);
        }
        if self.viewer.role != Role::Admin {
            statement.readable(self.viewer, self.joined);
        }
        statement.within(self.query);
        if let Some(authors) = &self.authors {
            statement.written_by(authors);
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
}

/// A user whom `from:` may name.
pub struct Author {
    /// The id.
    pub id: UserId,
    /// The name as stored, on one line.
    pub name: String,
    /// The address as stored.
    pub email: String,
}

/// The users whom `from:` may name; [`SearchQuery::is_from`] decides. SQLite compares without regard to
/// case only in ASCII, so it returns all users; MySQL those whose name has the right first character.
pub fn authors(dialect: Dialect, from: &str) -> Query<Author> {
    let mut sql = String::from(
        "SELECT userID, name, email
         FROM user",
    );
    let mut params = Params::new();
    match dialect {
        Dialect::Sqlite => {}
        Dialect::Mysql => {
            // No user has the id 0.
            params.extend(params! { "id": from.parse::<u64>().unwrap_or_default(), "email": from });
            let firsts = first_characters(from).into_iter().enumerate();
            let firsts = firsts.map(|(at, first)| {
                let name = format!(":first{at}");
                params.push((name.clone().into(), first.as_str().into()));
                name
            });
            let firsts: Vec<String> = firsts.collect();
            sql.extend([
                "
         WHERE userID = :id
            OR emailKey = :email
            OR LEFT(TRIM(name), 1) COLLATE utf8mb4_unicode_520_ci IN (",
                &firsts.join(", "),
                ")",
            ]);
        }
    }
    Query::new("user", sql, params, |row| {
        Ok(Author {
            id: row.user_id("userID")?,
            name: sanitize::one_line(&row.text("name").unwrap_or_default()),
            email: row.text("email").unwrap_or_default(),
        })
    })
}

/// The authors whom a search names, of those that [`authors`] returned.
pub fn meant(query: &SearchQuery, found: Vec<Option<Author>>) -> Vec<UserId> {
    let found = found.into_iter().flatten();
    found
        .filter(|one| query.is_from(one.id, &one.name, &one.email))
        .map(|one| one.id)
        .collect()
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
    fn matching(&mut self, words: &[Spellings]) {
        let (condition, mark, each): (_, &str, fn(&String) -> String) = match self.dialect {
            Dialect::Mysql => (
                "MATCH (m.body) AGAINST (:words IN BOOLEAN MODE)",
                " ",
                // MySQL takes the capital ẞ for the end of a word.
                |word| match word.split_once('ẞ') {
                    Some((start, _)) => start.to_owned(),
                    None => format!("{word}*"),
                },
            ),
            Dialect::Sqlite => ("message_text MATCH :words", " OR ", |word| {
                format!("\"{word}\"*")
            }),
        };
        let groups = words.iter().map(|spellings| {
            let mut spellings: Vec<String> = spellings.iter().map(each).collect();
            spellings.retain(|spelling| !spelling.is_empty());
            format!("({})", spellings.join(mark))
        });
        let words: Vec<String> = match self.dialect {
            Dialect::Mysql => groups.map(|group| format!("+{group}")).collect(),
            Dialect::Sqlite => groups.collect(),
        };
        let words = match self.dialect {
            Dialect::Mysql => words.join(" "),
            Dialect::Sqlite => words.join(" AND "),
        };
        self.and(condition, params! { "words": words });
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

    fn written_by(&mut self, authors: &[UserId]) {
        let ids: Vec<String> = authors.iter().map(UserId::to_string).collect();
        self.and(&format!("m.userID IN ({})", ids.join(", ")), params! {});
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
