//! Takes out of a text what names people, machines and what they keep, and puts a stand-in for it: always the same
//! for the same, so that a report can still be followed.

use std::collections::{BTreeMap, BTreeSet};

/// Where a word ends, for what is looked for as a whole.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What stands for what.
#[derive(Debug, Default)]
pub(super) struct Scrubber {
    /// By what is taken out; the longest is looked for first.
    known: Vec<(String, String)>,
    /// How many of each kind there are.
    counts: BTreeMap<&'static str, usize>,
    /// The kinds of which something was taken out, for the manifest.
    used: BTreeSet<&'static str>,
}

impl Scrubber {
    /// This text is taken out wherever it stands as a whole; `stand_in` is put for it.
    pub(super) fn withhold(&mut self, text: &str, stand_in: &str) {
        // What is so short would be found everywhere, and tells nobody anything.
        if text.chars().count() < 2 || self.known.iter().any(|(known, _)| known == text) {
            return;
        }
        self.known.push((text.to_owned(), stand_in.to_owned()));
        self.known
            .sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }

    /// A name of this kind of thing: `name-7` is put for it.
    pub(super) fn withhold_name(&mut self, name: &str, kind: &'static str) {
        if self.known.iter().any(|(known, _)| known == name) {
            return;
        }
        let count = self.counts.entry(kind).or_insert(0);
        *count += 1;
        let stand_in = format!("{kind}-{count}");
        self.withhold(name, &stand_in);
    }

    /// The kinds of words by pattern that were taken out so far.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &'static str> {
        self.used.iter().copied()
    }

    /// How many names were taken in.
    pub(super) fn names(&self) -> usize {
        self.counts.values().sum()
    }

    /// The text without them.
    pub(super) fn scrub(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            // First what looks like something: a name that is a part of it goes with it.
            let line = self.patterns_out(line);
            out.push_str(&self.known_out(&line));
        }
        out
    }

    fn known_out(&self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        let mut before = None;
        'text: while let Some(c) = rest.chars().next() {
            for (known, stand_in) in &self.known {
                let Some(after) = rest.strip_prefix(known.as_str()) else {
                    continue;
                };
                // What is a part of a longer word is that word's business.
                let starts = !known.starts_with(is_word) || !before.is_some_and(is_word);
                let ends = !known.ends_with(is_word) || !after.starts_with(is_word);
                if starts && ends {
                    out.push_str(stand_in);
                    before = known.chars().last();
                    rest = after;
                    continue 'text;
                }
            }
            out.push(c);
            before = Some(c);
            rest = &rest[c.len_utf8()..];
        }
        out
    }

    /// Takes out what looks like an address or a path, whoever's it is.
    fn patterns_out(&mut self, line: &str) -> String {
        // The places of a backtrace are those of whoever built the program.
        if line.trim_start().starts_with("at ") {
            return line.to_owned();
        }
        let apart = |c: char| c.is_whitespace() || "\"'`(),;<>[]{}".contains(c);
        let mut out = String::with_capacity(line.len());
        for piece in line.split_inclusive(apart) {
            let word = piece.trim_end_matches(apart);
            // What is told of something by its name stands behind it: `path=/a/b`.
            let told = word.split_once('=').map_or(0, |(name, _)| name.len() + 1);
            let found = kind(word).map(|kind| (0, kind));
            match found.or_else(|| kind(&word[told..]).map(|kind| (told, kind))) {
                Some((from, (kind, stand_in))) => {
                    self.used.insert(kind);
                    out.push_str(&word[..from]);
                    out.push_str(stand_in);
                    out.push_str(&piece[word.len()..]);
                }
                None => out.push_str(piece),
            }
        }
        out
    }
}

/// What a word looks like, and what stands for it.
fn kind(word: &str) -> Option<(&'static str, &'static str)> {
    let bare = word.trim_end_matches(['.', ':']);
    if bare.contains("://") {
        return Some(("web addresses", "(url)"));
    }
    let host = match bare.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => bare,
    };
    // A time is no address, and neither is a bare number.
    let is_address =
        bare.parse::<std::net::Ipv6Addr>().is_ok() || host.parse::<std::net::Ipv4Addr>().is_ok();
    if is_address {
        return Some(("network addresses", "(address)"));
    }
    if let Some((user, at)) = bare.split_once('@')
        && !user.is_empty()
        && !at.is_empty()
    {
        return Some(("names with an @", "(name@name)"));
    }
    if bare.len() > 1 && (bare.starts_with('/') || bare.starts_with("~/")) {
        return Some(("paths", "(path)"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        let mut scrubber = Scrubber::default();
        scrubber.withhold("/home/anna", "~");
        scrubber.withhold("anna", "(user)");
        scrubber.withhold("store7.example.org", "(host)");
        scrubber.withhold_name("db01-data", "name");
        scrubber.withhold_name("db01", "name");
        scrubber
    }

    #[test]
    fn what_is_known_is_taken_out_as_a_whole_and_always_alike() {
        let mut s = scrubber();
        for (text, left) in [
            ("delete db01-data of db01", "delete name-1 of name-2"),
            ("db012 and xdb01 stay", "db012 and xdb01 stay"),
            ("hanna, anna and anna_b", "hanna, (user) and anna_b"),
            ("on store7.example.org: no", "on (host): no"),
            ("\"db01-data\"@x", "\"name-1\"@x"),
        ] {
            assert_eq!(s.scrub(text), left);
        }
        assert_eq!(s.names(), 2);
    }

    #[test]
    fn what_looks_like_an_address_or_a_path_is_taken_out() {
        let mut s = scrubber();
        for (text, left) in [
            ("10.0.0.7:9260 did not answer", "(address) did not answer"),
            (
                "fe80::1 and ::1, at 12:30:01",
                "(address) and (address), at 12:30:01",
            ),
            ("see https://x.y/z?token=1.", "see (url)"),
            ("ask joe@example.org", "ask (name@name)"),
            ("open \"/srv/secret/a\": no", "open \"(path)\": no"),
            ("in /home/anna/x", "in (path)"),
            ("read file=/a/b bytes=3", "read file=(path) bytes=3"),
            (
                "1/2 of 3, 64 MiB/s, ratio 1.5",
                "1/2 of 3, 64 MiB/s, ratio 1.5",
            ),
            ("   at /rustc/x/y.rs:1", "   at /rustc/x/y.rs:1"),
        ] {
            assert_eq!(s.scrub(text), left, "{text}");
        }
        assert_eq!(s.patterns().count(), 4);
    }

    proptest::proptest! {
        /// Whatever stands around it, a name that stands alone is never left.
        #[test]
        fn no_name_is_left(before in "\\PC{0,12}", after in "\\PC{0,12}") {
            let mut s = scrubber();
            let text = format!("{before} db01-data {after}");
            proptest::prop_assert!(!s.scrub(&text).split(' ').any(|word| word == "db01-data"));
        }
    }
}
