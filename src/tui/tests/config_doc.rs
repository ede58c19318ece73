//! `docs/configuration.md` ends with all that can be set, made from the types. `SNAPDECK_WRITE_DOCS=1 cargo test --lib
//! config_doc` writes it anew.

use crate::config::document;

#[test]
fn the_page_of_the_configuration_is_what_the_types_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let there = std::fs::read_to_string(path).unwrap();
    let mark = "## All that can be set\n\n```toml\n";
    let (head, _) = there.split_once(mark).unwrap();
    let want = format!("{head}{mark}{}```\n", document(&crate::tui::keys()));
    if std::env::var_os("SNAPDECK_WRITE_DOCS").is_some() {
        std::fs::write(path, &want).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap();
    assert!(
        there == want,
        "docs/configuration.md is not what the types say; see the head of this file"
    );
}

#[test]
fn every_theme_is_on_the_page() {
    let page = include_str!("../../../docs/configuration.md");
    for theme in crate::config::Theme::built_in() {
        assert!(
            page.contains(&format!("| `{}` |", theme.name)),
            "{}",
            theme.name
        );
    }
}
