//! What can go wrong, without a word of HTTP: a [`Code`] from the one table, a detail that is safe
//! for the caller in both languages, field errors, and an internal source that is only logged.

mod codes;

pub use codes::{Code, Kind};

use std::borrow::Cow;
use std::fmt;
use validator::{ValidationError, ValidationErrors};

/// The result of everything that can be refused.
pub type Result<T, E = AppError> = std::result::Result<T, E>;

/// A sentence in both languages of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Simplified Chinese (`zh-CN`), the default.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// Pairs the two languages.
    pub fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl Code {
    /// The title, as a sentence where there is nothing more to say.
    #[must_use]
    pub fn title(self) -> Text {
        Text::new(self.title_zh(), self.title_en())
    }
}

/// One thing wrong with one place of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where: a JSON pointer into the body, or the name of a query parameter.
    pub place: Place,
    /// What, from the code table ([`Kind::Field`] or a rule's own code).
    pub code: Code,
    /// A sentence for a person.
    pub detail: Text,
    /// Facts that belong to the rule (both values of a comparison, for one), if any.
    pub facts: Option<serde_json::Value>,
}

/// Where in a request something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A JSON pointer (RFC 6901) into the body; empty for the body as a whole.
    Body(String),
    /// A query parameter's name.
    Query(String),
    /// A header's name.
    Header(&'static str),
    /// A row of an uploaded table, by the table's own numbering, and a column; no column for the row
    /// as a whole.
    Row(u32, String),
}

impl FieldError {
    /// An error at a JSON pointer of the body.
    pub fn body(pointer: impl Into<String>, code: Code, detail: Text) -> Self {
        Self { place: Place::Body(pointer.into()), code, detail, facts: None }
    }

    /// An error of a query parameter.
    pub fn query(name: impl Into<String>, code: Code, detail: Text) -> Self {
        Self { place: Place::Query(name.into()), code, detail, facts: None }
    }

    /// An error of a row of an uploaded table.
    pub fn row(line: u32, column: impl Into<String>, code: Code, detail: Text) -> Self {
        Self { place: Place::Row(line, column.into()), code, detail, facts: None }
    }
}

/// Errors listed in one answer at most.
pub const MOST_LISTED: usize = 1000;

/// A refusal or a failure.
pub struct AppError(Box<Inner>);

struct Inner {
    code: Code,
    detail: Text,
    errors: Vec<FieldError>,
    facts: Option<serde_json::Value>,
    retry_after_seconds: Option<u32>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl AppError {
    /// A refusal with the code's own title as detail.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::because(code, code.title())
    }

    /// A refusal with a detail that says more than the title.
    #[must_use]
    pub fn because(code: Code, detail: Text) -> Self {
        Self(Box::new(Inner {
            code,
            detail,
            errors: Vec::new(),
            facts: None,
            retry_after_seconds: None,
            source: None,
        }))
    }

    /// A failure of ours: logged with its source, answered without it.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(Code::Internal);
        error.0.source = Some(source.into());
        error
    }

    /// The service cannot do it just now; the caller may try again after `seconds`.
    pub fn unavailable(seconds: u32, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(Code::Unavailable).retry_after(seconds);
        error.0.source = Some(source.into());
        error
    }

    /// Input of the right JSON that breaks the schema or a rule: all its errors at once, the first
    /// [`MOST_LISTED`] of them listed.
    #[must_use]
    pub fn fields(code: Code, mut errors: Vec<FieldError>) -> Self {
        let mut error = Self::new(code);
        let found = errors.len();
        if found > MOST_LISTED {
            errors.truncate(MOST_LISTED);
            error.0.facts = Some(serde_json::json!({ "errors_found": found, "errors_listed": MOST_LISTED }));
        }
        error.0.errors = errors;
        error
    }

    /// The same, with all that is wrong with the body told below this pointer.
    #[must_use]
    pub fn below(mut self, pointer: &str) -> Self {
        for error in &mut self.0.errors {
            if let Place::Body(place) = &mut error.place {
                place.insert_str(0, pointer);
            }
        }
        self
    }

    /// Says more than the code's title.
    #[must_use]
    pub fn saying(mut self, detail: Text) -> Self {
        self.0.detail = detail;
        self
    }

    /// Adds figures that a program may read.
    #[must_use]
    pub fn with_facts(mut self, facts: serde_json::Value) -> Self {
        self.0.facts = Some(facts);
        self
    }

    /// Tells the caller when to come again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// The code, stable for clients.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What to tell the caller.
    #[must_use]
    pub fn detail(&self) -> &Text {
        &self.0.detail
    }

    /// What is wrong where.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Figures that belong to the refusal as a whole.
    #[must_use]
    pub fn facts(&self) -> Option<&serde_json::Value> {
        self.0.facts.as_ref()
    }

    /// Seconds for `Retry-After`.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.0.retry_after_seconds
    }

    /// The cause, for the log only.
    #[must_use]
    pub fn source_for_log(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.0.source.as_deref()
    }
}

impl fmt::Debug for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppError")
            .field("code", &self.0.code.name())
            .field("detail", &self.0.detail.en)
            .field("errors", &self.0.errors)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.detail.en)?;
        for error in &self.0.errors {
            write!(f, "; {:?} {}", error.place, error.detail.en)?;
        }
        match &self.0.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AppError {}

impl From<diesel::result::Error> for AppError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match &error {
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | Error::BrokenTransactionManager => Self::unavailable(2, error),
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::unavailable(1, error),
            // What the service had checked came true meanwhile: a retry gets the precise answer.
            Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation,
                info,
            ) => {
                tracing::info!(message = info.message(), "two requests made the same change");
                Self::new(Code::ConcurrentChange).retry_after(1)
            }
            Error::DatabaseError(_, info) if is_storage_trouble(info.message()) => {
                Self::unavailable(5, error)
            }
            _ => Self::internal(error),
        }
    }
}

/// Neither library has kinds for a full disk, a lock or a server that shuts down: only messages.
fn is_storage_trouble(message: &str) -> bool {
    [
        "database or disk is full",
        "disk I/O error",
        "database is locked",
        "attempt to write a readonly database",
        "unable to open database file",
        "terminating connection",
        "server closed the connection",
        "could not extend file",
        "No space left on device",
        "the database system is",
        "canceling statement due to",
        "deadlock detected",
        "cannot execute",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

/// What a body refers to is there no more: nothing new is put at a deactivated unit.
pub fn deactivated(pointer: impl Into<String>) -> FieldError {
    let detail = text!("该单位已停用", "The unit is deactivated");
    FieldError::body(pointer, Code::UnitDeactivated, detail)
}

/// What a body refers to is not there, or not for this caller: one answer for both.
pub fn unknown(pointer: impl Into<String>) -> FieldError {
    let detail =
        text!("没有这个对象, 或不在您的范围内", "There is no such object, or it is out of your reach");
    FieldError::body(pointer, Code::UnknownReference, detail)
}

/// Tells of each value of a list that stands there twice, by its place in the body.
pub fn refuse_repeated<T: PartialEq>(values: &[T], pointer: &str, errors: &mut Vec<FieldError>) {
    for (at, value) in values.iter().enumerate() {
        if values.iter().take(at).any(|other| other == value) {
            let detail = text!("有重复", "It is there twice");
            errors.push(FieldError::body(format!("{pointer}/{at}"), Code::NotUnique, detail));
        }
    }
}

/// Hands errors to `validator` in its own form.
///
/// # Errors
/// The errors, if there are any.
pub fn into_validation(errors: Vec<FieldError>) -> std::result::Result<(), ValidationErrors> {
    if errors.is_empty() {
        return Ok(());
    }
    let mut all = ValidationErrors::new();
    for error in errors {
        let Place::Body(pointer) = error.place else { continue };
        let message = format!("{}|{}", error.detail.zh, error.detail.en);
        let mut one = ValidationError::new(error.code.name()).with_message(message.into());
        one.add_param("at".into(), &pointer);
        all.add("__all__", one);
    }
    Err(all)
}

/// A sentence in both languages: `text!("中文 {x}", "English {x}")`, as `format!` takes them.
macro_rules! text {
    ($zh:literal, $en:literal $(, $($arg:tt)*)?) => {
        $crate::errors::Text::new(format!($zh $(, $($arg)*)?), format!($en $(, $($arg)*)?))
    };
}
pub(crate) use text;
