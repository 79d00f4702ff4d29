//! What is wrong with a table: every error is counted, as many are listed as somebody may read.

use std::collections::HashSet;

use crate::errors::{AppError, Code, FieldError, MOST_LISTED, Place, Text, text};

/// The errors found so far.
#[derive(Debug, Default)]
pub struct Refusals {
    listed: Vec<FieldError>,
    room: usize,
    errors: usize,
    lines: HashSet<u32>,
    keys: HashSet<String>,
}

impl Refusals {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { room: MOST_LISTED, ..Self::default() }
    }

    /// Tells an error of a row; `column` is empty for the row as a whole.
    pub fn tell(&mut self, line: u32, column: &str, code: Code, detail: Text) {
        self.errors += 1;
        self.lines.insert(line);
        if self.listed.len() < self.room {
            self.listed.push(FieldError::row(line, column, code, detail));
        }
    }

    /// Notes the key of a row that has errors.
    pub(super) fn note_key(&mut self, key: &str) {
        self.keys.insert(key.to_owned());
    }

    /// Whether a row that has errors of its own bears this key: whoever refers to it need not be told
    /// that it does not exist.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Whether this line has errors.
    #[must_use]
    pub fn has_line(&self, line: u32) -> bool {
        self.lines.contains(&line)
    }

    /// Those that are listed, in the order in which they were found.
    #[must_use]
    pub fn listed(&self) -> &[FieldError] {
        &self.listed
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors == 0
    }

    /// Makes room for what another look at the rows will find, so that the first of both are listed.
    pub(super) fn look_again(&mut self) {
        self.room = self.listed.len() + MOST_LISTED;
    }

    /// The refusal of the table, in the order of its lines.
    pub(super) fn refuse(mut self, about: &serde_json::Value) -> AppError {
        self.listed.sort_by_key(|error| match &error.place {
            Place::Row(line, _) => *line,
            Place::Body(_) | Place::Query(_) | Place::Header(_) => 0,
        });
        self.listed.truncate(MOST_LISTED);
        let (errors, lines, listed) = (self.errors, self.lines.len(), self.listed.len());
        let detail = text!(
            "{lines} 行共 {errors} 处有误 (列出 {listed} 处), 一行也未导入",
            "{lines} rows have {errors} errors ({listed} are listed); nothing was imported"
        );
        let mut facts = about.clone();
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("rows_refused".into(), lines.into());
            facts.insert("errors_found".into(), errors.into());
            facts.insert("errors_listed".into(), listed.into());
        }
        AppError::fields(Code::ImportRefused, self.listed).saying(detail).with_facts(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank() -> Text {
        Text::new("必填", "Required")
    }

    #[test]
    fn the_first_of_both_looks_are_listed_and_all_are_counted() {
        let mut refusals = Refusals::new();
        for line in 2..3000 {
            refusals.tell(line, "code", Code::Required, blank());
        }
        refusals.look_again();
        refusals.tell(3, "parent_code", Code::UnknownReference, blank());
        let error = refusals.refuse(&serde_json::json!({ "rows_read": 3000 }));
        assert_eq!(error.errors().len(), 1000);
        assert!(
            error.errors().iter().any(|error| error.place == Place::Row(3, "parent_code".into())),
            "what the second look finds among the first lines is not crowded out"
        );
        let facts = error.facts().unwrap();
        assert_eq!((&facts["errors_found"], &facts["rows_refused"]), (&2999.into(), &2998.into()));
        assert_eq!(facts["rows_read"], 3000);
    }
}
