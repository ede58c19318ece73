//! Several systems side by side: each tab by itself, none held up by another, and nothing out of sight.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::driver::{Driver, Start, key, some_tasks};
use super::fixtures::{capabilities, moment, task};
use crate::config::Config;
use crate::model::{Problem, ProblemKind, TaskState};
use crate::tui::event::{Answer, Effect, Event, Opened};
use crate::tui::key::Key;
use crate::tui::overlay::Overlay;
use crate::tui::record::{Player, Recorder, Recording};
use crate::tui::state::{Beginning, Place, Stage, State, TabId};
use crate::tui::tabs::{Asked, Tabs};
use crate::tui::view::{Hit, Scene, view};
use crate::tui::{Listed, Site};

fn profile(name: &str) -> Site {
    Site::Profile(name.to_owned())
}

fn listed(site: Site, name: &str) -> Listed {
    Listed {
        system: if site == Site::Store {
            "embedded"
        } else {
            "cloud"
        }
        .to_owned(),
        address: Some(format!("https://{name}.example.org:5000/v3")),
        read_only: name == "prod",
        name: name.to_owned(),
        site,
    }
}

/// The store, and two clouds.
fn all() -> Vec<Listed> {
    vec![
        listed(Site::Store, "store"),
        listed(profile("lab"), "lab"),
        listed(profile("prod"), "prod"),
    ]
}

/// A console with tabs. What is asked of a tab is answered from its estate, unless it is silent.
struct Console {
    tabs: Tabs,
    ms: u64,
    /// What was asked, of which tab.
    asked: Asked,
    /// Each has a driver of its own for its answers.
    estate: Driver,
    silent: Vec<TabId>,
    recorder: Option<Recorder>,
    quits: bool,
}

impl Console {
    fn new(size: (u16, u16)) -> Self {
        Self::of(Beginning {
            listed: all(),
            ..beginning(size)
        })
    }

    fn of(beginning: Beginning) -> Self {
        let (tabs, asked) = Tabs::new(beginning);
        let mut console = Self {
            tabs,
            ms: 0,
            asked,
            estate: Driver::new(),
            silent: Vec::new(),
            recorder: None,
            quits: false,
        };
        console.event(Event::Tab(TabId(0), Box::new(Event::Tasks(Vec::new()))));
        console.answer_all(console.asked.clone());
        console
    }

    fn event(&mut self, event: Event) {
        self.ms += 1;
        let at = moment(self.ms);
        if let Some(recorder) = &self.recorder {
            recorder.keep(self.tabs.present(), at, &event);
        }
        let asked = self.tabs.update(at, event);
        self.asked.extend(asked.iter().cloned());
        self.answer_all(asked);
    }

    fn answer_all(&mut self, asked: Asked) {
        for (tab, effect) in asked {
            self.quits |= effect == Effect::Quit;
            if !self.silent.contains(&tab) {
                self.answer(tab, &effect);
            }
        }
    }

    /// Answers for one tab, as the estate of the driver has it.
    fn answer(&mut self, tab: TabId, effect: &Effect) {
        let before = self.estate.state.take_effects();
        assert_eq!(before, []);
        for event in self.estate.answers_to(effect) {
            self.tell(tab, event);
        }
    }

    fn tell(&mut self, tab: TabId, event: Event) {
        self.event(Event::Tab(tab, Box::new(event)));
    }

    fn keys(&mut self, keys: &str) -> &mut Self {
        for name in keys.split_whitespace() {
            self.event(Event::Key(key(name)));
        }
        self
    }

    fn typed(&mut self, text: &str) {
        for c in text.chars() {
            self.event(Event::Key(Key::char(c)));
        }
    }

    /// Lets time pass, as the runtime does.
    fn wait(&mut self, ms: u64) {
        let until = self.ms + ms;
        while let Some(due) = self.tabs.deadline() {
            let due = (due.as_millis() as u64).max(self.ms + 1);
            if due > until {
                break;
            }
            self.ms = due - 1;
            self.event(Event::Deadline);
        }
        self.ms = until;
    }

    fn here(&self) -> &State {
        self.tabs.present()
    }

    fn place(&self) -> &Place {
        &self.here().screen().place
    }

    fn frame(&self) -> (Buffer, Scene) {
        let (width, height) = self.here().size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let scene = view(self.here(), &mut buffer);
        (buffer, scene)
    }

    fn screen(&self) -> String {
        let (buffer, _) = self.frame();
        let area = buffer.area;
        let row = |y| {
            let row: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
            row.trim_end().to_owned() + "\n"
        };
        (0..area.height).map(row).collect()
    }

    fn line(&self, n: usize) -> String {
        self.screen().lines().nth(n).unwrap_or_default().to_owned()
    }

    /// Opens a profile, and leaves it being opened.
    fn begin(&mut self, name: &str) -> TabId {
        self.keys(":").typed(&format!("open {name}"));
        self.keys("enter");
        let id = self.here().id;
        let site = profile(name);
        assert!(
            self.asked.contains(&(id, Effect::Open(site.clone()))),
            "{name}"
        );
        assert_eq!(self.here().site, site);
        id
    }

    /// The system of a tab is there.
    fn open(&mut self, tab: TabId) {
        let name = self.tabs.get(tab).unwrap().profile.clone();
        self.tell(tab, Event::Opened(Box::new(opened(&name, Vec::new()))));
    }

    fn fail(&mut self, tab: TabId) {
        self.tell(tab, Event::NotOpened(refused()));
    }
}

fn refused() -> Problem {
    Problem::new(ProblemKind::Auth, "signing in at https://prod failed")
        .because("401: the request you have made requires authentication")
        .hint("look at user, domain, project and secret")
}

fn opened(name: &str, tasks: Vec<crate::model::Task>) -> Opened {
    Opened {
        profile: name.to_owned(),
        system: capabilities(),
        read_only: None,
        tasks: tasks.into_iter().map(Arc::new).collect(),
    }
}

fn beginning(size: (u16, u16)) -> Beginning {
    let start = Start {
        size,
        ..Start::default()
    };
    Beginning {
        profile: "store".to_owned(),
        ..Driver::start(start, true).beginning
    }
}

/// The store, a cloud that is open with a task, one that is being opened, and one that failed.
fn crowd(size: (u16, u16)) -> Console {
    let mut listed_all = all();
    listed_all.push(listed(profile("old-frankfurt"), "old-frankfurt"));
    let mut c = Console::of(Beginning {
        listed: listed_all,
        ..beginning(size)
    });
    let lab = c.begin("lab");
    c.open(lab);
    c.tell(
        lab,
        Event::Tasks(vec![Arc::new(task(3, TaskState::Running))]),
    );
    let prod = c.begin("prod");
    c.fail(prod);
    c.begin("old-frankfurt");
    c.keys("alt-1");
    c.wait(7_200);
    c
}

#[test]
fn frames_of_several_tabs() {
    for (cols, rows) in [(80, 24), (120, 36), (200, 60)] {
        let mut c = crowd((cols, rows));
        let size = format!("{cols}x{rows}");
        insta::assert_snapshot!(format!("tabs_store_{size}"), c.screen());
        c.keys("p");
        insta::assert_snapshot!(format!("tabs_profiles_{size}"), c.screen());
        c.keys("alt-3");
        insta::assert_snapshot!(format!("tabs_failed_{size}"), c.screen());
        c.keys("alt-4");
        insta::assert_snapshot!(format!("tabs_opening_{size}"), c.screen());
        c.keys("alt-2");
        insta::assert_snapshot!(format!("tabs_lab_{size}"), c.screen());
    }
}

#[test]
fn no_line_is_lost_where_there_is_one_tab_and_it_never_breaks() {
    let mut c = Console::new((120, 36));
    assert!(c.line(0).contains("snapdeck  store"), "{}", c.screen());
    c.begin("lab");
    assert!(c.line(0).contains("1 store") && c.line(1).contains("snapdeck"));
    for width in [40, 41, 60, 80, 100, 120] {
        for height in [8, 11, 13, 14, 15, 24] {
            let mut c = crowd((width, height));
            for keys in ["", "alt-2", "alt-3", "alt-4", "p"] {
                c.keys(keys);
                let first = c.line(0);
                assert_eq!(
                    first.contains("snapdeck") && width >= 60,
                    height < 14 && width >= 60
                );
                assert_eq!(c.screen().lines().count(), usize::from(height));
            }
        }
    }
    // What has no room is behind a mark, and the one in hand is always seen.
    let mut c = crowd((44, 20));
    for (keys, name) in [("alt-1", "store"), ("alt-2", "lab"), ("alt-4", "old-")] {
        c.keys(keys);
        assert!(c.line(0).contains(name), "{}", c.line(0));
        assert!(c.line(0).contains('…'), "{}", c.line(0));
    }
}

#[test]
fn each_tab_keeps_its_own_place_filter_marks_and_sort() {
    let mut c = Console::new((120, 36));
    c.keys("j space / d enter");
    let lab = c.begin("lab");
    assert_eq!(*c.place(), Place::Opening);
    c.open(lab);
    assert_eq!(*c.place(), Place::Volumes);
    assert!(c.here().screen().filter.is_empty() && c.here().screen().marks.is_empty());
    c.keys("G enter");
    assert!(matches!(c.place(), Place::Tree(_)));
    c.keys("alt-1");
    let screen = c.here().screen();
    assert_eq!((screen.filter.as_str(), screen.marks.len()), ("d", 1));
    c.keys("}");
    assert!(matches!(c.place(), Place::Tree(_)));
    c.keys("}");
    assert_eq!(c.here().id, TabId(0));
    c.keys("{");
    assert_eq!(c.here().id, lab);
    // What is chosen holds for all of them.
    c.keys("F7");
    c.keys(":").typed("theme light");
    c.keys("enter alt-1");
    assert_eq!(c.here().theme.name, "light");
    assert!(c.here().cost.is_some());
}

#[test]
fn a_tab_that_hangs_holds_up_no_key_and_is_given_up_with_esc() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    assert!(
        !c.screen().contains("opening"),
        "nothing is said before it is worth a word"
    );
    c.wait(200);
    assert!(c.screen().contains("opening lab"), "{}", c.screen());
    c.wait(3_000);
    assert!(
        c.screen().contains("opening lab, since 3s"),
        "{}",
        c.screen()
    );
    c.keys("alt-1 j enter");
    assert!(matches!(c.place(), Place::Tree(_)));
    assert!(c.line(0).contains("lab ◐ opening 3s"), "{}", c.line(0));
    c.keys("alt-2 esc");
    assert_eq!(c.here().id, TabId(0));
    assert!(c.asked.contains(&(lab, Effect::Close)));
    assert!(c.line(0).contains("snapdeck"));
    // What comes late comes to nothing.
    let before = c.screen();
    c.tell(lab, Event::Opened(Box::new(opened("lab", Vec::new()))));
    c.tell(lab, Event::Fault(refused()));
    assert_eq!(c.screen(), before);
    assert!(c.here().notice.is_none());
    // Nor does the number come back.
    let again = c.begin("lab");
    assert_ne!(again, lab);
}

#[test]
fn what_failed_says_why_and_is_tried_again_in_place() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.keys("alt-1");
    c.fail(lab);
    let screen = c.screen();
    assert!(
        screen.contains("lab: signing in at https://prod failed"),
        "{screen}"
    );
    assert!(c.line(0).contains("2 lab ✗ failed"), "{screen}");
    c.keys("p j");
    assert!(c.screen().contains("failed: 401"), "{}", c.screen());
    c.keys("enter");
    let screen = c.screen();
    for text in [
        "lab is not open",
        "because: 401",
        "try: look at user",
        "<I> tries again",
        "doctor lab",
    ] {
        assert!(screen.contains(text), "{text}: {screen}");
    }
    let opens = |c: &Console| {
        let open = (lab, Effect::Open(profile("lab")));
        c.asked.iter().filter(|asked| **asked == open).count()
    };
    assert_eq!(opens(&c), 1);
    c.keys("I");
    assert_eq!(opens(&c), 2);
    assert!(matches!(c.here().stage, Stage::Opening(_)));
    c.keys("I");
    assert_eq!(opens(&c), 2, "once at a time");
    c.fail(lab);
    c.keys("r");
    assert_eq!(opens(&c), 3);
    c.open(lab);
    assert_eq!(*c.place(), Place::Volumes);
    assert!(c.screen().contains("db01-data"), "{}", c.screen());
    assert!(!c.line(0).contains("failed"));
}

#[test]
fn signing_in_again_leaves_what_is_shown() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.open(lab);
    c.keys("j space I");
    assert_eq!(c.asked.last(), Some(&(lab, Effect::Renew)));
    c.wait(300);
    assert!(c.line(1).contains("signing in again"), "{}", c.screen());
    assert!(c.screen().contains("db01-data"));
    c.tell(lab, Event::Renewed(Err(refused())));
    assert!(c.screen().contains("db01-data") && c.screen().contains("signing in at"));
    c.keys("I");
    c.silent.push(lab);
    c.tell(lab, Event::Renewed(Ok(Box::new(opened("lab", Vec::new())))));
    assert!(c.screen().contains("db01-data") && c.here().screen().marks.len() == 1);
    // Whatever was asked of the one before is asked anew.
    let lists = c
        .asked
        .iter()
        .filter(|(tab, e)| *tab == lab && matches!(e, Effect::List(..)));
    assert!(lists.count() >= 2);
    c.keys("alt-1 I");
    assert!(
        c.screen().contains("nothing to sign in to"),
        "{}",
        c.screen()
    );
}

#[test]
fn what_runs_elsewhere_is_never_out_of_sight_and_leaving_tells_all() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.open(lab);
    c.tell(
        lab,
        Event::Tasks(vec![Arc::new(task(3, TaskState::Running))]),
    );
    c.keys("alt-1");
    assert!(c.line(1).contains("1 task on lab"), "{}", c.line(1));
    c.tell(
        TabId(0),
        Event::Tasks(vec![Arc::new(task(4, TaskState::Running))]),
    );
    assert!(c.line(1).contains("1 task · 1 on lab"), "{}", c.line(1));
    assert!(c.line(0).contains("2 lab ▶ 1 task"), "{}", c.line(0));
    c.keys("q");
    let screen = c.screen();
    assert!(
        screen.contains("Leave while 2 tasks run?") && screen.contains(", on lab"),
        "{screen}"
    );
    // What ends meanwhile answers it, where nothing else runs.
    c.tell(
        TabId(0),
        Event::Tasks(vec![Arc::new(task(4, TaskState::Succeeded))]),
    );
    assert!(!c.quits && matches!(c.here().overlays.last(), Some(Overlay::Question(_))));
    c.tell(
        lab,
        Event::Tasks(vec![Arc::new(task(3, TaskState::Succeeded))]),
    );
    assert!(c.quits && c.here().overlays.is_empty());
}

#[test]
fn whoever_goes_to_another_tab_does_not_leave() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.open(lab);
    let running = |n| Event::Tasks(vec![Arc::new(task(n, TaskState::Running))]);
    c.tell(lab, running(3));
    c.tell(TabId(0), running(4));
    c.keys("q");
    assert!(matches!(
        c.here().overlays.last(),
        Some(Overlay::Question(_))
    ));
    c.keys("alt-1");
    // What ran there ends: nothing asks any more, and what runs here goes on.
    let done = task(3, TaskState::Succeeded);
    c.tell(lab, Event::Tasks(vec![Arc::new(done)]));
    assert!(!c.quits);
    c.keys("alt-2");
    assert!(c.here().overlays.is_empty());
    // A tab that nobody looks at wakes nobody up for what it last saw of the others.
    let prod = c.begin("prod");
    c.keys("alt-1");
    c.open(prod);
    c.tell(
        TabId(0),
        Event::Tasks(vec![Arc::new(task(4, TaskState::Succeeded))]),
    );
    c.wait(30_000);
    let due = c.tabs.deadline().unwrap().as_millis() as u64;
    assert!(due > c.ms + 1_500, "{due} is too soon after {}", c.ms);
}

#[test]
fn a_failed_task_of_another_tab_comes_as_a_message_and_marks_its_tab() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.open(lab);
    c.keys("alt-1");
    c.tell(lab, Event::Tasks(some_tasks().map(Arc::new).into()));
    let screen = c.screen();
    assert!(screen.lines().last().unwrap().contains("lab: "), "{screen}");
    assert!(c.line(0).contains("▲ 1 message"), "{screen}");
    assert_eq!(c.here().messages.next, 0, "it is the other's");
    c.keys("alt-2 !");
    assert_eq!(c.here().messages.unseen(), 0);
    c.keys("alt-1");
    assert!(!c.line(0).contains("message"), "{}", c.line(0));
}

#[test]
fn closing_tells_what_runs_and_the_last_one_stays() {
    let mut c = Console::new((120, 36));
    c.keys("ctrl-w");
    assert!(
        c.screen()
            .contains("there is but one tab; <p> lists what can be opened")
    );
    let lab = c.begin("lab");
    c.open(lab);
    c.tell(
        lab,
        Event::Tasks(vec![Arc::new(task(3, TaskState::Running))]),
    );
    c.keys("ctrl-w");
    let screen = c.screen();
    assert!(screen.contains("Close lab while a task runs?"), "{screen}");
    assert!(screen.contains("goes on there"), "{screen}");
    c.wait(400);
    c.keys("esc");
    assert!(c.tabs.get(lab).is_some());
    c.keys("ctrl-w");
    c.wait(400);
    c.keys("y");
    assert!(c.tabs.get(lab).is_none() && c.asked.contains(&(lab, Effect::Close)));
    // From the list, whichever is selected; and it can be opened again.
    let prod = c.begin("prod");
    c.open(prod);
    c.keys("alt-1 p G ctrl-w");
    assert!(c.tabs.get(prod).is_none());
    assert_eq!(c.here().id, TabId(0));
    let prod = c.begin("prod");
    c.keys("alt-1 1 ctrl-w");
    assert_eq!(c.here().id, prod);
    c.keys("p g");
    c.keys("enter");
    assert_eq!(
        c.here().site,
        Site::Store,
        "the store is opened again like any other"
    );
    assert!(c.asked.iter().any(|(_, e)| *e == Effect::Open(Site::Store)));
}

#[test]
fn a_dialog_stays_with_its_tab_and_takes_no_key_meant_for_another() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.open(lab);
    c.keys("D F2");
    c.wait(400);
    assert!(matches!(c.here().overlays.last(), Some(Overlay::Review(_))));
    let name = match c.here().overlays.last() {
        Some(Overlay::Review(review)) => review.confirm.clone(),
        _ => None,
    };
    // A key that types is the dialog's; one that does not leads away, and the dialog stays.
    c.keys("}");
    assert_eq!(c.here().id, lab);
    c.keys("alt-1 y j y enter");
    let submits = |c: &Console| c.asked.iter().any(|(_, e)| matches!(e, Effect::Submit(..)));
    assert!(!submits(&c));
    c.keys("esc esc alt-2 enter y");
    assert!(matches!(c.here().overlays.last(), Some(Overlay::Review(_))));
    assert!(
        !submits(&c),
        "what was typed ahead answers nothing: {name:?}"
    );
    // The mouse goes to a tab as well, over a dialog too.
    let (_, scene) = c.frame();
    let hit = scene
        .hits
        .iter()
        .find(|(_, hit)| *hit == Hit::Tab(TabId(0)))
        .unwrap();
    assert_eq!(hit.0.y, 0);
    assert_eq!(scene.at(hit.0.x + 1, 0), Some(&Hit::Tab(TabId(0))));
    c.event(Event::Click(Hit::Tab(TabId(0))));
    assert_eq!(c.here().id, TabId(0));
    assert!(c.here().overlays.is_empty());
    c.keys("alt-2");
    assert_eq!(c.here().overlays.len(), 2, "the form, and the plan over it");
}

#[test]
fn several_begin_at_once_and_the_rest_is_told_of_all() {
    let mut c = Console::of(Beginning {
        listed: all(),
        profile: "lab".into(),
        site: profile("lab"),
        opening: true,
        system: crate::tui::state::unopened(),
        beside: vec![profile("prod")],
        ..beginning((120, 36))
    });
    let opens: Vec<_> = c
        .asked
        .iter()
        .map(|(tab, effect)| (tab.0, effect.clone()))
        .collect();
    assert_eq!(
        opens[..2],
        [
            (0, Effect::Open(profile("lab"))),
            (1, Effect::Open(profile("prod")))
        ]
    );
    assert_eq!(c.here().site, profile("lab"));
    c.fail(TabId(1));
    c.open(TabId(0));
    assert!(c.screen().contains("db01-data") && c.line(0).contains("2 prod ✗"));
    // The size and the configuration are everybody's.
    c.event(Event::Resize(100, 30));
    let mut config = Config::default();
    config.settings.theme = "light".into();
    c.event(Event::Configured(Ok(Box::new(config))));
    c.keys("alt-2");
    assert_eq!(
        (c.here().size, c.here().theme.name.as_str()),
        ((100, 30), "light")
    );
    let fault = Config::default().fault("theme", "it is wrong".to_owned(), None);
    c.event(Event::Configured(Err(vec![fault])));
    assert_eq!(c.tabs.get(TabId(0)).unwrap().messages.next, 0, "told once");
    // What is set anew can be opened; what is open and not set any more says so.
    c.event(Event::Profiles(vec![
        listed(Site::Store, "store"),
        listed(profile("new"), "new"),
    ]));
    c.keys("p");
    let screen = c.screen();
    assert!(
        screen.contains("new ") && screen.contains("not set any more"),
        "{screen}"
    );
}

#[test]
fn without_a_profile_there_is_no_such_view_until_one_is_set() {
    let mut c = Console::of(Beginning {
        listed: vec![listed(Site::Store, "store")],
        ..beginning((120, 36))
    });
    assert!(!c.screen().contains("Profiles"));
    c.keys("p");
    assert!(
        c.screen().contains("`snapdeck profile add` makes one"),
        "{}",
        c.screen()
    );
    c.keys("}");
    assert!(c.screen().contains("no profile to open"), "{}", c.screen());
    c.event(Event::Profiles(all()));
    c.keys("p");
    assert_eq!(*c.place(), Place::Profiles);
    assert!(c.screen().contains("https://lab.example.org:5000/v3") || c.here().size.0 < 160);
}

#[test]
fn tabs_are_played_as_they_were_and_no_address_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording");
    let start = Beginning {
        listed: all(),
        ..beginning((120, 36))
    };
    let mut c = Console::of(start.clone());
    // The recorder hears everything from the beginning.
    let (tabs, asked) = Tabs::new(start.clone());
    (c.tabs, c.ms) = (tabs, 0);
    c.recorder = Some(Recorder::start(&start, Some(&path)).unwrap());
    c.tell(TabId(0), Event::Tasks(Vec::new()));
    c.answer_all(asked);
    let lab = c.begin("lab");
    c.open(lab);
    let prod = c.begin("prod");
    c.keys("alt-1 j enter");
    c.wait(2_500);
    c.fail(prod);
    c.event(Event::Profiles(all()));
    c.keys("alt-2 p");
    let live = c.screen();
    c.recorder = None;
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        !written.contains("lab.example.org"),
        "where it is was recorded"
    );
    let mut player = Player::new(Arc::new(Recording::read(&path).unwrap()));
    player.seek(Duration::MAX);
    let (buffer, _) = player.frame();
    let row = |y| {
        let row: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        row.trim_end().to_owned() + "\n"
    };
    let played: String = (0..buffer.area.height).map(row).collect();
    assert_eq!(played, live);
    // A size that no terminal has is found, wherever it hides.
    let bad = written.replacen("{\"tasks\":[]}", "{\"resize\":[65535,65535]}", 1);
    assert_ne!(bad, written);
    std::fs::write(&path, bad).unwrap();
    assert!(
        Recording::read(&path)
            .unwrap_err()
            .to_string()
            .contains("65535")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_any_of_them_nothing_panics(
        acts in prop::collection::vec(tab_act(), 1..60),
        size in (1u16..140, 1u16..50),
    ) {
        let mut c = crowd(size);
        for act in &acts {
            c.perform(act);
            let (buffer, scene) = c.frame();
            if let Some(cursor) = scene.cursor {
                prop_assert!(buffer.area.contains(cursor), "{cursor:?}");
            }
            // What was due in a tab that nobody looks at is done at once, and then it is over.
            let past = |c: &Console| c.tabs.deadline().is_some_and(|due| (due.as_millis() as u64) < c.ms);
            if past(&c) {
                c.event(Event::Deadline);
            }
            prop_assert!(!past(&c), "a deadline in the past");
            let around = &c.here().around.tabs;
            // Alone, with nothing else to open, there is nothing to see.
            let own = around.iter().filter(|tab| tab.id == c.here().id).count();
            prop_assert!(around.is_empty() || own == 1);
        }
    }
}

/// What can happen to several tabs.
#[derive(Clone, Debug)]
enum TabEvent {
    Key(Key),
    Wait(u64),
    Opened(u32),
    NotOpened(u32),
    Renewed(u32, bool),
    Tasks(u32),
    Fault(u32),
    Profiles(bool),
    Click(u16, u16),
}

fn tab_act() -> impl Strategy<Value = TabEvent> {
    let own = prop::sample::select(vec![
        Key::char('}'),
        Key::char('{'),
        Key::char('p'),
        Key::char('I'),
        Key::ctrl('w'),
        Key::alt('1'),
        Key::alt('2'),
        Key::alt('5'),
        Key::ENTER,
        Key::ESC,
        Key::DOWN,
    ]);
    let letters = prop::char::range(' ', '~').prop_map(Key::char);
    prop_oneof![
        8 => own.prop_map(TabEvent::Key),
        4 => letters.prop_map(TabEvent::Key),
        2 => (0u64..3_000).prop_map(TabEvent::Wait),
        2 => (0u32..9).prop_map(TabEvent::Opened),
        2 => (0u32..9).prop_map(TabEvent::NotOpened),
        1 => (0u32..9, any::<bool>()).prop_map(|(tab, good)| TabEvent::Renewed(tab, good)),
        1 => (0u32..9).prop_map(TabEvent::Tasks),
        1 => (0u32..9).prop_map(TabEvent::Fault),
        1 => any::<bool>().prop_map(TabEvent::Profiles),
        1 => (0u16..140, 0u16..50).prop_map(|(x, y)| TabEvent::Click(x, y)),
    ]
}

impl Console {
    fn perform(&mut self, act: &TabEvent) {
        match *act {
            TabEvent::Key(key) => self.event(Event::Key(key)),
            TabEvent::Wait(ms) => self.wait(ms),
            TabEvent::Opened(tab) => {
                let told = Event::Opened(Box::new(opened("any", some_tasks().into())));
                self.tell(TabId(tab), told);
            }
            TabEvent::NotOpened(tab) => self.fail(TabId(tab)),
            TabEvent::Renewed(tab, good) => {
                let told = match good {
                    true => Ok(Box::new(opened("any", Vec::new()))),
                    false => Err(refused()),
                };
                self.tell(TabId(tab), Event::Renewed(told));
            }
            TabEvent::Tasks(tab) => {
                self.tell(TabId(tab), Event::Tasks(some_tasks().map(Arc::new).into()));
            }
            TabEvent::Fault(tab) => self.tell(TabId(tab), Event::Fault(refused())),
            TabEvent::Profiles(some) => {
                self.event(Event::Profiles(if some { all() } else { Vec::new() }));
            }
            TabEvent::Click(x, y) => {
                let (_, scene) = self.frame();
                if let Some(hit) = scene.at(x, y).cloned() {
                    self.event(Event::Click(hit));
                }
            }
        }
    }
}

#[test]
fn an_answer_comes_to_the_tab_that_asked() {
    let mut c = Console::new((120, 36));
    let lab = c.begin("lab");
    c.silent.push(lab);
    c.open(lab);
    c.keys("alt-1");
    let ticket = c.asked.iter().rev().find_map(|(tab, effect)| match effect {
        Effect::List(ticket, _) if *tab == lab => Some(*ticket),
        _ => None,
    });
    let down = Problem::new(ProblemKind::Network, "the cloud was not reached");
    c.tell(
        lab,
        Event::Answer(ticket.unwrap(), Answer::Listed(Err(down))),
    );
    assert!(
        c.screen().contains("lab: the cloud was not reached"),
        "{}",
        c.screen()
    );
    assert!(c.here().inventory.volumes.problem.is_none());
    assert!(c.line(0).contains("2 lab ▲ not read"), "{}", c.line(0));
    c.keys("alt-2");
    assert!(c.screen().contains("the cloud was not reached"));
    assert!(c.screen().contains("tries again"), "{}", c.screen());
}
