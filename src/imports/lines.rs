//! Lines of JSON (NDJSON): an object a line, with the properties of the row's schema.

use serde_json::Value;

use crate::errors::{Code, Result, Text, text};

/// A line's object, or what is wrong with the line.
pub(super) type Object = std::result::Result<Value, (Code, Text)>;

/// Reads the objects of a text, each with the number of its line; blank lines are none.
///
/// # Errors
/// What `take` answers.
pub(super) fn objects(text: &str, take: &mut dyn FnMut(u32, Object) -> Result<()>) -> Result<()> {
    for (number, line) in (1_u32..).zip(text.lines()) {
        if !line.trim().is_empty() {
            take(number, object(line))?;
        }
    }
    Ok(())
}

fn object(line: &str) -> Object {
    match serde_json::from_str::<Value>(line) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err((Code::WrongType, text!("应为一个 JSON 对象", "It must be a JSON object"))),
        Err(error) => {
            let column = error.column();
            let detail = text!("不是有效的 JSON: 第 {column} 列", "It is not valid JSON at column {column}");
            Err((Code::MalformedJson, detail))
        }
    }
}
