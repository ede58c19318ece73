//! What goes into a support bundle, each as a text that names nobody.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Places;
use super::scrub::Scrubber;
use crate::config::{Config, Fault};
use crate::model::{Step, StepState, Task, Value};
use crate::task::Journal;

/// The tasks, the crash files and the lines of the log that are taken, the newest of each.
const TASKS: usize = 200;
const CRASHES: usize = 3;
const LINES: usize = 1_000;

/// One file of the bundle.
#[derive(Debug)]
pub(super) struct Item {
    /// Its name in the bundle.
    pub(super) name: String,
    /// What it is, in a few words.
    pub(super) about: &'static str,
    /// What is in it.
    pub(super) text: String,
}

/// Everything that goes in, and what was left out and why.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) items: Vec<Item>,
    pub(super) withheld: Vec<(String, &'static str)>,
}

impl Gathered {
    fn add(&mut self, name: impl Into<String>, about: &'static str, text: String) {
        let name = name.into();
        self.items.push(Item { name, about, text });
    }

    fn withhold(&mut self, what: impl Into<String>, why: &'static str) {
        self.withheld.push((what.into(), why));
    }
}

/// Takes everything together. Nothing is opened that a console may have open, and nothing is changed.
pub(super) fn gather(
    config: &Result<Config, Vec<Fault>>,
    places: &Places,
    terminal: String,
) -> Gathered {
    let mut gathered = Gathered::default();
    let mut scrubber = Scrubber::default();
    let people = people(places);
    for (text, stand_in) in &people {
        scrubber.withhold(text, stand_in);
    }
    let tasks = tasks(places, &mut gathered);
    for (name, kind) in &places.names {
        scrubber.withhold_name(name, kind);
    }
    for task in &tasks {
        names(task, &mut scrubber);
    }
    gathered.add(
        "program.txt",
        "the program and the machine's kind",
        program(),
    );
    gathered.add("terminal.txt", "what the terminal is taken for", terminal);
    let said = settings(config, &mut gathered);
    gathered.add("settings.json", "what is set", scrubber.scrub(&said));
    gathered.add(
        "store.txt",
        "the files of the store and their sizes",
        files(&places.store),
    );
    let told: String = tasks
        .iter()
        .rev()
        .take(TASKS)
        .map(|t| told(t, &mut scrubber))
        .collect();
    gathered.add("tasks.txt", "the newest tasks, step by step", told);
    crashes(places, &mut scrubber, &mut gathered);
    if let Ok(config) = config
        && let Some(file) = &config.settings.log.file
        && let Ok(text) = std::fs::read_to_string(file)
    {
        let lines: Vec<_> = text.lines().collect();
        let newest = lines[lines.len().saturating_sub(LINES)..].join("\n");
        gathered.add(
            "log.txt",
            "the newest lines of the log",
            scrubber.scrub(&newest),
        );
    }
    gathered.withhold(
        "user, host and home folder",
        "they name you and your machine; (user), (host) and ~ stand for them",
    );
    let count = scrubber.names();
    gathered.withhold(
        format!("{count} names of volumes, snapshots, instances and accounts"),
        "names tell whose data it is; name-1, name-2 and so on stand for them, always the same for the same",
    );
    for kind in scrubber.patterns() {
        gathered.withhold(kind, "whatever looked like one was taken out");
    }
    gathered.withhold("descriptions and metadata", "they are yours to tell");
    gathered.withhold("all data of volumes and snapshots", "it is yours");
    gathered.withhold(
        "the environment, but for what says what the terminal is",
        "secrets are kept there",
    );
    gathered.withhold(
        "recordings and pictures of the screen",
        "they show everything; send one yourself where it helps",
    );
    gathered
}

/// What names the user and the machine, and what stands for it.
fn people(places: &Places) -> Vec<(String, String)> {
    let mut people = Vec::new();
    let mut add = |text: &str, stand_in: &str| {
        // The name of the administrator's account tells nothing, and is a word of its own.
        if text.len() > 1 && !["root", "/", "/root"].contains(&text) {
            people.push((text.to_owned(), stand_in.to_owned()));
        }
    };
    if let Some(home) = &places.home {
        add(&home.to_string_lossy(), "~");
        if let Some(last) = home.file_name() {
            add(&last.to_string_lossy(), "(user)");
        }
    }
    for name in ["USER", "LOGNAME", "SUDO_USER"] {
        if let Ok(user) = std::env::var(name) {
            add(&user, "(user)");
        }
    }
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    if let Some((first, _)) = host.split_once('.') {
        add(first, "(host)");
    }
    add(&host, "(host)");
    add(&places.store.to_string_lossy(), "(store)");
    people
}

fn program() -> String {
    let system = rustix::system::uname();
    format!(
        "snapdeck {}, {}\n{} {} {}\n{} processors\n",
        env!("CARGO_PKG_VERSION"),
        if cfg!(debug_assertions) {
            "built for finding faults"
        } else {
            "built for use"
        },
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        system.machine().to_string_lossy(),
        std::thread::available_parallelism().map_or(0, usize::from),
    )
}

fn settings(config: &Result<Config, Vec<Fault>>, gathered: &mut Gathered) -> String {
    let config = match config {
        Ok(config) => config,
        Err(faults) => {
            let mut text = String::from("the configuration is not sound:\n");
            for fault in faults {
                let name = fault.file.file_name().unwrap_or_default().to_string_lossy();
                // Without what stands in the file itself, which may be anything.
                let _ = writeln!(text, "{name}:{}: a fault", fault.line);
            }
            gathered.withhold(
                "what the configuration says where it is not sound",
                "it may be anything",
            );
            return text;
        }
    };
    let mut settings = config.settings.clone();
    if !settings.profiles.is_empty() {
        gathered.withhold(
            format!(
                "the {} profiles of the configuration",
                settings.profiles.len()
            ),
            "they name systems and people",
        );
        settings.profiles.clear();
    }
    for name in &mut settings.open_tabs {
        "(profile)".clone_into(name);
    }
    for path in [&mut settings.store, &mut settings.log.file]
        .into_iter()
        .flatten()
    {
        *path = PathBuf::from("(path)");
    }
    // A theme of the user's own has whatever name it has.
    if !crate::config::Theme::built_in()
        .iter()
        .any(|t| t.name == settings.theme)
        && settings.theme != "auto"
    {
        "(one of your own)".clone_into(&mut settings.theme);
    }
    serde_json::to_string_pretty(&settings).unwrap_or_default() + "\n"
}

fn files(store: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(store) else {
        return "there is no store, or it cannot be read\n".to_owned();
    };
    let mut lines: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            let room = std::os::unix::fs::MetadataExt::blocks(&data) * 512;
            let name = entry.file_name();
            Some(format!(
                "{:>16} {room:>16}  {}\n",
                data.len(),
                name.to_string_lossy()
            ))
        })
        .collect();
    lines.sort();
    format!(
        "{:>16} {:>16}  file\n{}",
        "bytes",
        "on the disk",
        lines.concat()
    )
}

/// The tasks of the journal, in the order in which they were made.
fn tasks(places: &Places, gathered: &mut Gathered) -> Vec<Task> {
    match Journal::look(&places.journal) {
        Ok((_, loaded)) => {
            let mut tasks: Vec<Task> = loaded.tasks.into_values().collect();
            tasks.sort_by_key(|task| task.created);
            tasks
        }
        Err(_) => {
            gathered.withhold("the tasks", "the journal cannot be read");
            Vec::new()
        }
    }
}

/// Takes in every name that a task knows.
fn names(task: &Task, scrubber: &mut Scrubber) {
    let plan = &task.plan;
    scrubber.withhold_name(&plan.subject, "name");
    for touched in &plan.touches {
        scrubber.withhold_name(&touched.name, "name");
        // A snapshot is called by its volume and its own name.
        for part in touched.name.split('@') {
            scrubber.withhold_name(part, "name");
        }
    }
    for value in plan.operation.values.values() {
        if let Value::Text(text) = value {
            scrubber.withhold_name(text, "name");
        }
    }
}

fn told(task: &Task, scrubber: &mut Scrubber) -> String {
    let mut text = format!(
        "{} {} {} begun {}{}\n",
        task.id,
        task.plan.operation.kind,
        task.state,
        task.created,
        task.ended
            .map_or_else(String::new, |at| format!(" ended {at}")),
    );
    if !task.reason.is_empty() {
        let _ = writeln!(text, "  because {}", scrubber.scrub(&task.reason));
    }
    for (step, planned) in task.steps.iter().zip(&task.plan.steps) {
        let _ = writeln!(text, "  {} {}", planned.name, step_told(step, scrubber));
    }
    text
}

fn step_told(step: &Step, scrubber: &mut Scrubber) -> String {
    let mut said = match &step.state {
        StepState::Waiting => "waiting".to_owned(),
        StepState::Running => "running".to_owned(),
        StepState::Done(_) => "done".to_owned(),
        StepState::Failed(problem) => {
            format!(
                "failed ({:?}): {}",
                problem.kind,
                scrubber.scrub(&problem.to_string())
            )
        }
    };
    if let (Some(from), Some(to)) = (step.started, step.ended) {
        let ms = to.as_millisecond() - from.as_millisecond();
        let _ = write!(said, ", {ms} ms");
    }
    if step.attempts > 1 {
        let _ = write!(said, ", {} attempts", step.attempts);
    }
    said
}

/// The newest crash files; what was typed is left out.
fn crashes(places: &Places, scrubber: &mut Scrubber, gathered: &mut Gathered) {
    let Some(state) = &places.state else { return };
    let Ok(entries) = std::fs::read_dir(state.join("crashes")) else {
        return;
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files.iter().rev().take(CRASHES) {
        let (Ok(text), Some(name)) = (std::fs::read_to_string(file), file.file_name()) else {
            continue;
        };
        let name = format!("crashes/{}", name.to_string_lossy());
        let text = scrubber.scrub(&without_typing(&text));
        gathered.add(name, "what happened before a fault of the program", text);
    }
    if !files.is_empty() {
        gathered.withhold(
            "what was typed and told before a crash",
            "a name or a word may be in it",
        );
    }
}

/// Leaves out which characters were typed, and what was said to the user, which may name anything.
fn without_typing(text: &str) -> String {
    let lines = text.lines().map(|line| {
        if let Some((at, key)) = line.split_once("  key ")
            && key.chars().count() == 1
        {
            return format!("{at}  key (a character)\n");
        }
        let said = ["  fault: ", "  told: "];
        let cut = said
            .iter()
            .find_map(|said| line.split_once(said).map(|(at, _)| (at, said)));
        match cut {
            Some((at, said)) => format!("{at}{said}(a message)\n"),
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_left_out_of_a_crash_file() {
        let text = "   1.000 s  key s\n   1.100 s  key enter\n   1.200 s  fault: anna has it\n";
        assert_eq!(
            without_typing(text),
            "   1.000 s  key (a character)\n   1.100 s  key enter\n   1.200 s  fault: (a message)\n"
        );
    }
}
