//! Chinese headings, made from what the document says of each property anyway.

use serde_json::{Value, json};

/// Gives each property of a row's schema its heading, `x-title`: sheets have it as heading, pages of
/// a front end may.
pub(in crate::web) fn entitle(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten() {
        if let (Some(title), Some(map)) = (title(property), property.as_object_mut()) {
            map.insert("x-title".into(), json!(title));
        }
    }
}

/// The Chinese title of a property: the first phrase of its description. Sheets that are given and
/// tables that are taken are headed by it.
pub fn title(property: &Value) -> Option<String> {
    description(property).map(title_of).filter(|title| !title.is_empty())
}

/// The description of a property; of one that may be null it stands in the other alternative.
fn description(property: &Value) -> Option<&str> {
    let alternatives = property.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    [property].into_iter().chain(alternatives).find_map(|one| one.get("description")?.as_str())
}

/// A description's first phrase.
fn title_of(description: &str) -> String {
    let ends = [',', ';', ':', '。', '，', '；', '：', '(', '（', '\n'];
    description.split(ends).next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_the_first_phrase_of_the_description() {
        let mut schema = json!({ "properties": {
            "code": { "type": "string", "description": "官方代码, 省内唯一。" },
            "first": { "type": "string", "description": "首日 (含); null 为自授予起。" },
            "unit": { "oneOf": [{ "$ref": "#/x", "description": "所属单位; 平台账号为 null。" }, { "type": "null" }] },
            "bare": { "type": "string" },
        } });
        entitle(&mut schema);
        let title = |name: &str| schema["properties"][name]["x-title"].clone();
        assert_eq!(
            [title("code"), title("first"), title("unit"), title("bare")],
            [json!("官方代码"), json!("首日"), json!("所属单位"), Value::Null]
        );
    }
}
