//! What the console shows, as lines to be read one after another: no glyphs, no columns, no colours.

use crate::config::theme::Role;
use crate::model::{FieldType, StepState, Task, TaskState};
use crate::tui::layout;
use crate::tui::overlay::{Chooser, Entry, Field, Form, Holds, Question, Review};
use crate::tui::page;
use crate::tui::rows::{self, Rows};
use crate::tui::state::{Place, RowId, State};
use crate::tui::text;

/// No line is broken here: whoever reads them has a width of his own.
const WIDE: u16 = 4_000;

/// Pieces with their roles as one line; a name of a field that was set to a width ends with a colon instead.
pub(super) fn plain(line: &[(std::borrow::Cow<'_, str>, Role)]) -> String {
    let mut said = String::new();
    for (i, (piece, role)) in line.iter().enumerate() {
        let label = i == 0 && matches!(role, Role::Dim | Role::Heading) && piece.ends_with(' ');
        if label && !piece.trim().is_empty() && line.len() > 1 {
            said.push_str(piece.trim_end());
            said.push_str(": ");
        } else {
            said.push_str(piece);
        }
    }
    let indent = said.len() - said.trim_start_matches(' ').len();
    let words: Vec<&str> = said.split_whitespace().collect();
    format!("{}{}", " ".repeat(indent), words.join(" "))
}

fn lines(lines: &[page::Line]) -> Vec<String> {
    lines.iter().map(|line| plain(line)).collect()
}

/// The lines of the text in hand.
pub(super) fn text(state: &State) -> Vec<String> {
    lines(&page::lines(state, WIDE))
}

/// All fields of a row's thing, where it is one.
pub(super) fn fields(state: &State, id: &RowId) -> Vec<String> {
    let RowId::Object(object) = id else {
        return Vec::new();
    };
    let found = state.find(object);
    let said = found.map_or_else(Vec::new, |object| {
        lines(&page::fields(state, &object, WIDE))
    });
    said.into_iter().filter(|line| !line.is_empty()).collect()
}

/// What went wrong, why, and what to try.
pub(super) fn problem(state: &State, problem: &crate::model::Problem) -> Vec<String> {
    let mut said = lines(&page::problem(state, problem, WIDE));
    if let Some(first) = said.first_mut() {
        *first = format!("Error: {}", first.trim_start());
    }
    said
}

/// What stands above the rows in hand.
pub(super) fn summary(state: &State) -> Vec<String> {
    match state.screen().place {
        Place::Pulse => lines(&rows::pulse_summary(state, layout::LEAST.0)),
        Place::Difference(..) => lines(&page::map::difference(state, WIDE, 0)),
        _ => Vec::new(),
    }
}

/// The title of the place in hand: the way to it.
pub(super) fn title(state: &State) -> String {
    let stack = state.views.stack().iter();
    let titles: Vec<String> = stack.map(|s| page::title(state, &s.place)).collect();
    titles.join(", ")
}

/// One row: its name, indented by how deep it stands, and what its columns say.
pub(super) fn row(state: &State, rows: &dyn Rows, row: usize) -> String {
    let screen = state.screen();
    let lead: String = rows.lead(row).into_iter().map(|(said, _)| said).collect();
    // What needs attention stands below nothing.
    let depth = match screen.place {
        Place::Pulse => 0,
        _ => lead.matches(' ').count(),
    };
    let mut said = format!("{}{}{}", "  ".repeat(depth), lead.trim(), rows.name(row));
    let view = screen.place.view();
    for (i, column) in rows.columns().iter().enumerate().skip(1) {
        if state.hidden.contains(&(view, column.key)) {
            continue;
        }
        let cell: Vec<_> = rows.cell(row, i);
        let cell: String = cell.iter().map(|(piece, _)| piece.as_ref()).collect();
        let words: Vec<&str> = cell.split_whitespace().collect();
        if !words.is_empty() {
            said.push_str(&format!(
                ", {} {}",
                column.title.to_lowercase(),
                words.join(" ")
            ));
        }
    }
    if screen.marks.contains(&rows.id(row)) {
        said.push_str(", marked");
    }
    said
}

/// What orders the rows in hand, and what narrows them.
pub(super) fn order(state: &State, rows: &dyn Rows) -> String {
    let screen = state.screen();
    let mut said = String::new();
    if let Some(sort) = screen.sort.filter(|_| rows.sortable())
        && let Some(column) = rows.columns().get(sort.column)
    {
        let reversed = if sort.descending { " reversed" } else { "" };
        said.push_str(&format!(", by {}{reversed}", column.title.to_lowercase()));
    }
    said + &filter(state)
}

/// What narrows the rows in hand.
pub(super) fn filter(state: &State) -> String {
    match state.screen().filter.as_str() {
        "" => String::new(),
        filter => format!(", filter {}", state.clean(filter)),
    }
}

/// One entry of a list to choose from.
pub(super) fn entry(state: &State, chooser: &Chooser, entry: &Entry) -> String {
    let mut said = state.clean(&entry.label).into_owned();
    if chooser.is_chosen(entry) {
        said.push_str(" (chosen)");
    }
    let words: Vec<&str> = entry.detail.split_whitespace().collect();
    if !words.is_empty() {
        said.push_str(&format!(", {}", state.clean(&words.join(" "))));
    }
    if let Some(reason) = &entry.reason {
        said.push_str(&format!(". Not possible: {}", state.clean(reason)));
    }
    said
}

/// What a form is for, and what is settled in it already.
pub(super) fn form(state: &State, form: &Form) -> Vec<String> {
    let mut said = vec![format!("{}: {}", form.spec.title, form.spec.doc)];
    let settled = form.fields.iter().filter(|field| !field.is_open());
    said.extend(settled.map(|f| format!("{}: {}", f.spec.label, form.shown(f, state))));
    said
}

/// What a field holds, in words; empty where it holds nothing.
fn held(state: &State, form: &Form, field: &Field) -> String {
    match (&field.holds, &field.spec.ty) {
        (Holds::Line(input), _) if field.spec.secret && !input.value().is_empty() => {
            "not shown".to_owned()
        }
        (Holds::Line(input), _) if input.value().is_empty() => {
            let suggested = field.suggestion.as_deref().unwrap_or_default();
            state.clean(suggested).into_owned()
        }
        (Holds::Line(input), _) => state.clean(input.value()).into_owned(),
        (Holds::Flag(flag), _) => if *flag { "yes" } else { "no" }.to_owned(),
        (Holds::Choice(at), FieldType::Choice(words)) => {
            words.get(*at).copied().unwrap_or_default().to_owned()
        }
        _ => form.shown(field, state),
    }
}

/// One field of a form as a question; what was wrong with the last answer comes first.
pub(super) fn field(state: &State, form: &Form, at: usize) -> Vec<String> {
    let Some(field) = form.fields.get(at) else {
        return Vec::new();
    };
    let mut said = Vec::new();
    if let Some(wrong) = &field.wrong {
        said.push(format!("Not taken: {}", state.clean(wrong)));
    }
    let of = form.fields.len();
    let mut question = format!("Field {} of {of}, {}.", at + 1, field.spec.label);
    if !field.spec.doc.is_empty() {
        question.push_str(&format!(" {}.", field.spec.doc.trim_end_matches('.')));
    }
    match &field.spec.ty {
        FieldType::Flag => question.push_str(" Yes or no."),
        FieldType::Choice(words) => {
            let words: Vec<String> = words
                .iter()
                .enumerate()
                .map(|(i, word)| format!("{} {word}", i + 1))
                .collect();
            question.push_str(&format!(" One of: {}.", words.join(", ")));
        }
        FieldType::Object(_) => question.push_str(" Type a name; list reads all."),
        FieldType::Objects(_) => question.push_str(" list reads all to choose from."),
        _ => question.push_str(&format!(" {}.", page::capital(&field.limits()))),
    }
    let held = held(state, form, field);
    question.push_str(&match (held.is_empty(), field.spec.required) {
        (false, required) => {
            let empties = match (&field.holds, required) {
                (Holds::Line(input), false) if !input.value().is_empty() => "; - empties it",
                _ => "",
            };
            format!(" An empty line takes: {held}{empties}.")
        }
        (true, true) => " It must be given.".to_owned(),
        (true, false) => " An empty line leaves it out.".to_owned(),
    });
    if field.spec.secret {
        question.push_str(" What you type here is seen on this terminal.");
    }
    said.push(question);
    said
}

/// Every field with what it holds, at the end of a form.
pub(super) fn filled(state: &State, form: &Form) -> Vec<String> {
    let mut said = form
        .problem
        .as_ref()
        .map_or_else(Vec::new, |p| problem(state, p));
    for (i, field) in form.fields.iter().enumerate() {
        let held = held(state, form, field);
        let held = if held.is_empty() { "left out" } else { &held };
        said.push(format!("{}. {}: {held}", i + 1, field.spec.label));
        if let Some(wrong) = &field.wrong {
            said.push(format!("   Not taken: {}", state.clean(wrong)));
        }
    }
    said
}

/// What would be done, or what became of it.
pub(super) fn review(state: &State, review: &Review) -> Vec<String> {
    let said = match review.results {
        Some(_) => page::plan::results(state, review, WIDE),
        None => page::plan::plans(state, review, WIDE),
    };
    lines(&said)
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect()
}

/// A question with a safe answer.
pub(super) fn question(state: &State, question: &Question) -> Vec<String> {
    let lines = question.lines.iter().filter(|line| !line.is_empty());
    let mut said = vec![question.title.clone()];
    said.extend(lines.map(|line| state.clean(line).into_owned()));
    said
}

/// How a task stands, in one line.
pub(super) fn task(state: &State, task: &Task) -> String {
    let mut said = format!(
        "Task: {} {}: ",
        task.plan.operation.kind.verb(),
        state.clean(&task.plan.subject)
    );
    match &task.state {
        TaskState::Succeeded => {
            said.push_str(&format!("done in {}", rows::took(task)));
            let last = task.steps.iter().rev().find_map(|step| match &step.state {
                StepState::Done(outcome) if !outcome.message.is_empty() => Some(&outcome.message),
                _ => None,
            });
            if let Some(message) = last {
                said.push_str(&format!(", {}", state.clean(message)));
            }
        }
        TaskState::Queued | TaskState::Pending | TaskState::Running => {
            said.push_str(&rows::step_text(task, state));
            if let Some(progress) = task.progress() {
                let bar = plain(&rows::bar(progress, 1, state));
                for part in [bar, rows::rate(progress), rows::left(progress)] {
                    if !part.is_empty() {
                        said.push_str(&format!(", {}", part.trim()));
                    }
                }
            }
        }
        other => {
            // A reason may begin with what became of it.
            if !task.reason.starts_with(other.word()) {
                said.push_str(&state.clean(other.word()));
                if !task.reason.is_empty() {
                    said.push_str(", ");
                }
            }
            said.push_str(&state.clean(&task.reason));
            if matches!(other, TaskState::Failed | TaskState::Suspended) {
                said.push_str("; tasks reads what can be done");
            }
        }
    }
    text::clean(&said, state.ascii).into_owned()
}

/// Which part of how many.
pub(super) fn part(top: usize, page: usize, count: usize, what: &str) -> String {
    let what = if what.is_empty() {
        String::new()
    } else {
        format!("{what} ")
    };
    match count <= page {
        true => format!("{what}{count}"),
        false => format!(
            "{what}{} to {} of {count}",
            top + 1,
            (top + page).min(count)
        ),
    }
}
