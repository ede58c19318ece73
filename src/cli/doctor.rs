//! `snapdeck doctor`: where using a profile ends, and why.

use super::args::{DoctorArgs, GlobalOptions};
use super::{output, profile, text};
use crate::model::Problem;
use crate::provider::{self, Finding};

/// Walks the steps, and tells each as it is done. Ends with the problem of the step that failed.
pub(super) async fn doctor(options: &GlobalOptions, args: &DoctorArgs) -> Result<u8, Problem> {
    let chosen = profile::find(options, &args.name)?;
    let mut failed: Option<(Finding, Problem)> = None;
    let mut written: Result<(), Problem> = Ok(());
    provider::examine(&chosen, options.read_only, |finding| {
        match &finding.problem {
            Some(problem) => failed = Some((finding.clone(), problem.clone())),
            None if written.is_ok() => written = output::print(&lines("ok", &finding)),
            None => {}
        }
    })
    .await?;
    written?;
    match failed {
        None => {
            output::print("everything works\n")?;
            Ok(0)
        }
        Some((finding, problem)) => {
            output::print(&lines("FAILS", &finding))?;
            Err(problem)
        }
    }
}

/// A line for each thing that was found; the step is named at the first.
fn lines(word: &str, finding: &Finding) -> String {
    let mut out = String::new();
    let mut lead = (word, finding.step);
    for told in &finding.told {
        let told = text::visible(told);
        out.push_str(&format!("{:<6} {:<12} {told}\n", lead.0, lead.1));
        lead = ("", "");
    }
    if finding.told.is_empty() {
        out.push_str(&format!("{word:<6} {}\n", finding.step));
    }
    out
}
