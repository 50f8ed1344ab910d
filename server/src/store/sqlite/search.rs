//! Finding messages: candidates from the full-text index, or the newest ones where no index helps.

use async_trait::async_trait;
use plenary_shared::domain::{InstanceState, Role, User};
use plenary_shared::protocol::{Found, SearchOk};
use plenary_shared::search::{Place, Query, Within};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::error::Answer;
use crate::store::SearchStore;
use crate::store::search_page::{SearchPage, indexed_words};

use super::{SqliteStore, read, row};

#[async_trait]
impl SearchStore for SqliteStore {
    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        let (viewer, query) = (viewer.clone(), query.clone());
        self.link
            .read(move |conn| search(conn, &viewer, &query, before, limit))
            .await
    }
}

/// A page of what a search finds, newest first, among what this person may read.
fn search(
    conn: &Connection,
    viewer: &User,
    query: &Query,
    before: Option<Place>,
    limit: usize,
) -> Answer<SearchOk> {
    let mut page = SearchPage::new(query, before, limit);
    while let Some((below, count)) = page.next_batch() {
        let (sql, values) = candidates(viewer, query, below, count);
        let rows = row::found(conn, "message", &sql, params_from_iter(values), found)?;
        let count = rows.len();
        page.examine(rows.into_iter().flatten().collect(), count);
    }
    Ok(page.into_page())
}

/// The statement that reads candidates. What people typed is in its values alone.
fn candidates(
    viewer: &User,
    query: &Query,
    below: Option<Place>,
    count: usize,
) -> (String, Vec<Value>) {
    let number = |id: u64| Value::from(i64::try_from(id).unwrap_or(i64::MAX));
    let words = indexed_words(query);
    let mut sql = String::from(
        "SELECT m.meetingID, m.orderID, m.seq, m.userID, m.cmid, m.body, m.timestamp, m.replyTo,
                m.edited_at, m.deleted_at, u.name, i.state, t.title
         FROM ",
    );
    // The order of these joins is kept: from the index to its messages, or from the newest on.
    sql.push_str(if words.is_empty() {
        "message m INDEXED BY message_time"
    } else {
        "message_text x
         CROSS JOIN message_place p ON p.id = x.rowid
         CROSS JOIN message m NOT INDEXED
           ON m.meetingID = p.meetingID AND m.orderID = p.orderID AND m.seq = p.seq"
    });
    sql.push_str(
        "
         JOIN meeting t ON t.meetingID = m.meetingID
         JOIN meeting_instance i ON i.meetingID = m.meetingID AND i.orderID = m.orderID
         LEFT JOIN user u ON u.userID = m.userID
         WHERE m.deleted_at IS NULL",
    );
    let mut values: Vec<Value> = Vec::new();
    if !words.is_empty() {
        // Letters, digits and underscores, and quoted: nothing in them is an operator.
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"*")).collect();
        sql.push_str(" AND message_text MATCH ?");
        values.push(words.join(" ").into());
    }
    if viewer.role != Role::Admin {
        sql.push_str(
            "
           AND (t.isPublic OR EXISTS (
             SELECT 1 FROM audience a
             WHERE a.meetingID = m.meetingID AND a.emailKey IN (?, ?))
           OR EXISTS (
             SELECT 1 FROM stay s
             WHERE s.meetingID = m.meetingID AND s.orderID = m.orderID AND s.userID = ?))",
        );
        values.push(viewer.email.trim().to_owned().into());
        values.push(viewer.email_key().trim().to_owned().into());
        values.push(number(viewer.id.get()));
    }
    match query.within {
        Some(Within::Meeting(meeting)) => {
            sql.push_str(" AND m.meetingID = ?");
            values.push(number(meeting.get()));
        }
        Some(Within::Instance(one)) => {
            sql.push_str(" AND m.meetingID = ? AND m.orderID = ?");
            values.push(number(one.meeting.get()));
            values.push(number(one.order.get()));
        }
        None => {}
    }
    if let Some(from) = &query.from {
        whose(&mut sql, &mut values, viewer, from);
    }
    if let Some(after) = query.after {
        sql.push_str(" AND m.timestamp >= ?");
        values.push(after.as_ms().into());
    }
    if let Some(before) = query.before {
        sql.push_str(" AND m.timestamp < ?");
        values.push(before.as_ms().into());
    }
    if let Some(place) = below {
        sql.push_str(" AND (m.timestamp, m.meetingID, m.orderID, m.seq) < (?, ?, ?, ?)");
        values.push(place.timestamp.as_ms().into());
        values.push(number(place.instance.meeting.get()));
        values.push(number(place.instance.order.get()));
        values.push(number(place.seq.get()));
    }
    sql.push_str(
        "
         ORDER BY m.timestamp DESC, m.meetingID DESC, m.orderID DESC, m.seq DESC
         LIMIT ?",
    );
    values.push(number(count as u64));
    (sql, values)
}

fn whose(sql: &mut String, values: &mut Vec<Value>, viewer: &User, from: &str) {
    if from == "me" {
        sql.push_str(" AND m.userID = ?");
        values.push(i64::try_from(viewer.id.get()).unwrap_or(i64::MAX).into());
        return;
    }
    sql.push_str(
        " AND m.userID IN (
            SELECT w.userID FROM user w
            WHERE w.userID = ?
               OR w.emailKey = ?
               OR SUBSTR(LOWER(w.name), 1, LENGTH(?)) = ?)",
    );
    // No user has the number 0.
    values.push(from.parse::<i64>().unwrap_or_default().into());
    values.extend([from, from, from].map(|text| Value::from(text.to_owned())));
}

fn found(row: &Row<'_>) -> Result<Found, row::Unusable> {
    Ok(Found {
        instance: row::instance_id(row)?,
        title: row::meeting(row)?.title,
        live: row::state(row)? == InstanceState::Active,
        message: read::message(row)?,
    })
}
