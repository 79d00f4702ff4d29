//! What is wrong with rows of a table.

use std::collections::HashSet;

use crate::errors::{Code, FieldError, Text};

/// The errors found so far.
#[derive(Debug, Default)]
pub struct Refusals {
    errors: Vec<FieldError>,
    lines: HashSet<u32>,
    keys: HashSet<String>,
}

impl Refusals {
    /// None yet, where rows with these keys have been refused before.
    #[must_use]
    pub fn beside(keys: Vec<String>) -> Self {
        Self { keys: keys.into_iter().collect(), ..Self::default() }
    }

    /// Tells an error of a row; `column` is empty for the row as a whole.
    pub fn tell(&mut self, line: u32, column: &str, code: Code, detail: Text) {
        self.lines.insert(line);
        self.errors.push(FieldError::row(line, column, code, detail));
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

    /// All of them, in the order in which they were found.
    #[must_use]
    pub fn listed(&self) -> &[FieldError] {
        &self.errors
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// All of them.
    #[must_use]
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }
}
