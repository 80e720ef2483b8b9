//! Which tool call a streamed piece belongs to.
//!
//! The protocol says: by `index`. Providers leave the index out, send 0 for every call, repeat id
//! and name in each piece, send ids late or a new one with each piece, or send whole calls at once.
//! So index, id, name and the state of the arguments decide together.

use super::progress::Progress;
use crate::PlatformError;

const MOST_CALLS: usize = 128;

/// The calls of one answer so far.
#[derive(Debug, Default)]
pub(super) struct Slots {
    calls: Vec<Call>,
}

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: Option<String>,
    name: String,
    arguments: Progress,
}

/// What a piece says about where it belongs. Empty strings count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Piece<'a> {
    pub index: Option<u64>,
    pub id: Option<&'a str>,
    pub name: Option<&'a str>,
    pub arguments: &'a str,
}

impl Slots {
    /// The slot of a piece: an existing one, or the next free one.
    pub(super) fn place(&mut self, piece: Piece<'_>) -> Result<usize, PlatformError> {
        let slot = match self.find(piece) {
            Some(slot) => slot,
            None if self.calls.len() == MOST_CALLS => {
                return Err(PlatformError::garbage(
                    "more than 128 tool calls in one answer",
                ));
            }
            None => {
                self.calls.push(Call::default());
                self.calls.len() - 1
            }
        };
        self.calls[slot].take(piece);
        Ok(slot)
    }

    fn find(&self, piece: Piece<'_>) -> Option<usize> {
        match (piece.id, piece.index) {
            (Some(id), Some(index)) => self.by_both(id, index, piece),
            (Some(id), None) => self.by_id(id).or_else(|| self.open_end(piece)),
            (None, Some(index)) => self
                .by_index(index)
                .filter(|slot| self.calls[*slot].goes_on(piece)),
            (None, None) => self
                .last()
                .filter(|slot| self.calls[*slot].goes_on_unnamed(piece)),
        }
    }

    fn by_both(&self, id: &str, index: u64, piece: Piece<'_>) -> Option<usize> {
        if let Some(slot) = self.by_id(id) {
            // Two calls with one id, told apart by index and a name of their own.
            let other_index = self.calls[slot].index.is_some_and(|known| known != index);
            return if other_index && piece.name.is_some() {
                None
            } else {
                Some(slot)
            };
        }
        let slot = self.by_index(index)?;
        let call = &self.calls[slot];
        let late_id = call.id.is_none() && call.goes_on(piece);
        (late_id || call.goes_on_under_new_id(piece)).then_some(slot)
    }

    /// The last call, if it still waits for an id.
    fn open_end(&self, piece: Piece<'_>) -> Option<usize> {
        self.last()
            .filter(|slot| self.calls[*slot].id.is_none() && piece.name.is_none())
    }

    fn by_id(&self, id: &str) -> Option<usize> {
        self.calls
            .iter()
            .rposition(|call| call.id.as_deref() == Some(id))
    }

    fn by_index(&self, index: u64) -> Option<usize> {
        self.calls
            .iter()
            .rposition(|call| call.index == Some(index))
    }

    fn last(&self) -> Option<usize> {
        self.calls.len().checked_sub(1)
    }
}

impl Call {
    /// Whether a piece at the same place continues this call rather than beginning the next.
    fn goes_on(&self, piece: Piece<'_>) -> bool {
        match piece.name {
            None => true,
            // A repeated name, or the next part of a name.
            Some(name) if name == self.name => {
                !self.arguments.complete || piece.arguments.trim().is_empty()
            }
            Some(_) => !self.arguments.begun,
        }
    }

    /// The same where nothing but order tells: then another name is another call.
    fn goes_on_unnamed(&self, piece: Piece<'_>) -> bool {
        self.goes_on(piece) && piece.name.is_none_or(|name| name == self.name)
    }

    /// An unknown id at a known index is another call, unless this one is plainly unfinished.
    fn goes_on_under_new_id(&self, piece: Piece<'_>) -> bool {
        match piece.name {
            None => true,
            Some(name) => name == self.name && self.arguments.begun && !self.arguments.complete,
        }
    }

    fn take(&mut self, piece: Piece<'_>) {
        self.index = self.index.or(piece.index);
        if self.id.is_none() {
            self.id = piece.id.map(str::to_owned);
        }
        if let Some(name) = piece.name {
            merge_name(&mut self.name, name, self.arguments.begun);
        }
        self.arguments.take(piece.arguments);
    }
}

/// Adds a piece of a name: repeated and cumulative names replace, others append while no argument
/// has come.
pub(super) fn merge_name(name: &mut String, piece: &str, arguments_begun: bool) {
    const LONGEST: usize = 256;
    if name.is_empty() || piece.starts_with(name.as_str()) {
        *name = piece.chars().take(LONGEST).collect();
    } else if !arguments_begun && name.len() < LONGEST {
        name.extend(piece.chars().take(LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_CALLS, Piece, Slots};

    type Row = (Option<u64>, &'static str, &'static str, &'static str);

    fn placed(rows: &[Row]) -> Vec<usize> {
        let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let mut slots = Slots::default();
        let piece = |row: &Row| Piece {
            index: row.0,
            id: some(row.1),
            name: some(row.2),
            arguments: row.3,
        };
        rows.iter()
            .map(|row| slots.place(piece(row)).unwrap())
            .collect()
    }

    #[test]
    fn every_providers_habit_finds_its_slots() {
        let table: [(&str, &[Row], &[usize]); 16] = [
            (
                "as specified, interleaved",
                &[
                    (Some(0), "a", "x", ""),
                    (Some(1), "b", "y", ""),
                    (Some(0), "", "", "{"),
                    (Some(1), "", "", "{}"),
                    (Some(0), "", "", "}"),
                ],
                &[0, 1, 0, 1, 0],
            ),
            (
                "index from one",
                &[(Some(1), "a", "x", "{}"), (Some(2), "b", "x", "{}")],
                &[0, 1],
            ),
            (
                "no index, first piece has the id",
                &[
                    (None, "a", "x", ""),
                    (None, "", "", "{"),
                    (None, "b", "y", ""),
                    (None, "", "", "{}"),
                ],
                &[0, 0, 1, 1],
            ),
            (
                "no index, id in every piece",
                &[
                    (None, "a", "x", "{"),
                    (None, "b", "y", "{"),
                    (None, "a", "x", "}"),
                    (None, "b", "y", "}"),
                ],
                &[0, 1, 0, 1],
            ),
            (
                "id and name repeated",
                &[
                    (Some(0), "a", "x", "{"),
                    (Some(0), "a", "x", "1"),
                    (Some(0), "a", "x", "}"),
                ],
                &[0, 0, 0],
            ),
            (
                "index always 0, new id for each call",
                &[
                    (Some(0), "a", "x", "{}"),
                    (Some(0), "b", "x", "{}"),
                    (Some(0), "b", "", ""),
                ],
                &[0, 1, 1],
            ),
            (
                "index always 0, pieces",
                &[
                    (Some(0), "a", "x", ""),
                    (Some(0), "", "", "{}"),
                    (Some(0), "b", "y", ""),
                    (Some(0), "", "", "{}"),
                ],
                &[0, 0, 1, 1],
            ),
            (
                "index always 0, no arguments, new ids",
                &[(Some(0), "a", "x", ""), (Some(0), "b", "x", "")],
                &[0, 1],
            ),
            (
                "index always 0, no ids, whole calls",
                &[
                    (Some(0), "", "x", "{}"),
                    (Some(0), "", "x", "{}"),
                    (Some(0), "", "y", "{}"),
                ],
                &[0, 1, 2],
            ),
            (
                "a new id in every piece",
                &[
                    (Some(0), "a", "x", "{"),
                    (Some(0), "b", "", "1"),
                    (Some(0), "c", "x", "}"),
                ],
                &[0, 0, 0],
            ),
            (
                "one id for two calls",
                &[
                    (Some(0), "a", "x", ""),
                    (Some(1), "a", "y", ""),
                    (Some(0), "", "", "{}"),
                    (Some(1), "", "", "{}"),
                ],
                &[0, 1, 0, 1],
            ),
            (
                "id comes late",
                &[
                    (Some(0), "", "x", ""),
                    (Some(0), "a", "", "{}"),
                    (None, "", "", ""),
                ],
                &[0, 0, 0],
            ),
            (
                "late id without index",
                &[(None, "", "x", "{"), (None, "a", "", "}")],
                &[0, 0],
            ),
            (
                "nothing but order",
                &[
                    (None, "", "x", "{"),
                    (None, "", "", "}"),
                    (None, "", "x", "{}"),
                    (None, "", "y", "{}"),
                ],
                &[0, 0, 1, 2],
            ),
            (
                "name repeated at the end",
                &[(Some(0), "", "x", "{}"), (Some(0), "", "x", "")],
                &[0, 0],
            ),
            (
                "name in pieces",
                &[
                    (Some(0), "a", "re", ""),
                    (Some(0), "", "ad", ""),
                    (Some(0), "", "", "{}"),
                ],
                &[0, 0, 0],
            ),
        ];
        for (habit, rows, expected) in table {
            assert_eq!(placed(rows), expected, "{habit}");
        }
    }

    #[test]
    fn the_number_of_calls_is_bounded() {
        let mut slots = Slots::default();
        for index in 0..MOST_CALLS as u64 {
            assert!(
                slots
                    .place(Piece {
                        index: Some(index),
                        ..Piece::default()
                    })
                    .is_ok()
            );
        }
        assert!(
            slots
                .place(Piece {
                    index: Some(u64::MAX),
                    ..Piece::default()
                })
                .is_err()
        );
    }
}
