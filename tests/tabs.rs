//! Several systems side by side, in the real program and a real pseudo-terminal: the store, and clouds of which some hang,
//! lie or are gone. Whatever one of them does, keys are answered, and the screen ends in a clear state.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod cloud;
#[path = "support/pty.rs"]
mod pty;
mod support;

use cloud::{Answer, Cloud, Fault};
use pty::{Terminal, restored};
use serde_json::json;
use support::Deck;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const NONE: [&str; 0] = [];
/// The keys that lead to the first, second, third tab.
const TAB: [&str; 3] = ["\x1b1", "\x1b2", "\x1b3"];

/// Calls that end soon where nothing comes.
const SHORT: &str =
    "limits = { connect = 2, first-byte = 1, between = 1, whole = 3, body = 1, attempts = 2 }";
/// Calls that wait longer than any test.
const LONG: &str = "limits = { first-byte = 600, whole = 900, attempts = 1 }";

/// A store with the volume `own`, and a profile for each of these clouds.
fn deck(clouds: &[(&str, &Cloud, &str)]) -> Deck {
    let deck = Deck::new();
    let make = [
        "run",
        "create-volume",
        "--name",
        "own",
        "--size",
        "64MiB",
        "--wait",
    ];
    deck.ok(&make);
    write(&deck, clouds);
    deck
}

/// Writes the configuration.
fn write(deck: &Deck, clouds: &[(&str, &Cloud, &str)]) {
    let mut config = String::new();
    for (name, cloud, limits) in clouds {
        config.push_str(&format!(
            "[profiles.{name}]\nendpoint = \"{}\"\nuser = \"demo\"\nuser-domain = \"Default\"\n\
             project = \"demo\"\nproject-domain = \"Default\"\nsecret.env = \"LAB\"\n{limits}\n",
            cloud.endpoint()
        ));
    }
    let file = deck.path("config/snapdeck/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, config).unwrap();
}

fn start(deck: &Deck, args: &[&str], cols: u16, rows: u16) -> Terminal {
    let secret = [("LAB", "correct horse")];
    Terminal::start_with(deck, args, cols, rows, &secret)
}

fn quit(mut terminal: Terminal) {
    terminal.send("q");
    if terminal.asks("Leave while") {
        terminal.answer("y");
    }
    let (code, _, bytes) = terminal.end();
    assert_eq!(code, 0);
    restored(&bytes);
}

/// Reads again until this is on the screen: what was read a moment ago is not asked for twice.
fn refresh_until(t: &mut Terminal, text: &str) {
    for _ in 0..100 {
        if t.text().contains(text) {
            return;
        }
        t.send("r");
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    t.sees(text);
}

/// The line of tabs.
fn tabs(screen: &str) -> &str {
    screen.lines().next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_hangs_one_is_lost_and_the_others_go_on() {
    let (good, bad) = (Cloud::start().await, Cloud::start().await);
    good.state.lock().cinder.seed("near", 2);
    bad.state.lock().cinder.seed("far", 1);
    let deck = deck(&[("lab", &good, ""), ("prod", &bad, LONG)]);
    bad.befall("POST", "/auth/tokens", 100, Fault::Hang);
    for (cols, rows) in [(120, 36), (80, 24)] {
        let mut t = start(&deck, &NONE, cols, rows);
        t.sees("own");
        t.send(":open lab\r");
        t.sees("near");
        t.send(":open prod\r");
        let screen = t.sees("opening prod");
        assert!(
            tabs(&screen).contains("1 store") && tabs(&screen).contains("2 lab"),
            "{screen}"
        );

        // While it hangs, the keys of the others do what they do.
        t.send(TAB[0]);
        t.sees("own");
        t.send(ENTER);
        let screen = t.sees("you are here");
        assert!(tabs(&screen).contains("3 prod"), "{screen}");
        t.send(TAB[1]);
        t.sees("near");
        t.send("S");
        t.sees("Take a snapshot");
        // The dialog stays where it is.
        t.send(TAB[0]);
        t.until("the store without the dialog", |s| {
            s.contains("you are here") && !s.contains("Take a snapshot")
        });
        t.send(TAB[1]);
        t.sees("Take a snapshot");
        t.send(ESC);
        t.misses("Take a snapshot");
        t.send("p");
        let screen = t.until("the list", |s| {
            s.contains("PROFILE") && s.contains("opening")
        });
        assert!(screen.contains("open, here"), "{screen}");

        // Given up, it is gone, and nothing of it comes later.
        t.send(TAB[2]);
        t.sees("opening prod");
        t.send(ESC);
        t.until("two tabs", |s| {
            !tabs(s).contains("prod") && tabs(s).contains("lab")
        });

        // Lost, it says why; healed, it is tried again in place, and works.
        bad.heal();
        bad.befall("POST", "/auth/tokens", 100, Fault::LoseCall);
        t.send(":open prod\r");
        let screen = t.sees("prod is not open");
        assert!(
            screen.contains("failed") && screen.contains("broke off"),
            "{screen}"
        );
        assert!(screen.contains("tries again"), "{screen}");
        t.send(TAB[0]);
        let screen = t.sees("you are here");
        assert!(tabs(&screen).contains("3 prod ✗"), "{screen}");
        bad.heal();
        t.send(TAB[2]);
        t.sees("prod is not open");
        t.send("I");
        let screen = t.sees("far");
        assert!(!tabs(&screen).contains('✗'), "{screen}");

        // Ended while the last of them hangs, it ends.
        bad.befall("GET", "/snapshots", 1_000, Fault::Hang);
        t.send("2");
        t.sees("Snapshots");
        quit(t);
        bad.heal();
        bad.befall("POST", "/auth/tokens", 100, Fault::Hang);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_behind_a_tab_ends_in_a_clear_state() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("near", 1);
    let deck = deck(&[("lab", &cloud, SHORT)]);
    let mut t = start(&deck, &NONE, 160, 36);
    t.sees("own");
    let say = |status, name: &str, text: &str| Answer::fault(status, name, text);
    let storm = say(500, "computeFault", "The server has either erred");
    let denied = say(403, "forbidden", "Policy doesn't allow it.");
    let elsewhere = Answer::empty(302).with("Location", "http://127.0.0.2:9/steal");
    let partial = Answer::ok(json!({"volumes": [{"id": "x", "status": "available"}]}));
    let cases = [
        ("html", Fault::Say(Answer::html(200)), "not JSON"),
        ("another host", Fault::Say(elsewhere), "127.0.0.2"),
        ("denied", Fault::Say(denied), "Policy"),
        ("storm", Fault::Say(storm), "500"),
        ("hang", Fault::Hang, "longer than"),
        ("drip", Fault::Drip, "longer than"),
        ("a wrong length", Fault::Truncate, "broke off"),
        ("flood", Fault::Flood, "larger than"),
        ("lost", Fault::LoseCall, "broke off"),
        ("a member missing", Fault::Say(partial), "size"),
    ];
    for (name, fault, words) in cases {
        cloud.befall("GET", "/volumes/detail", 1_000, fault);
        t.send(":open lab\r");
        t.until(name, |s| tabs(s).contains("2 lab"));
        // The store answers, whatever the cloud does.
        t.send(TAB[0]);
        t.sees("own");
        t.send(TAB[1]);
        let screen = t.until(&format!("{name}: {words}"), |s| {
            s.contains(words) && s.contains("tries again") && s.contains("not read")
        });
        assert!(
            tabs(&screen).contains("2 lab ▲ not read"),
            "{name}: {screen}"
        );
        cloud.heal();
        t.send("r");
        let screen = t.until(name, |s| {
            s.contains("near") && !tabs(s).contains("not read")
        });
        assert!(screen.contains("1 volume"), "{name}: {screen}");
        t.send("\x17");
        t.until("one tab", |s| !s.contains("2 lab"));
    }
    quit(t);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_leaves_no_trace_and_what_is_odd_is_shown() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("near", 1_200);
    let deck = deck(&[("lab", &cloud, SHORT)]);
    let mut t = start(&deck, &NONE, 160, 36);
    t.sees("own");
    // A token that ends in the middle, and a system that asks for patience.
    cloud.befall("GET", "/volumes/detail", 1, Fault::Expire);
    let busy = Answer::fault(429, "overLimit", "slow down").with("Retry-After", "1");
    cloud.befall("GET", "/volumes/detail", 1, Fault::Say(busy));
    t.send(":open lab\r");
    let screen = t.sees("near");
    assert!(
        !screen.contains('✗') && !screen.contains('▲') || screen.contains("NAME ▲"),
        "{screen}"
    );
    assert_eq!(cloud.sign_ins(), 2);
    // A state that nobody knows is shown as it stands.
    cloud
        .state
        .lock()
        .cinder
        .set(&volume, "status", json!("melting"));
    refresh_until(&mut t, "melting");
    // A page that comes again and again.
    cloud.state.lock().cinder.repeats = true;
    t.send("2");
    refresh_until(&mut t, "again and again");
    cloud.heal();
    refresh_until(&mut t, "s1199");

    // A password that is not taken any more: what was read stays, and signing in again is done in place.
    t.send("1");
    t.sees("near");
    cloud.refuse_sign_in();
    t.send("I");
    let screen = t.sees("signing in at");
    assert!(screen.contains("near"), "{screen}");
    cloud.heal();
    t.send("I");
    t.sees("signed in again");
    assert!(t.text().contains("near"));
    quit(t);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_opened_by_name_and_what_is_set_anew_can_be() {
    let (one, two) = (Cloud::start().await, Cloud::start().await);
    one.state.lock().cinder.seed("near", 0);
    two.state.lock().cinder.seed("far", 0);
    let deck = deck(&[("lab", &one, ""), ("prod", &two, "")]);
    two.refuse_sign_in();
    let mut t = start(&deck, &["--profile", "lab", "--profile", "prod"], 120, 36);
    let screen = t.until("both", |s| {
        s.contains("near") && s.contains("prod ✗ failed")
    });
    assert!(
        tabs(&screen).contains("1 lab") && tabs(&screen).contains("2 prod"),
        "{screen}"
    );
    assert!(
        screen.contains("prod: "),
        "it comes as a message too: {screen}"
    );
    // A profile is written while the console runs.
    write(
        &deck,
        &[("lab", &one, ""), ("third", &two, "read-only = true")],
    );
    t.sees("the configuration was read again");
    two.heal();
    t.send("p");
    let screen = t.sees("not set any more");
    assert!(screen.contains("third"), "{screen}");
    t.send(":open third\r");
    let screen = t.sees("far");
    assert!(screen.contains("READ-ONLY"), "{screen}");
    // A bundle names neither the profile nor where it is.
    t.send("\x1b[24~");
    let screen = t.sees("Withheld");
    assert!(screen.contains("accounts"), "{screen}");
    t.send("\x1b[24~");
    t.sees("the bundle is");
    quit(t);
    let bundles = std::fs::read_dir(deck.path("state/snapdeck/support")).unwrap();
    assert_eq!(bundles.count(), 1);

    // What is to be open at the start is opened beside the store, and nothing else.
    let file = deck.path("config/snapdeck/config.toml");
    let set = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("open-tabs = [\"third\"]\n{set}")).unwrap();
    let t = start(&deck, &NONE, 120, 36);
    let screen = t.until("the store, and the other", |s| {
        s.contains("own") && tabs(s).contains("2 third") && !tabs(s).contains("opening")
    });
    assert!(!tabs(&screen).contains("lab"), "{screen}");
    quit(t);

    // A name that nobody knows is told before there is a screen.
    let said = deck.fails(3, &["--profile", "lbt", "get", "volumes"]);
    assert!(said.contains("there is no profile \"lbt\""), "{said}");
    let said = deck.fails(
        2,
        &["--profile", "lab", "--profile", "third", "get", "volumes"],
    );
    assert!(said.contains("one too many"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_turn_from_one_to_the_other_as_well() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("near", 0);
    let deck = deck(&[("lab", &cloud, "")]);
    let mut command = deck.command(&["--linear", "--unicode"]);
    command
        .env("LAB", "correct horse")
        .stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped());
    let said = tokio::task::spawn_blocking(move || {
        use std::io::Write as _;
        let mut child = command.spawn().unwrap();
        let lines = "profiles\nopen lab\n\nprevious-tab\nnext-tab\nclose-tab\nquit\n";
        child
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    })
    .await
    .unwrap();
    let mut rest = said.as_str();
    for text in [
        "linear mode: store",
        "own",
        "Profiles",
        "2. lab",
        "Now on lab",
        "near",
        "Now on store",
        "own",
        "Now on lab",
        "near",
        "Now on store",
    ] {
        let Some(at) = rest.find(text) else {
            panic!("{text} does not come next: {said}")
        };
        rest = &rest[at + text.len()..];
    }
}
