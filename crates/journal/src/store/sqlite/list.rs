//! Listing, in SQLite: a query made for the filters that are given, so that an index serves it.

use super::read;
use crate::store::ResponseRow;
use crate::{JournalError, Listing, Phase};
use protocol::{ResponseId, SessionId};
use rusqlite::Connection;
use rusqlite::types::Value;

/// SQL and its parameters, growing together.
struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    fn push(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

pub(super) fn responses(
    connection: &Connection,
    listing: &Listing,
) -> Result<Vec<ResponseRow>, JournalError> {
    let Query { sql, values } = query(listing);
    read::responses(connection, &sql, rusqlite::params_from_iter(values))
}

fn query(listing: &Listing) -> Query {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut query = Query {
        sql: "SELECT r.id, r.session_id, r.owner, r.phase, r.head, r.created_at FROM ".to_owned(),
        values: Vec::new(),
    };
    // The first pair drives the query; its index is in the order of the ids, too.
    let mut pairs = listing.metadata.iter();
    let id = match pairs.next() {
        None => {
            // Left to itself, the planner would rather walk all responses in order than sort a few.
            let index = match listing {
                Listing {
                    session: Some(_), ..
                } => "responses_by_session",
                Listing {
                    phases: Some(_), ..
                } => "responses_by_phase",
                _ => "responses_by_owner",
            };
            query.push(
                &format!("responses r INDEXED BY {index} WHERE r.owner = ?"),
                [text(&listing.owner)],
            );
            "r.id"
        }
        Some((key, value)) => {
            query.push(
                "metadata m CROSS JOIN responses r ON r.id = m.response_id \
                 WHERE m.owner = ? AND m.key = ? AND m.value = ?",
                [text(&listing.owner), text(key), text(value)],
            );
            "m.response_id"
        }
    };
    for (key, value) in pairs {
        query.push(
            " AND EXISTS (SELECT 1 FROM metadata x WHERE x.owner = ? AND x.key = ? AND x.value = ? AND x.response_id = r.id)",
            [text(&listing.owner), text(key), text(value)],
        );
    }
    query.push(" AND r.residue IS NULL", []);
    if let Some(phases) = &listing.phases {
        let marks = vec!["?"; phases.len()].join(", ");
        let number = |phase: &Phase| Value::Integer(*phase as i64);
        query.push(
            &format!(" AND r.phase IN ({marks})"),
            phases.iter().map(number),
        );
    }
    let session = listing.session.as_ref().map(SessionId::as_str).map(text);
    if let Some(session) = session {
        query.push(" AND r.session_id = ?", [session]);
    }
    let (compare, order) = if listing.newest_first {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    if let Some(after) = listing.after.as_ref().map(ResponseId::as_str).map(text) {
        query.push(&format!(" AND {id} {compare} ?"), [after]);
    }
    let limit = i64::try_from(listing.limit).unwrap_or(i64::MAX);
    query.push(
        &format!(" ORDER BY {id} {order} LIMIT ?"),
        [Value::Integer(limit)],
    );
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No listing reads what it does not show, apart from sorting one session's or one phase's responses.
    #[test]
    fn an_index_serves_every_listing() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in super::super::MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        let all = Listing::newest("alice", 20);
        let by_phase = Listing {
            phases: Some(vec![Phase::Failed]),
            ..all.clone()
        };
        let by_session = Listing {
            session: Some(SessionId::fresh()),
            ..all.clone()
        };
        let by_pairs = Listing {
            metadata: vec![("a".into(), "b".into()), ("c".into(), "d".into())],
            after: Some(ResponseId::fresh()),
            ..all.clone()
        };
        let by_phases = Listing {
            phases: Some(vec![Phase::AwaitingApproval, Phase::Interrupted]),
            ..all.clone()
        };
        for (listing, index, may_sort) in [
            (&by_phases, "responses_by_phase", true),
            (&all, "responses_by_owner", false),
            (&by_phase, "responses_by_phase", false),
            (&by_session, "responses_by_session", true),
            (&by_pairs, "SEARCH m USING PRIMARY KEY", false),
        ] {
            let plan = plan(&connection, listing);
            assert!(plan.contains(index), "{plan}");
            assert!(!plan.contains("SCAN"), "{plan}");
            assert!(may_sort || !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }

    fn plan(connection: &Connection, listing: &Listing) -> String {
        let Query { sql, values } = query(listing);
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps = statement.query_map(rusqlite::params_from_iter(values), |row| {
            row.get::<_, String>(3)
        });
        let steps: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
        steps.join("; ")
    }
}
