//! Plans of what is changed of what the service keeps beside the data: names, descriptions, metadata, a status.

use std::collections::BTreeMap;

use super::act::Act;
use super::labels::Labels;
use super::plan::{Look, nothing_to_change, renames};
use crate::model::{Operation, Plan, Problem, Undo};

/// A thing that is changed, as it is now.
pub(super) struct Edited<'a> {
    /// What it is (`snapshot`).
    pub(super) what: &'a str,
    /// What it is called in full.
    pub(super) full: &'a str,
    /// What changes its name and description.
    pub(super) act: Act,
    /// Its name and its description.
    pub(super) old: [&'a str; 2],
    /// What is kept on it.
    pub(super) metadata: &'a BTreeMap<String, String>,
    /// The word of its status.
    pub(super) status: &'a str,
}

impl Look<'_> {
    /// The plan of a change; `back` is the operation on the same thing that changes nothing yet.
    pub(super) async fn edit(
        &self,
        edited: Edited<'_>,
        mut back: Operation,
    ) -> Result<Plan, Problem> {
        let (what, full) = (edited.what, edited.full);
        let mut notes = renames(self.operation, edited.old, &mut back);
        let mut acts = Vec::new();
        if !notes.is_empty() {
            acts.push((edited.act, format!("changing the {what}")));
        }
        if let Some(text) = self.operation.find_text("metadata") {
            let mut labels = Labels::parse(text, "")?;
            let (lines, undo) = labels.against(edited.metadata);
            if !labels.set.is_empty() {
                acts.push((Act::SetMetadata, "setting its metadata".to_owned()));
            }
            for key in labels.remove {
                let title = "taking metadata away".to_owned();
                acts.push((Act::DropMetadata(key), title));
            }
            if !lines.is_empty() {
                back = back.text("metadata", undo);
            }
            notes.extend(lines);
        }
        let mut takes_back = true;
        if let Some(status) = self.operation.find_text("status")
            && status != edited.status
        {
            acts.push((Act::ResetStatus, "changing its status".to_owned()));
            notes.push(format!("status: {} becomes {status}", edited.status));
            notes.push(
                "only what the service says of it changes: nothing is stopped, repaired or undone over there, and it is for administrators as a rule"
                    .to_owned(),
            );
            let fields = self.shared.capabilities.operation(self.operation.kind);
            let field = fields.and_then(|spec| spec.field("status"));
            takes_back = field.is_some_and(|field| field.check(edited.status).is_ok());
            back = back.text("status", edited.status);
        }
        if acts.is_empty() {
            return Err(nothing_to_change());
        }
        let undo = match takes_back {
            true => Undo::By {
                how: "change it back".to_owned(),
                operation: Some(back),
            },
            false => Undo::Never(format!(
                "the service takes no status back to {}",
                edited.status
            )),
        };
        let mut plan = self.plan(full, format!("change the {what} {full}"), undo);
        for (act, title) in acts {
            plan.steps.push(self.step(&act, &title).await?);
        }
        plan.notes = notes;
        Ok(plan)
    }
}
