//! The checklists that every province has at hand, to begin its own with.

use std::collections::HashMap;

use super::rules::ChecklistContent;
use crate::db::text_enum;
use crate::errors::{AppError, Result};

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
    /// # Errors
    /// When the program's own text is not what it should be; a test reads all of it.
    pub fn content(self) -> Result<ChecklistContent> {
        let mut all: HashMap<String, ChecklistContent> =
            serde_json::from_str(TEXT).map_err(AppError::internal)?;
        all.remove(self.as_str()).ok_or_else(|| AppError::internal("a template without its content"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_checklist_with_which_nothing_is_wrong() {
        for template in ChecklistTemplate::ALL {
            let content = template.content().unwrap();
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
