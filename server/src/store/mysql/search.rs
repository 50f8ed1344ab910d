//! Finding messages: candidates from the full-text index, or the newest ones where no index helps.

use mysql_async::{Params, Row, Value};
use plenary_shared::domain::{InstanceState, Role, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Found, SearchOk};
use plenary_shared::search::{Place, Query, Within};

use super::link::MysqlStore;
use super::{read, row};
use crate::error::Answer;
use crate::store::search_page::{SearchPage, indexed_words};

impl MysqlStore {
    /// A page of what a search finds, newest first, among what this person may read: also in the
    /// instances that they are in, whoever is invited.
    pub async fn search(
        &self,
        viewer: &User,
        inside: &[InstanceId],
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        let mut page = SearchPage::new(query, before, limit);
        while let Some((below, count)) = page.next_batch() {
            let (sql, values) = candidates(viewer, inside, query, below, count);
            let rows = self.rows(&sql, Params::Positional(values)).await?;
            page.examine(row::usable(&rows, "message", found), rows.len());
        }
        Ok(page.into_page())
    }
}

/// The statement that reads candidates. What people typed is in its values alone.
fn candidates(
    viewer: &User,
    inside: &[InstanceId],
    query: &Query,
    below: Option<Place>,
    count: usize,
) -> (String, Vec<Value>) {
    let mut sql = String::from(
        "SELECT m.meetingID, m.orderID, m.seq, m.userID, m.cmid, m.body, m.timestamp, m.replyTo,
                m.edited_at, m.deleted_at, u.name, i.state, t.title
         FROM message m
         JOIN meeting t ON t.meetingID = m.meetingID
         JOIN meeting_instance i ON i.meetingID = m.meetingID AND i.orderID = m.orderID
         LEFT JOIN `user` u ON u.userID = m.userID
         WHERE m.deleted_at IS NULL",
    );
    let mut values: Vec<Value> = Vec::new();
    if viewer.role != Role::Admin {
        sql.push_str(
            "
           AND (t.isPublic OR EXISTS (
             SELECT 1 FROM audience a
             WHERE a.meetingID = m.meetingID AND a.emailKey IN (?, ?))",
        );
        values.push(viewer.email.trim().into());
        values.push(viewer.email_key().trim().into());
        for one in inside {
            sql.push_str(" OR (m.meetingID = ? AND m.orderID = ?)");
            values.push(one.meeting.get().into());
            values.push(one.order.get().into());
        }
        sql.push(')');
    }
    match query.within {
        Some(Within::Meeting(meeting)) => {
            sql.push_str(" AND m.meetingID = ?");
            values.push(meeting.get().into());
        }
        Some(Within::Instance(one)) => {
            sql.push_str(" AND m.meetingID = ? AND m.orderID = ?");
            values.push(one.meeting.get().into());
            values.push(one.order.get().into());
        }
        None => {}
    }
    if let Some(from) = &query.from {
        whose(&mut sql, &mut values, viewer, from);
    }
    if let Some(after) = query.after {
        sql.push_str(" AND m.timestamp >= ?");
        values.push(row::at(after));
    }
    if let Some(before) = query.before {
        sql.push_str(" AND m.timestamp < ?");
        values.push(row::at(before));
    }
    let words = indexed_words(query);
    if !words.is_empty() {
        // Letters, digits and underscores: nothing in them is an operator.
        let words: Vec<String> = words.iter().map(|word| format!("+{word}*")).collect();
        sql.push_str(" AND MATCH (m.body) AGAINST (? IN BOOLEAN MODE)");
        values.push(words.join(" ").into());
    }
    if let Some(place) = below {
        // The first half is what an index can do.
        sql.push_str(
            " AND m.timestamp <= ?
              AND (m.timestamp < ? OR (m.meetingID, m.orderID, m.seq) < (?, ?, ?))",
        );
        values.push(row::at(place.timestamp));
        values.push(row::at(place.timestamp));
        values.push(place.instance.meeting.get().into());
        values.push(place.instance.order.get().into());
        values.push(place.seq.get().into());
    }
    sql.push_str(
        "
         ORDER BY m.timestamp DESC, m.meetingID DESC, m.orderID DESC, m.seq DESC
         LIMIT ?",
    );
    values.push(count.into());
    (sql, values)
}

fn whose(sql: &mut String, values: &mut Vec<Value>, viewer: &User, from: &str) {
    if from == "me" {
        sql.push_str(" AND m.userID = ?");
        values.push(viewer.id.get().into());
        return;
    }
    sql.push_str(
        " AND m.userID IN (
            SELECT w.userID FROM `user` w
            WHERE w.userID = ?
               OR w.emailKey = ?
               OR LEFT(LOWER(w.name), CHAR_LENGTH(?)) = ?)",
    );
    // No user has the number 0.
    values.push(from.parse::<u64>().unwrap_or_default().into());
    values.extend([from, from, from].map(Value::from));
}

fn found(row: &Row) -> Result<Found, row::Unusable> {
    let instance = row::instance_id(row)?;
    Ok(Found {
        instance,
        title: row::meeting(row)?.title,
        live: row::state(row)? == InstanceState::Active,
        message: read::message(row)?,
    })
}
