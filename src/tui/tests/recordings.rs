//! What is recorded is played again as it was, and holds no secret.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::driver::{Driver, Start, some_tasks};
use super::fixtures::capabilities;
use super::random::{act, perform};
use crate::model::{FieldSpec, FieldType, OperationKind};
use crate::tui::event::{Event, PictureForm};
use crate::tui::record::{Export, Player, Recorder, Recording, export};

/// A console that is recorded, the folder of the recording, and its path.
fn recorded(mut d: Driver) -> (Driver, tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording");
    d.recorder = Some(Recorder::start(&d.beginning, Some(&path)).unwrap());
    // What happened before, as at the start.
    d.event(Event::Tasks(Vec::new()));
    (d, dir, path)
}

fn fresh() -> (Driver, tempfile::TempDir, PathBuf) {
    recorded(Driver::unbegun(Driver::start(Start::default(), true)))
}

fn played(path: &Path) -> Player {
    let mut player = Player::new(Arc::new(Recording::read(path).unwrap()));
    player.seek(Duration::MAX);
    player
}

fn journey(d: &mut Driver) {
    d.tasks(some_tasks());
    d.keys("j enter");
    d.wait(500);
    d.keys("esc /").typed("web");
    d.keys("enter c").typed("a-new-one");
    d.event(Event::Resize(90, 30));
    d.keys("esc F9 esc 3 j enter");
}

#[test]
fn it_is_played_as_it_was() {
    let (mut d, _dir, path) = fresh();
    journey(&mut d);
    let live = d.frame().0;
    d.recorder = None;
    let mut player = played(&path);
    assert_eq!(player.frame().0, live);
    assert_eq!(player.state().screen().place, *d.place());

    // Back and forth it is the same again.
    let length = player.length();
    player.seek(length / 2);
    let middle = player.frame().0;
    player.go(0);
    assert_eq!(player.done(), 0);
    while player.due().is_some_and(|due| due <= length / 2) {
        assert!(player.step());
    }
    assert_eq!(player.frame().0, middle);
    player.seek(Duration::MAX);
    assert_eq!(player.frame().0, live);
    assert!(!player.step());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_is_played_as_it_was(
        acts in prop::collection::vec(act(), 1..40),
        cut in 0.0..1.0f64,
    ) {
        let (mut d, _dir, path) = fresh();
        for act in &acts {
            perform(&mut d, act);
        }
        let live = d.frame().0;
        d.recorder = None;
        prop_assert_eq!(played(&path).frame().0, live);

        // Cut anywhere behind its first line, it is played as far as it goes.
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        let left = first + ((whole.len() - first) as f64 * cut) as usize;
        std::fs::write(&path, &whole[..left]).unwrap();
        let read = Recording::read(&path).unwrap();
        let lines = whole[..left].iter().filter(|b| **b == b'\n').count() - 1;
        prop_assert!(read.entries.len() == lines || read.entries.len() == lines + 1);
        let mut player = Player::new(Arc::new(read));
        player.seek(Duration::MAX);
        player.frame();
    }
}

#[test]
fn what_is_typed_into_a_secret_field_is_in_no_recording_and_on_no_screen() {
    let mut system = capabilities();
    let spec = system
        .operations
        .iter_mut()
        .find(|spec| spec.kind == OperationKind::CreateVolume)
        .unwrap();
    let ty = FieldType::Text { max: 40 };
    spec.fields = vec![
        FieldSpec::required("name", "Name", FieldType::Name { max: 40 }, ""),
        FieldSpec::required("key", "Key", ty, "").secret(),
    ];
    let d = Driver::on(system, Start::default(), true);
    let (mut d, _dir, path) = recorded(Driver::unbegun(d));
    d.keys("c").typed("plainly");
    d.keys("tab").typed("hunter2");
    d.event(Event::Paste("correct horse".to_owned()));
    let screen = d.screen();
    assert!(screen.contains("plainly"), "{screen}");
    assert!(screen.contains(&"*".repeat(20)), "{screen}");
    d.keys("F2");
    d.wait(400);
    assert_eq!(d.top(), "review");
    let live = d.frame().0;
    d.recorder = None;
    let written = std::fs::read_to_string(&path).unwrap();
    for secret in [
        "hunter2",
        "correct",
        "horse",
        "\"key\":\"h\"",
        "\"key\":\"u\"",
    ] {
        assert!(!written.contains(secret), "{secret} was recorded");
    }
    // It is no less true for it.
    assert!(written.contains("(withheld)"));
    assert_eq!(played(&path).frame().0, live);
}

#[test]
fn what_is_no_recording_or_a_damaged_one_says_where() {
    let (mut d, dir, path) = fresh();
    journey(&mut d);
    d.recorder = None;
    let good = std::fs::read_to_string(&path).unwrap();
    let bad = dir.path().join("bad");
    let why = |text: &str| {
        std::fs::write(&bad, text).unwrap();
        let problem = Recording::read(&bad).unwrap_err();
        problem.to_string()
    };
    assert!(why("").contains("is empty") || why("").contains("no recording"));
    assert!(why("{}\n").contains("does not say that it is one"));
    assert!(why("no json\n").contains("is no recording"));
    let newer = good.replacen("\"snapdeck-recording\":1", "\"snapdeck-recording\":2", 1);
    assert!(why(&newer).contains("form 2, and this program reads 1"));
    let mut lines: Vec<&str> = good.lines().collect();
    lines[4] = "{\"at\":[1,";
    assert!(why(&lines.join("\n")).contains("damaged at line 5"));
    let large = good.replace("{\"resize\":[90,30]}", "{\"resize\":[65535,65535]}");
    assert!(why(&large).contains("no terminal has 65535x65535"));
    assert!(
        Recorder::start(&d.beginning, Some(&path)).is_err(),
        "it is written over"
    );
}

#[test]
fn an_asciicast_leads_to_the_same_screen() {
    let (mut d, _dir, path) = fresh();
    journey(&mut d);
    let last = d.screen();
    d.recorder = None;
    let pause = Some(Duration::from_millis(100));
    let cast = export(&path, Export::Cast { speed: 2.0, pause }, None).unwrap();
    let mut lines = cast.lines();
    let header: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(
        (&header["version"], &header["width"]),
        (&2.into(), &120.into())
    );
    let cells = |n: u16| std::num::NonZero::new(n).unwrap();
    let mut parser = vt100::Parser::new(cells(36), cells(120), 0);
    let mut before = 0.0;
    for line in lines {
        let (at, kind, said): (f64, String, String) = serde_json::from_str(line).unwrap();
        assert!(at >= before && at - before <= 0.051, "{at} after {before}");
        before = at;
        match kind.as_str() {
            "o" => parser.process(said.as_bytes()),
            "r" => {
                assert_eq!(said, "90x30");
                parser.screen_mut().set_size(cells(30), cells(90));
            }
            other => panic!("{other}"),
        }
    }
    let shown = parser.screen().contents();
    for (shown, said) in shown.lines().zip(last.lines()) {
        assert_eq!(shown.trim_end(), said);
    }
    let text = export(&path, Export::Picture(PictureForm::Text), None).unwrap();
    assert_eq!(text, last);
}
