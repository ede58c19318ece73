//! In every theme, with as many colours as there are, what is said can be read and told apart.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use super::driver::{Driver, Start};
use super::fixtures::{snapshot, task, volume};
use crate::config::Theme;
use crate::config::contrast::{Rgb, STRONG, ink_on, linear, ratio, wanted};
use crate::config::theme::Role;
use crate::model::{SnapshotState, TaskState, VolumeState};
use crate::tui::rows::{snapshot_state, task_glyph, volume_state};
use crate::tui::skin::{Skin, rgb};
use crate::tui::terminal::ColorTier;

const TIERS: [ColorTier; 4] = [
    ColorTier::None,
    ColorTier::Ansi16,
    ColorTier::Ansi256,
    ColorTier::True,
];

/// The text and what is behind it, as they are seen.
fn seen(skin: &Skin, theme: &Theme, tier: ColorTier, style: Style) -> (Rgb, Rgb) {
    let plain = |colour: Option<Color>| colour.and_then(rgb);
    let ground = match tier {
        // The palette of a terminal goes with its background.
        ColorTier::Ansi16 if theme.ground != (0, 0, 0) => (0, 0, 0),
        _ => theme.ground,
    };
    let ground = plain(skin.style(Role::Background).bg).unwrap_or(ground);
    let fg = plain(style.fg).unwrap_or_else(|| ink_on(ground));
    let bg = plain(style.bg).unwrap_or(ground);
    if style.add_modifier.contains(Modifier::REVERSED) {
        (bg, fg)
    } else {
        (fg, bg)
    }
}

#[test]
fn every_text_can_be_read() {
    for theme in Theme::built_in() {
        for tier in TIERS {
            let skin = Skin::new(&theme, tier);
            for &role in Role::ALL {
                let Some(wanted) = wanted(role) else { continue };
                let wanted = match tier {
                    // Whose 16 colours these are is the user's choice; the worst of xterm's are left out.
                    ColorTier::Ansi16 => 3.0,
                    _ if theme.name == "high-contrast" => STRONG,
                    _ => wanted,
                };
                let (fg, bg) = seen(&skin, &theme, tier, skin.style(role));
                let found = ratio(fg, bg);
                let name = (&theme.name, tier, role.name());
                assert!(
                    found >= wanted,
                    "{name:?}: {found:.2} is less than {wanted}"
                );
            }
        }
    }
}

/// Every state that there is: what it is of, how its cell begins, its word, and the role.
fn states(d: &Driver) -> Vec<(&'static str, String, Role)> {
    let mut states = Vec::new();
    let mut add = |of, spans: crate::tui::rows::Spans<'static>| {
        let said: String = spans.iter().map(|(said, _)| said.as_ref()).collect();
        states.push((of, said, spans[0].1));
    };
    for state in VolumeState::KNOWN {
        let volume = crate::model::Volume {
            state: state.clone(),
            ..volume("x")
        };
        add("volume", volume_state(&volume, &d.state));
    }
    for state in SnapshotState::KNOWN {
        let snapshot = crate::model::Snapshot {
            state: state.clone(),
            ..snapshot("x", "y", None, 1)
        };
        add("snapshot", snapshot_state(&snapshot.state, &d.state));
    }
    for state in TaskState::KNOWN {
        let task = task(1, state.clone());
        let (glyph, role) = task_glyph(&task, &d.state);
        add("task", vec![(format!("{glyph} {state}").into(), role)]);
    }
    states
}

/// How grave a role is: what must be told at a glance.
fn grave(role: Role) -> u8 {
    match role {
        Role::Error | Role::Danger => 3,
        Role::Warn => 2,
        Role::Busy => 1,
        _ => 0,
    }
}

#[test]
fn every_state_is_told_apart_by_its_sign_and_its_word_and_at_a_glance() {
    for theme in Theme::built_in() {
        for tier in TIERS {
            for ascii in [false, true] {
                let start = Start {
                    theme: theme.clone(),
                    tier,
                    ascii,
                    ..Start::default()
                };
                let d = Driver::start(start, true);
                let states = states(&d);
                assert!(states.len() > 15);
                let name = (&theme.name, tier, ascii);
                let mut words = BTreeMap::new();
                for (of, said, role) in &states {
                    let (sign, word) = said.split_once(' ').unwrap();
                    assert!(!word.is_empty() && sign.chars().count() == 1, "{said}");
                    assert!(!ascii || sign.is_ascii(), "{said}");
                    let before = words.insert((of, word.to_owned()), *role);
                    assert_eq!(before, None, "{name:?}: {of} {word} is said twice");
                }
                for (i, (of, a, role)) in states.iter().enumerate() {
                    for (other, b, role_b) in &states[i + 1..] {
                        if of != other || grave(*role) == grave(*role_b) {
                            continue;
                        }
                        let (a_sign, b_sign) = (a.chars().next(), b.chars().next());
                        assert_ne!(a_sign, b_sign, "{name:?}: the signs of {a} and {b}");
                    }
                }
                if tier == ColorTier::None || theme.name == "mono" {
                    continue;
                }
                let told = [Role::Ok, Role::Warn, Role::Error, Role::Busy];
                for (i, a) in told.iter().enumerate() {
                    for b in &told[i + 1..] {
                        let (x, y) = (d.state.skin.style(*a), d.state.skin.style(*b));
                        assert_ne!(x, y, "{name:?}: {a:?} and {b:?} look the same");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_selected_marked_or_in_hand_shows_in_every_theme() {
    for theme in Theme::built_in() {
        for tier in TIERS {
            let skin = Skin::new(&theme, tier);
            let plain = skin.style(Role::Text);
            let look = |role| {
                let style = skin.style(role);
                (seen(&skin, &theme, tier, style), style.add_modifier)
            };
            let name = (&theme.name, tier);
            for role in [Role::Selection, Role::Button] {
                let (fg, bg) = look(role).0;
                let ground = look(Role::Text).0.1;
                assert!(
                    ratio(bg, ground) >= 1.5
                        || skin.style(role).add_modifier.contains(Modifier::REVERSED),
                    "{name:?}: {role:?} is not seen: {fg:?} {bg:?}"
                );
            }
            for role in [
                Role::Mark,
                Role::Input,
                Role::Key,
                Role::Accent,
                Role::Match,
            ] {
                let style = skin.style(role);
                let differs = style != plain || tier == ColorTier::None;
                assert!(differs, "{name:?}: {role:?} is like any text");
            }
        }
    }
}

/// A colour as someone sees it who lacks one kind of cones, by the matrices of Machado, Oliveira and Fernandes
/// (2009) for their entire lack.
fn lacking(matrix: [[f64; 3]; 3], (r, g, b): Rgb) -> [f64; 3] {
    let light = [linear(r), linear(g), linear(b)];
    matrix.map(|row| {
        row.iter()
            .zip(light)
            .map(|(m, l)| m * l)
            .sum::<f64>()
            .clamp(0.0, 1.0)
    })
}

/// Light as CIE L*a*b*, white being that of daylight.
fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505;
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089;
    let f = |t: f64| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    [
        116.0 * f(y) - 16.0,
        500.0 * (f(x) - f(y)),
        200.0 * (f(y) - f(z)),
    ]
}

#[test]
fn whoever_sees_colours_otherwise_tells_the_states_apart_in_the_theme_made_for_them() {
    let theme = Theme::named("colour-blind").unwrap();
    let kinds = [
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];
    let told = [Role::Ok, Role::Warn, Role::Error, Role::Busy];
    for tier in [ColorTier::True, ColorTier::Ansi256] {
        let skin = Skin::new(&theme, tier);
        for (kind, matrix) in kinds {
            let look = |role| {
                lab(lacking(
                    matrix,
                    seen(&skin, &theme, tier, skin.style(role)).0,
                ))
            };
            for (i, a) in told.iter().enumerate() {
                for b in &told[i + 1..] {
                    let far: f64 = look(*a)
                        .iter()
                        .zip(look(*b))
                        .map(|(x, y)| (x - y).powi(2))
                        .sum();
                    // 2.3 is what an eye can just tell side by side; across a screen it takes several times that.
                    let far = far.sqrt();
                    assert!(
                        far >= 20.0,
                        "{kind}, {tier:?}: {a:?} and {b:?} are {far:.1} apart"
                    );
                }
            }
        }
    }
}
