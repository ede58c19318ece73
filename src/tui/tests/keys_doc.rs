//! `docs/keys.md` is made from the registry. `SNAPDECK_WRITE_DOCS=1 cargo test --lib keys_doc`
//! writes it anew.

use std::fmt::Write as _;

use crate::tui::actions::{ACTIONS, Group};

fn page() -> String {
    let mut page = String::from(
        "# Keys\n\n\
         `?` in the console shows the keys for the view in hand, the bottom line the most useful ones, and `a`\n\
         what can be done with the selection, with the reason beside what cannot. `:` runs any of them by name.\n\n\
         This page is made from the same registry; a test holds it to it.\n",
    );
    for group in Group::ALL {
        let _ = write!(
            page,
            "\n## {}\n\n| keys | name | what it does |\n| --- | --- | --- |\n",
            group.title()
        );
        for action in ACTIONS.iter().filter(|action| action.group == group) {
            let keys: Vec<_> = action
                .defaults
                .iter()
                .map(|key| format!("`{key}`").replace('|', "\\|"))
                .collect();
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                keys.join(" "),
                action.name,
                action.doc
            );
        }
    }
    page.push_str(
        "\n## In forms and dialogs\n\n\
         | keys | what they do |\n| --- | --- |\n\
         | `tab` `shift-tab` `up` `down` | the next or the previous field or button |\n\
         | `space` | yes or no; opens a picker |\n\
         | `enter` | the next field; at the end the plan; in a dialog the button in hand |\n\
         | `F2` | the plan |\n\
         | `y` | does what the plan says, where no name must be typed |\n\
         | `esc` | gives up; nothing is done |\n\
         | `ctrl-u` `ctrl-w` `ctrl-a` `ctrl-e` | as in a shell |\n\n\
         A dialog takes no key for its first 300 ms, so that what was typed ahead or pasted cannot answer it. The safe\n\
         button has the focus. A paste goes into the field in hand and is never taken for keys.\n",
    );
    page
}

#[test]
fn the_page_of_keys_is_what_the_registry_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    let want = page();
    if std::env::var_os("SNAPDECK_WRITE_DOCS").is_some() {
        std::fs::write(path, &want).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap();
    assert!(
        there == want,
        "docs/keys.md is not what the registry says; see the head of this file"
    );
}
