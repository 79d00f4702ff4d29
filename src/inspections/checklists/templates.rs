//! The checklists that every province has at hand, to begin its own with.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::rules::ChecklistContent;
use crate::db::text_enum;

text_enum! {
    /// A checklist to begin with.
    ChecklistTemplate as "checklist_template" {
        IncidentHandling = "incident_handling", "警情处理", "Handling of incidents", blue;
        ServiceWindow = "service_window", "服务窗口", "Service windows", blue;
        DressDiscipline = "dress_discipline", "着装与纪律", "Dress and discipline", blue;
        CaseAcceptance = "case_acceptance", "受立案", "Acceptance of cases", blue;
    }
}

/// Checked in as JSON in the very shape of the wire, so that whoever knows the practice can read and mend it.
const TEXT: &str = include_str!("templates.json");

impl ChecklistTemplate {
    /// What it says.
    ///
    /// # Panics
    /// Never: a test reads all of them.
    #[must_use]
    #[allow(clippy::expect_used, reason = "it is part of the program, and a test reads all of it")]
    pub fn content(self) -> ChecklistContent {
        static ALL: OnceLock<HashMap<String, ChecklistContent>> = OnceLock::new();
        let all = ALL
            .get_or_init(|| serde_json::from_str(TEXT).expect("the templates are of the shape of the wire"));
        all.get(self.as_str()).cloned().expect("every template has its content")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_checklist_with_which_nothing_is_wrong() {
        for template in ChecklistTemplate::ALL {
            let content = template.content();
            let wrong: Vec<String> = content
                .errors()
                .iter()
                .map(|error| format!("{:?} {}", error.place, error.code.name()))
                .collect();
            assert_eq!(wrong, Vec::<String>::new(), "{template}");
            assert!(content.items.len() >= 7, "{template}");
        }
    }
}
