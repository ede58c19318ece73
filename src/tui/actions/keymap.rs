//! Which key does what: as the registry has it, and as the user wants it.

use std::collections::{BTreeMap, HashMap};

use super::{ACTIONS, Action, ActionId};
use crate::config::{Config, Fault, Keys, nearest};
use crate::tui::key::Key;

/// The keys in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keymap {
    /// By action, in the order of the registry.
    keys: Vec<Vec<Key>>,
    actions: HashMap<Key, ActionId>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = ACTIONS.iter().map(|action| action.defaults.to_vec());
        Self::of(keys.collect())
    }
}

impl Keymap {
    fn of(keys: Vec<Vec<Key>>) -> Self {
        let actions = ACTIONS.iter().zip(&keys);
        let pairs = actions.flat_map(|(action, keys)| keys.iter().map(|key| (*key, action.id)));
        Self {
            actions: pairs.collect(),
            keys,
        }
    }

    /// The keys that the configuration wants: those that it names, and for the rest what nobody else was given.
    ///
    /// # Errors
    /// Everything that is wrong: what is no action or no key, and keys that were given twice.
    pub(crate) fn new(config: &Config) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut keys: Vec<Vec<Key>> = ACTIONS
            .iter()
            .map(|action| action.defaults.to_vec())
            .collect();
        let mut given: BTreeMap<String, ActionId> = BTreeMap::new();
        for (name, wanted) in &config.settings.keys {
            let path = format!("keys.{name}");
            let Some(action) = ACTIONS.iter().find(|action| action.id.name() == *name) else {
                let what = format!("there is no action \"{name}\"");
                faults.push(config.fault(&path, what, meant(name)));
                continue;
            };
            keys[action.id as usize] = read(config, &path, wanted, &mut faults);
            for key in &keys[action.id as usize] {
                let before = given.insert(key.to_string(), action.id);
                if let Some(other) = before.filter(|other| *other != action.id) {
                    let what = format!("\"{key}\" is given to {} and to {name}", other.name());
                    faults.push(config.fault(&path, what, Some("give it to one".to_owned())));
                }
            }
        }
        // A key that was given away is nobody else's any more.
        for action in ACTIONS {
            keys[action.id as usize].retain(|key| {
                let owner = given.get(&key.to_string());
                owner.is_none_or(|owner| *owner == action.id)
            });
        }
        if keys[ActionId::Palette as usize].is_empty() {
            let name = ActionId::Palette.name();
            let what = format!("{name} would have no key, and what has none is found by it");
            faults.push(config.fault(&format!("keys.{name}"), what, None));
        }
        if faults.is_empty() {
            Ok(Self::of(keys))
        } else {
            faults.sort_by_key(|fault| fault.line);
            Err(faults)
        }
    }

    /// The keys of an action.
    pub(crate) fn keys(&self, id: ActionId) -> &[Key] {
        self.keys.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// The action of a key.
    pub(crate) fn action(&self, key: Key) -> Option<&'static Action> {
        self.actions.get(&key).map(|id| Action::of(*id))
    }

    /// The actions that lost keys to others, or all their keys: what whoever changed them may not have seen.
    pub(crate) fn losses(&self) -> impl Iterator<Item = String> {
        ACTIONS.iter().filter_map(|action| {
            let keys = self.keys(action.id);
            let lost: Vec<String> = action
                .defaults
                .iter()
                .filter(|key| self.actions.get(key).is_some_and(|id| *id != action.id))
                .map(ToString::to_string)
                .collect();
            let to = action.defaults.iter().find_map(|key| {
                let owner = self.actions.get(key)?;
                (*owner != action.id).then(|| owner.name())
            })?;
            let left = match keys {
                [] => "it has none now, and is found by its name".to_owned(),
                keys => {
                    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
                    format!("it has {} still", keys.join(" "))
                }
            };
            Some(format!(
                "{} was {}, and goes to {to}: {left}",
                lost.join(" "),
                action.id.name()
            ))
        })
    }
}

fn read(config: &Config, path: &str, wanted: &Keys, faults: &mut Vec<Fault>) -> Vec<Key> {
    let mut keys = Vec::new();
    for text in wanted.iter() {
        match text.parse::<Key>() {
            Ok(key) if key == Key::ctrl('c') && path != "keys.quit" => {
                let what = "\"ctrl-c\" always leaves".to_owned();
                faults.push(config.fault(path, what, None));
            }
            Ok(key) if keys.contains(&key) => {}
            Ok(key) => keys.push(key),
            Err(what) => faults.push(config.fault(path, what, None)),
        }
    }
    keys
}

fn meant(name: &str) -> Option<String> {
    let names: Vec<String> = ACTIONS.iter().map(|action| action.id.name()).collect();
    // Also by what the bottom line calls it.
    let shown = ACTIONS.iter().find(|a| a.name.replace(' ', "-") == name);
    let near = shown
        .map(|action| action.id.name())
        .or_else(|| nearest(name, names.iter().map(String::as_str)).map(str::to_owned));
    Some(match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "`snapdeck config doc` lists them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    fn keymap(text: &str) -> Result<Keymap, Vec<String>> {
        let config = parse(Path::new("c"), text).unwrap();
        Keymap::new(&config).map_err(|f| f.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_are_what_is_written_down() {
        for action in ACTIONS {
            let written = serde_json::to_value(action.id).unwrap();
            assert_eq!(written, action.id.name());
        }
    }

    #[test]
    fn without_a_word_the_keys_are_those_of_the_registry() {
        assert_eq!(keymap("").unwrap(), Keymap::default());
        assert_eq!(Keymap::default().losses().count(), 0);
        for action in ACTIONS {
            for key in action.defaults {
                assert_eq!(Keymap::default().action(*key).unwrap().id, action.id);
            }
        }
    }

    #[test]
    fn a_key_that_is_given_is_taken_from_whoever_had_it() {
        let keymap = keymap("[keys]\nsnapshot = [\"c\", \"ctrl-s\"]\nquit = []\n").unwrap();
        assert_eq!(
            keymap.action(Key::char('c')).unwrap().id,
            ActionId::Snapshot
        );
        assert_eq!(keymap.keys(ActionId::Snapshot).len(), 2);
        assert!(keymap.action(Key::char('S')).is_none());
        assert!(keymap.keys(ActionId::Create).is_empty());
        assert!(keymap.keys(ActionId::Quit).is_empty());
        let losses: Vec<_> = keymap.losses().collect();
        assert_eq!(
            losses,
            ["c was create, and goes to snapshot: it has none now, and is found by its name"]
        );
    }

    #[test]
    fn conflicts_and_what_is_no_key_or_action_are_told_with_their_lines() {
        let faults = keymap(
            "[keys]\nsnapshot = \"x\"\ndelete = \"x\"\nsnapshoot = \"z\"\nframe-cost = \"z\"\nopen = \"entr\"\n\
             help = \"ctrl-c\"\npalette = []\n",
        )
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "c:2: \"x\" is given to delete and to snapshot; give it to one",
                "c:4: there is no action \"snapshoot\"; did you mean \"snapshot\"?",
                "c:5: there is no action \"frame-cost\"; did you mean \"perf\"?",
                "c:6: \"entr\" is no key; did you mean \"enter\"?",
                "c:7: \"ctrl-c\" always leaves",
                "c:8: palette would have no key, and what has none is found by it",
            ]
        );
    }
}
