//! All that can be set, as a `config.toml` with everything in it commented out: made from the schema.

use std::fmt::Write as _;

use serde_json::Value as Schema;

use super::check::words;
use super::settings::schema;

/// The columns that a comment takes at most.
const WIDTH: usize = 100;

/// A key of the console: the name of the action, its keys, and what it does.
pub(super) type KeyLine = (String, Vec<String>, String);

/// A `config.toml` that says everything that can be said, and what holds where nothing is. `keys` are those
/// of the console.
#[must_use]
pub fn document(keys: &[KeyLine]) -> String {
    let schema = schema();
    let mut out = String::from(
        "# snapdeck reads this when it starts, and again whenever it is written while the console runs.\n\
         # What is commented out is what holds anyway.\n",
    );
    let mut tables = Vec::new();
    let mut profiles = None;
    for (name, property) in properties(&schema) {
        if name == "profiles" {
            profiles = Some(property);
            continue;
        }
        let inner = resolve(&schema, property);
        if inner.get("properties").is_some() || name == "keys" {
            tables.push((name, property, inner));
        } else {
            setting(&mut out, &schema, name, property);
        }
    }
    for (name, property, inner) in tables {
        out.push('\n');
        comment(&mut out, text(property, "description"));
        let _ = writeln!(out, "[{name}]");
        for (name, property) in properties(inner) {
            setting(&mut out, &schema, name, property);
        }
        if name == "keys" {
            for (action, keys, doc) in keys {
                let keys = keys.iter().map(|key| quote(key)).collect::<Vec<_>>();
                let keys = match keys.as_slice() {
                    [one] => one.clone(),
                    several => format!("[{}]", several.join(", ")),
                };
                let _ = writeln!(out, "# {action} = {keys}  # {doc}");
            }
        }
    }
    if let Some(property) = profiles {
        out.push('\n');
        comment(&mut out, text(property, "description"));
        let _ = writeln!(out, "#   [profiles.NAME]");
        let one = property.get("additionalProperties").unwrap_or(property);
        profile(&mut out, &schema, resolve(&schema, one), "");
    }
    out
}

/// One profile, as a pattern: names stand for themselves, and nothing of it holds.
fn profile(out: &mut String, root: &Schema, table: &Schema, prefix: &str) {
    for (name, property) in properties(table) {
        let inner = resolve(root, property);
        if inner.get("properties").is_some() {
            profile(out, root, inner, &format!("{prefix}{name}."));
            continue;
        }
        let about = text(property, "description").replace('\n', " ");
        let value = match property.get("default") {
            Some(Schema::String(text)) => quote(text),
            Some(Schema::Bool(flag)) => flag.to_string(),
            _ if inner.to_string().contains("integer") => "N".to_owned(),
            _ => "\"...\"".to_owned(),
        };
        let _ = writeln!(out, "#   {prefix}{name} = {value}  # {about}");
    }
}

fn properties(schema: &Schema) -> impl Iterator<Item = (&String, &Schema)> {
    let map = schema.get("properties").and_then(Schema::as_object);
    map.into_iter().flatten()
}

fn resolve<'s>(root: &'s Schema, schema: &'s Schema) -> &'s Schema {
    let target = text(schema, "$ref").strip_prefix('#');
    let target = target.and_then(|pointer| root.pointer(pointer));
    target.unwrap_or(schema)
}

fn text<'s>(schema: &'s Schema, name: &str) -> &'s str {
    schema
        .get(name)
        .and_then(Schema::as_str)
        .unwrap_or_default()
}

fn setting(out: &mut String, root: &Schema, name: &str, property: &Schema) {
    out.push('\n');
    comment(out, text(property, "description"));
    let inner = resolve(root, property);
    let words = words(inner);
    for word in &words {
        let described = inner.get("oneOf").and_then(Schema::as_array);
        let one = described
            .into_iter()
            .flatten()
            .find(|one| text(one, "const") == word);
        let about = one.map_or("", |one| text(one, "description"));
        let _ = writeln!(out, "#   {:<10} {about}", quote(word));
    }
    let default = match property.get("default") {
        Some(Schema::String(text)) => quote(text),
        Some(Schema::Null) | None => "\"...\"".to_owned(),
        Some(other) => other.to_string(),
    };
    let _ = writeln!(out, "# {name} = {default}");
}

/// A text as TOML writes it.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn comment(out: &mut String, said: &str) {
    for paragraph in said.split("\n\n") {
        let mut line = String::from("#");
        for word in paragraph.split_whitespace() {
            if line.len() + word.len() >= WIDTH {
                let _ = writeln!(out, "{line}");
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Settings, parse};

    #[test]
    fn what_it_says_is_what_holds() {
        let keys = [(
            "help".to_owned(),
            vec!["?".to_owned(), "\"".to_owned()],
            "help".to_owned(),
        )];
        let document = document(&keys);
        let commented = parse(Path::new("c"), &document).unwrap();
        assert_eq!(commented.settings, Settings::default());
        // Taken at its word, with everything said, it is the same but for what has no default.
        let said: String = document
            .lines()
            .filter(|line| !line.contains("\"...\""))
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split(' ').nth(1) == Some("=") => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let mut read = parse(Path::new("c"), &said).unwrap().settings;
        assert_eq!(read.keys.remove("help").unwrap().iter().count(), 2);
        assert_eq!(read, Settings::default());
    }

    #[test]
    fn every_setting_has_its_sentence() {
        let schema = schema();
        let defs = schema["$defs"].as_object().unwrap().values();
        for (name, property) in properties(&schema).chain(defs.flat_map(properties)) {
            assert!(!text(property, "description").is_empty(), "{name}");
        }
    }
}
