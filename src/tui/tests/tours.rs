//! Walkthroughs: each is played to its end on a real store; a step is ticked by what was done, and by
//! nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use super::driver::{Driver, Start};
use super::fixtures::{capabilities, moment, task};
use crate::config::{Config, parse};
use crate::engine::BadBlocks;
use crate::model::{OperationKind, TaskId, TaskState, Time};
use crate::provider::embedded::demo_stage::Stage;
use crate::provider::embedded::{Embedded, Options, demo};
use crate::task::Tracker;
use crate::tui::actions::{ActionId, fire};
use crate::tui::event::{Effect, Event, Moment};
use crate::tui::key::Key;
use crate::tui::runtime::{House, Performer, Teller};
use crate::tui::state::{Beginning, Place, State, TabId};
use crate::tui::terminal::Features;
use crate::tui::tour::{Act, Press, Tick, Tour, Walk, Words};
use crate::tui::update::update;
use crate::tui::view::view;

fn tour(steps: &str) -> Tour {
    let head = "title = \"A tour\"\nteaches = \"something\"\nend = \"It is over.\"\n";
    Tour::parse("a-tour", &format!("{head}{steps}")).unwrap()
}

/// A console on a tour of these steps.
fn walking(steps: &str) -> Driver {
    walking_with(steps, None)
}

fn walking_with(steps: &str, speed: Option<f64>) -> Driver {
    let tour = tour(steps);
    let mut d = Driver::start(
        Start {
            size: (80, 24),
            tours: vec![tour.clone()],
            ..Start::default()
        },
        true,
    );
    Walk::begin(&mut d.state, Arc::new(tour), speed);
    // What setting out asks for is performed with the next event.
    d.event(Event::Deadline);
    d
}

fn walk(d: &Driver) -> &Walk {
    d.state.walk.as_ref().unwrap()
}

fn ticks(d: &Driver) -> &[Tick] {
    &walk(d).ticks
}

#[test]
fn every_tour_is_whole_at_80_columns_and_names_actions_that_are_there() {
    let all = Tour::all().unwrap();
    assert!(all.len() >= 5);
    for tour in all {
        let mut d = Driver::sized(80, 24);
        let count = tour.steps().len();
        assert!((5..=12).contains(&count), "{}", tour.name());
        for step in tour.steps() {
            let waits = !step.expect.is_empty();
            assert!(!waits || !step.play.is_empty(), "{}", step.title);
            for press in &step.play {
                if let Press::Do(id) = press {
                    assert_eq!(ActionId::named(&id.name()), Some(*id));
                }
            }
        }
        Walk::begin(&mut d.state, Arc::new(tour), None);
        for step in 0..=count {
            let words = Words::of(&d.state, 76).unwrap();
            let whole = words.lines.join(" ");
            assert!(!whole.contains('{') && !whole.contains('}'), "{whole}");
            let screen = d.screen();
            for line in &words.lines {
                assert!(screen.contains(line.as_str()), "{step}: {line}\n{screen}");
            }
            assert!(screen.contains(&words.title), "{}\n{screen}", words.title);
            fire(&mut d.state, ActionId::TourNext);
            let _ = d.state.take_effects();
        }
    }
}

#[test]
fn what_is_wrong_with_a_tour_is_told() {
    let head = "title = \"A\"\nteaches = \"b\"\nend = \"c\"\n";
    for (text, why) in [
        ("", "steps"),
        ("steps = []", "it has no steps"),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"press {dance}\"",
            "there is no action \"dance\"",
        ),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"s\"\nplay = [{ do = \"dance\" }]",
            "dance",
        ),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"s\"\nplay = [{ key = \"hyper\" }]",
            "hyper",
        ),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"s\"\nexpect = [{ view = \"moon\" }]",
            "moon",
        ),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"s\"\nexpect = [{ any = [] }]",
            "any of nothing",
        ),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"s\"\nexpect = [{ there = { kind = \"snapshot\", name = \"x\" } }]",
            "looked for by their tasks",
        ),
        (
            "[[steps]]\ntitle = \"t\"\nsay = \"s\"\nexpcet = []",
            "expcet",
        ),
    ] {
        let problem = Tour::parse("mine", &format!("{head}{text}")).unwrap_err();
        let said = problem.causes.join(" ");
        assert!(said.contains(why), "{why}: {said}");
    }
}

const VIEWS: &str = "
[[steps]]
title = \"groups\"
say = \"Go to {groups}.\"
expect = [{ view = \"groups\" }]
[[steps]]
title = \"two volumes\"
say = \"Mark two.\"
expect = [{ view = \"volumes\" }, { marked = [\"db01-data\", \"scratch\"] }]
[[steps]]
title = \"a form\"
say = \"Open it.\"
expect = [{ form = \"create-snapshot\" }]
";

#[test]
fn a_step_is_ticked_by_what_is_shown_and_marked_in_whatever_way() {
    let mut d = walking(VIEWS);
    assert!(d.screen().contains("Tour, 1 of 3: groups") && d.screen().contains("Go to <3>."));
    d.keys("2 4 1");
    assert_eq!(
        ticks(&d),
        [Tick::Open; 3],
        "other views are not what was asked for"
    );
    d.keys(":").typed("groups");
    d.keys("enter");
    assert_eq!(*d.place(), Place::Groups);
    assert_eq!(ticks(&d)[0], Tick::Done, "by its name instead of its key");
    assert!(d.screen().contains("done"), "{}", d.screen());
    d.wait(2_000);
    assert_eq!(walk(&d).step, 1, "{}", d.screen());
    // One that was not asked for, and one too few, are not it.
    d.keys("1 g space space");
    d.wait(2_000);
    assert_eq!(ticks(&d)[1], Tick::Open);
    d.keys("esc");
    let index = |d: &Driver, name: &str| {
        let at = d
            .screen()
            .lines()
            .position(|line| line.contains(name))
            .unwrap();
        at.to_string()
    };
    assert!(!index(&d, "scratch").is_empty());
    for name in ["db01-data", "scratch"] {
        d.keys("g");
        for _ in 0..20 {
            if d.selected() == name {
                break;
            }
            d.keys("j");
        }
        d.keys("space");
    }
    assert_eq!(ticks(&d)[1], Tick::Done, "{}", d.screen());
    // Faster than the words.
    d.keys("D");
    assert_eq!(ticks(&d)[2], Tick::Open, "another form is not it");
    d.wait(400);
    d.keys("esc esc");
    d.keys("S");
    assert_eq!(ticks(&d), [Tick::Done; 3], "{}", d.screen());
    d.wait(2_000);
    assert!(walk(&d).now().is_none());
    assert!(d.screen().contains("It is over."), "{}", d.screen());
}

const TASKS: &str = "
[[steps]]
title = \"a form\"
say = \"Open it.\"
expect = [{ form = \"restore\" }]
[[steps]]
title = \"a restore\"
say = \"Do it.\"
expect = [{ task = { kind = \"restore\", on = \"v-db01-data\", attempts = 1 } }]
";

#[test]
fn a_task_counts_that_was_begun_since_is_of_its_kind_and_ended_so() {
    let mut d = Driver::sized(80, 24);
    d.tasks([task(1, TaskState::Succeeded)]);
    Walk::begin(&mut d.state, Arc::new(tour(TASKS)), None);
    d.tasks([task(1, TaskState::Succeeded)]);
    assert_eq!(ticks(&d), [Tick::Open; 2], "that one was there before");
    d.tasks([task(2, TaskState::Failed), task(3, TaskState::Running)]);
    assert_eq!(ticks(&d), [Tick::Open; 2], "neither has succeeded");
    let mut other = task(4, TaskState::Succeeded);
    other.plan.operation.kind = OperationKind::Clone;
    let mut elsewhere = task(5, TaskState::Succeeded);
    elsewhere.plan.touches.clear();
    d.tasks([other, elsewhere]);
    assert_eq!(
        ticks(&d),
        [Tick::Open; 2],
        "another kind, and another volume"
    );
    d.tasks([task(3, TaskState::Succeeded)]);
    assert_eq!(
        ticks(&d),
        [Tick::Done; 2],
        "done without the form: in a way of one's own"
    );
}

#[test]
fn what_the_next_step_waits_for_and_was_so_before_says_nothing_of_this_one() {
    let steps = "[[steps]]\ntitle = \"groups\"\nsay = \"s\"\nexpect = [{ view = \"groups\" }]\n\
                 [[steps]]\ntitle = \"failed\"\nsay = \"s\"\nexpect = [{ task = { kind = \"restore\", state = \"failed\" } }]\n";
    let mut d = walking(&format!(
        "[[steps]]\ntitle = \"read\"\nsay = \"s\"\n{steps}"
    ));
    d.tasks([task(2, TaskState::Failed)]);
    d.keys("n");
    d.wait(5_000);
    assert_eq!(walk(&d).step, 1, "{:?}", ticks(&d));
    d.keys("3");
    assert_eq!(ticks(&d), [Tick::Done, Tick::Done, Tick::Open]);
    d.wait(1_600);
    assert_eq!(ticks(&d), [Tick::Done; 3]);
}

#[test]
fn what_was_undone_is_known_by_its_inverse() {
    let steps =
        "[[steps]]\ntitle = \"undo\"\nsay = \"s\"\nexpect = [{ undone = \"create-snapshot\" }]\n";
    let mut d = walking(steps);
    let inverse =
        crate::model::Operation::new(OperationKind::DeleteSnapshot).on_snapshot(&"s-new".into());
    let done = |number: u32, operation: &crate::model::Operation| {
        let mut task = task(number, TaskState::Succeeded);
        task.id = TaskId(format!("n{number}"));
        task.plan.operation = operation.clone();
        task
    };
    let made = crate::model::Operation::new(OperationKind::CreateSnapshot);
    let mut snapshot = done(1, &made);
    snapshot.plan.undo = crate::model::Undo::By {
        how: "delete it".into(),
        operation: Some(inverse.clone()),
    };
    let other =
        crate::model::Operation::new(OperationKind::DeleteSnapshot).on_snapshot(&"s-other".into());
    d.tasks([snapshot, done(2, &other)]);
    assert_eq!(ticks(&d), [Tick::Open], "another snapshot was deleted");
    d.tasks([done(3, &inverse)]);
    assert_eq!(ticks(&d), [Tick::Done]);
}

#[test]
fn the_panel_is_skipped_gone_back_in_hidden_and_left_by_keys_also_over_a_dialog() {
    let mut d = walking(VIEWS);
    d.keys("n");
    assert_eq!((walk(&d).step, ticks(&d)[0]), (1, Tick::Skipped));
    d.event(Event::Key(Key::f(4)));
    assert_eq!((walk(&d).step, ticks(&d)[0]), (0, Tick::Open));
    d.keys("S");
    assert_eq!(d.top(), "form");
    assert!(d.screen().contains("<F3> skip"), "{}", d.screen());
    d.keys("n");
    assert_eq!(walk(&d).step, 0, "a character goes into the form");
    d.event(Event::Key(Key::f(3)));
    assert_eq!((walk(&d).step, d.top()), (1, "form"));
    d.keys("esc v");
    assert!(!d.screen().contains("Tour, "));
    d.keys("v");
    assert!(d.screen().contains("Tour, 2 of 3"));
    d.event(Event::Key(Key::f(5)));
    assert!(d.state.walk.is_none() && !d.screen().contains("Tour, "));
    d.keys("V enter");
    assert!(d.screen().contains("Tour, 1 of 3"), "{}", d.screen());
    let (width, height) = (60, 10);
    d.event(Event::Resize(width, height));
    assert!(
        !d.screen().contains("Tour, "),
        "a low screen keeps its rows"
    );
}

#[test]
fn what_happens_in_the_estate_happens_once_and_is_mended_when_the_tour_is_left() {
    let steps = "[[steps]]\ntitle = \"one\"\nsay = \"s\"\n[[steps]]\ntitle = \"two\"\nsay = \"s\"\nstage = { spoil = \"db\" }\n\
                 [[steps]]\ntitle = \"three\"\nsay = \"s\"\n";
    let mut d = walking(steps);
    let acts = |d: &Driver| -> Vec<Act> {
        let acts = d.asked.iter().filter_map(|effect| match effect {
            Effect::Stage(_, act) => Some(act.clone()),
            _ => None,
        });
        acts.collect()
    };
    assert!(acts(&d).is_empty());
    d.keys("n");
    d.keys("n");
    d.event(Event::Key(Key::f(4)));
    assert_eq!(
        acts(&d),
        [Act::Spoil("db".into())],
        "once, however often it is come to"
    );
    d.event(Event::Key(Key::f(5)));
    assert_eq!(acts(&d), [Act::Spoil("db".into()), Act::Mend]);
}

const PLAYED: &str = "
[[steps]]
title = \"groups\"
say = \"Go to {groups}.\"
expect = [{ view = \"groups\" }]
play = [{ do = \"groups\" }]
[[steps]]
title = \"a row\"
say = \"Choose it.\"
expect = [{ view = \"volumes\" }, { selected = \"scratch\" }, { filtered = true }]
play = [{ do = \"volumes\" }, { row = \"scratch\" }, { do = \"filter\" }, { type = \"scra\" }, { key = \"enter\" }]
[[steps]]
title = \"read\"
say = \"Read this.\"
";

#[test]
fn a_tour_is_played_through_the_keymap_in_force() {
    for keys in ["", "[keys]\ngroups = \"ctrl-g\"\nvolumes = []\n"] {
        let mut d = Driver::sized(80, 24);
        let config: Config = parse(std::path::Path::new("c"), keys).unwrap();
        d.event(Event::Configured(Ok(Box::new(config))));
        Walk::begin(&mut d.state, Arc::new(tour(PLAYED)), Some(1.0));
        d.event(Event::Deadline);
        assert_eq!(d.screen().contains("<ctrl-g>"), !keys.is_empty());
        assert!(d.screen().contains("any key of yours stops it"));
        d.wait(60_000);
        assert_eq!(ticks(&d), [Tick::Done; 3], "{}", d.screen());
        assert!(walk(&d).now().is_none() && walk(&d).play.is_none());
        assert!(d.screen().contains("It is over."));
    }
}

#[test]
fn any_key_stops_it_and_does_nothing_else() {
    let mut d = walking_with(PLAYED, Some(1.0));
    d.keys("D");
    assert!(walk(&d).play.is_none() && d.state.overlays.is_empty());
    assert!(d.screen().contains("the keys are yours"));
    d.wait(60_000);
    assert_eq!(walk(&d).step, 0, "nobody presses anything any more");
    d.keys("3");
    assert_eq!(ticks(&d)[0], Tick::Done);
}

#[test]
fn a_tour_that_cannot_go_on_says_so() {
    let steps = "[[steps]]\ntitle = \"never\"\nsay = \"s\"\nexpect = [{ view = \"log\" }]\nplay = [{ row = \"nowhere\" }]\n";
    let mut d = walking_with(steps, Some(1.0));
    d.wait(120_000);
    assert!(walk(&d).play.is_none());
    let said = d.state.messages.get(d.state.messages.next - 1).unwrap();
    assert!(said.problem.what.contains("stands still at \"never\""));
}

/// A console on a real store, without a terminal.
struct Console {
    state: State,
    performer: Performer,
    events: mpsc::Receiver<Event>,
    started: Instant,
}

impl Console {
    fn tell(&mut self, event: Event) {
        let at = Moment {
            wall: Time::now(),
            clock: self.started.elapsed(),
        };
        for effect in update(&mut self.state, at, event) {
            assert_ne!(effect, Effect::Quit);
            self.performer.perform(effect);
        }
    }

    fn screen(&self) -> String {
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view(&self.state, &mut buffer);
        let row = |y| {
            (0..width)
                .map(|x| buffer[(x, y)].symbol())
                .collect::<String>()
        };
        (0..height).map(|y| row(y) + "\n").collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tour_is_played_to_its_end_on_a_real_store() {
    let dir = tempfile::tempdir().unwrap();
    let bad = BadBlocks::default();
    let embedded = tokio::task::block_in_place(|| {
        let hasty = Options {
            create: true,
            hasty: true,
            ..Options::default()
        };
        let made = Embedded::open(dir.path(), &hasty).unwrap();
        demo::seed(made.store(), 12, Time::now(), &|_, _| {}).unwrap();
        made.close().unwrap();
        let spoilable = Options {
            bad_blocks: Some(bad.clone()),
            ..Options::default()
        };
        Embedded::open(dir.path(), &spoilable).unwrap()
    });
    let tracker = Tracker::open(&embedded.connection, &embedded.journal, "console").unwrap();
    let stage = Stage::new(embedded.store(), bad.clone());
    let act = move |act: &Act| {
        match act {
            Act::Write(name) => drop(stage.write(name)?),
            Act::Spoil(name) => stage.spoil(name)?,
            Act::Mend => stage.mend(),
        }
        Ok("it has happened".to_owned())
    };
    let (sender, events) = mpsc::channel(64);
    let beginning = Beginning {
        profile: "demo".into(),
        system: embedded.connection.reader.capabilities().clone(),
        read_only: None,
        features: Features::find(&|_| None),
        config: Config::default(),
        perf: false,
        tasks: Vec::new(),
        welcome: None,
        kept: Default::default(),
        size: (80, 24),
        now: moment(0),
        tours: Tour::all().unwrap(),
        no_tours: None,
        begin: None,
        site: Default::default(),
        opening: false,
        beside: Vec::new(),
        listed: Vec::new(),
    };
    let connection = embedded.connection.clone();
    let teller = Teller::new(TabId::default(), sender);
    let stage: crate::tui::Stage = Arc::new(act);
    let mut console = Console {
        state: State::new(beginning),
        performer: Performer::new(
            connection,
            tracker.clone(),
            true,
            teller,
            House::default(),
            None,
        )
        .with_stage(Some(stage)),
        events,
        started: Instant::now(),
    };
    console.performer.watch();
    let mut tasks = Box::pin(tracker.updates());
    let mut before = (0, 0);
    for tour in console.state.tours.clone() {
        let name = tour.name().to_owned();
        Walk::begin(&mut console.state, tour, Some(100.0));
        console.tell(Event::Tasks(tracker.tasks()));
        let begun = Instant::now();
        while console
            .state
            .walk
            .as_ref()
            .is_some_and(|w| w.now().is_some())
        {
            let playing = console
                .state
                .walk
                .as_ref()
                .is_some_and(|w| w.play.is_some());
            let screen = || console.screen();
            assert!(
                playing && begun.elapsed() < Duration::from_secs(180),
                "{name}\n{}",
                screen()
            );
            let due = console.started + console.state.deadline().unwrap();
            tokio::select! {
                Some(batch) = tasks.next() => console.tell(Event::Tasks(batch)),
                Some(event) = console.events.recv() => match event {
                    Event::Tab(_, event) => console.tell(*event),
                    event => console.tell(event),
                },
                () = tokio::time::sleep_until(due.into()) => console.tell(Event::Deadline),
            }
        }
        let walk = console.state.walk.as_ref().unwrap();
        let done = walk.ticks.iter().all(|tick| *tick == Tick::Done);
        assert!(done, "{name}: {:?}\n{}", walk.ticks, console.screen());
        assert!(
            console.state.overlays.is_empty(),
            "{name}\n{}",
            console.screen()
        );
        assert!(bad.is_empty(), "{name} leaves the medium as it was");
        // Nothing of it was passed over: all that it is about was done, and nothing else.
        let count = |failed: bool| {
            let tasks = tracker.tasks().into_iter();
            tasks
                .filter(|t| (t.state == TaskState::Failed) == failed)
                .count()
        };
        let now = (count(false), count(true));
        let new = (now.0 - before.0, now.1 - before.1);
        let want = match name.as_str() {
            "first-look" => (0, 0),
            "bad-upgrade" | "one-moment" => (3, 0),
            "failed-restore" => (3, 1),
            "linked-targets" => (4, 0),
            other => panic!("what is done on {other} is not known here"),
        };
        assert_eq!(new, want, "{name}: others than failed, failed");
        before = now;
    }
    tracker.close().await;
    drop(console);
    drop(tasks);
}

#[test]
fn a_console_without_tours_says_why() {
    let mut d = Driver::on(capabilities(), Start::default(), true);
    d.keys("V");
    assert!(d.state.overlays.is_empty());
    assert!(
        d.screen().contains("`snapdeck demo` has them"),
        "{}",
        d.screen()
    );
}
