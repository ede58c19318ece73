//! Keys and values that people keep on a thing, as they are typed to be changed.

use std::collections::BTreeMap;

use super::OWN;
use crate::model::Problem;

/// Keys and values have at most so many characters.
const LONGEST: usize = 255;

/// What is to be different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::provider) struct Labels {
    /// What is set, to what.
    pub(in crate::provider) set: BTreeMap<String, String>,
    /// What is taken away.
    pub(in crate::provider) remove: Vec<String>,
}

impl Labels {
    /// Reads `tier=gold, old-`: what is set, and what is taken away, with commas between. Keys that begin with what is
    /// `reserved` are the service's.
    pub(in crate::provider) fn parse(text: &str, reserved: &str) -> Result<Self, Problem> {
        let mut labels = Self::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (key, value) = match (part.split_once('='), part.strip_suffix('-')) {
                (Some((key, value)), _) => (key.trim(), Some(value.trim())),
                (None, Some(key)) => (key, None),
                (None, None) => {
                    return Err(Problem::user(format!("\"{part}\" changes no metadata"))
                        .hint("write key=value to set one, and key- to take one away"));
                }
            };
            let length = key.chars().count();
            if length == 0 || length > LONGEST || value.is_some_and(|v| v.chars().count() > LONGEST)
            {
                return Err(Problem::user(format!(
                    "the metadata \"{part}\" is too long, or has no key: keys have 1 to {LONGEST} characters, values at most as many"
                )));
            }
            if key.starts_with(OWN) || (!reserved.is_empty() && key.starts_with(reserved)) {
                let mut whose = OWN.to_owned();
                if !reserved.is_empty() {
                    whose.push_str(&format!(" or {reserved}"));
                }
                return Err(Problem::user(format!(
                    "the metadata \"{key}\" is not yours to change"
                ))
                .because(format!("keys that begin with {whose} are kept by programs")));
            }
            if labels.set.contains_key(key) || labels.remove.iter().any(|k| k == key) {
                return Err(Problem::user(format!(
                    "the metadata \"{key}\" is named twice"
                )));
            }
            match value {
                Some(value) => {
                    labels.set.insert(key.to_owned(), value.to_owned());
                }
                None => labels.remove.push(key.to_owned()),
            }
        }
        Ok(labels)
    }

    /// Leaves out what is so already; says what is left, a line for each, and how it is typed to take it back.
    pub(in crate::provider) fn against(
        &mut self,
        now: &BTreeMap<String, String>,
    ) -> (Vec<String>, String) {
        self.set.retain(|key, value| now.get(key) != Some(value));
        self.remove.retain(|key| now.contains_key(key));
        let (mut lines, mut back) = (Vec::new(), Vec::new());
        for (key, value) in &self.set {
            match now.get(key) {
                Some(old) => {
                    lines.push(format!("metadata {key}: \"{old}\" becomes \"{value}\""));
                    back.push(format!("{key}={old}"));
                }
                None => {
                    lines.push(format!("metadata {key}: \"{value}\" is new"));
                    back.push(format!("{key}-"));
                }
            }
        }
        for key in &self.remove {
            let old = now.get(key).map_or("", String::as_str);
            lines.push(format!("metadata {key}: \"{old}\" goes"));
            back.push(format!("{key}={old}"));
        }
        (lines, back.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_changed_and_can_be_taken_back() {
        let mut labels = Labels::parse(" tier=gold, old- ,a=b=c, same=1", "__system__").unwrap();
        let now: BTreeMap<String, String> = [("old", "x"), ("tier", "tin"), ("same", "1")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let (lines, back) = labels.against(&now);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(back, "a-, tier=tin, old=x");
        assert_eq!(labels.set["a"], "b=c");
        let mut then = now.clone();
        then.extend(labels.set.clone());
        then.retain(|key, _| !labels.remove.contains(key));
        let mut undo = Labels::parse(&back, "").unwrap();
        undo.against(&then);
        then.extend(undo.set.clone());
        then.retain(|key, _| !undo.remove.contains(key));
        assert_eq!(then, now);
        for wrong in ["x", "=1", "__system__a=1", "snapdeck_key-", "a=1,a-"] {
            assert!(Labels::parse(wrong, "__system__").is_err(), "{wrong}");
        }
        let long = format!("{}=1", "k".repeat(256));
        assert!(Labels::parse(&long, "").is_err());
    }
}
