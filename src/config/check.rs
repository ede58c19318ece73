//! Holds a TOML document to the schema, and names everything that is wrong with its line, rather
//! than the first thing only.

use std::path::Path;

use serde_json::Value as Schema;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, did_you_mean};

/// A document that is held to a schema.
pub(super) struct Check<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    pub(super) schema: &'a Schema,
    pub(super) faults: Vec<Fault>,
}

impl Check<'_> {
    /// The line of a byte, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        line(self.text, byte)
    }

    fn fault(&mut self, byte: usize, what: String, meant: Option<String>) {
        let fault = Fault::new(self.file, self.line(byte), what);
        self.faults.push(fault.meant(meant));
    }

    /// Checks the whole document.
    pub(super) fn document(&mut self, table: &Spanned<DeTable<'_>>) {
        let schema = self.schema;
        self.table(table.get_ref(), schema, "");
    }

    /// What a reference leads to.
    fn resolve<'s>(&'s self, schema: &'s Schema) -> &'s Schema {
        let target = schema
            .get("$ref")
            .and_then(Schema::as_str)
            .and_then(|reference| self.schema.pointer(reference.strip_prefix('#')?));
        target.unwrap_or(schema)
    }

    fn table(&mut self, table: &DeTable<'_>, schema: &Schema, path: &str) {
        let schema = self.resolve(schema).clone();
        let known = schema.get("properties").and_then(Schema::as_object);
        let rest = schema
            .get("additionalProperties")
            .filter(|rest| rest.is_object());
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let here = match path {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            };
            match known.and_then(|known| known.get(name)).or(rest) {
                Some(schema) => self.value(value, schema, &here),
                None => {
                    let names = known.into_iter().flatten().map(|(name, _)| name.as_str());
                    let names: Vec<_> = names.collect();
                    let meant = did_you_mean(name, names.iter().copied())
                        .or_else(|| Some(format!("there are {}", names.join(", "))));
                    let what = format!("there is no setting \"{here}\"");
                    self.fault(key.span().start, what, meant);
                }
            }
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &Schema, path: &str) {
        let schema = self.resolve(schema).clone();
        let at = value.span().start;
        let words = words(&schema);
        if !words.is_empty() {
            let said = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                // `colors = 256` says clearly what is meant, and is not what it has to look like.
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Boolean(flag) => flag.to_string(),
                other => article(other),
            };
            let is_text = matches!(value.get_ref(), DeValue::String(_));
            if !words.contains(&said) || !is_text {
                let meant = if words.contains(&said) {
                    Some(format!("write it as text: \"{said}\""))
                } else {
                    did_you_mean(&said, words.iter().map(String::as_str))
                };
                let what = format!("{path} is {}", quoted(&words));
                self.fault(at, what, meant);
            }
            return;
        }
        let types = types(&self.alternatives(&schema));
        let fits = |name: &str| types.iter().any(|t| t == name);
        match value.get_ref() {
            DeValue::Table(table) if fits("object") => self.table(table, &schema, path),
            DeValue::Array(items) if fits("array") => {
                let alternatives = self.alternatives(&schema);
                let of = alternatives.iter().find_map(|s| s.get("items")).cloned();
                for item in items {
                    if let Some(schema) = &of {
                        self.value(item, schema, path);
                    }
                }
            }
            DeValue::String(_) if fits("string") => {}
            DeValue::Boolean(_) if fits("boolean") => {}
            DeValue::Integer(_) if fits("integer") || fits("number") => {}
            DeValue::Float(_) if fits("number") => {}
            other => {
                let wanted: Vec<_> = types.iter().filter_map(|t| told(t)).collect();
                let what = format!("{path} is {}, not {}", wanted.join(" or "), article(other));
                self.fault(at, what, None);
            }
        }
    }

    /// A schema, or each of those of which one must fit.
    fn alternatives(&self, schema: &Schema) -> Vec<Schema> {
        match schema.get("anyOf").and_then(Schema::as_array) {
            Some(any) => any.iter().map(|s| self.resolve(s).clone()).collect(),
            None => vec![schema.clone()],
        }
    }
}

/// The line of a byte, from 1.
pub(super) fn line(text: &str, byte: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(byte)
        .filter(|b| **b == b'\n')
        .count()
        + 1
}

/// The words of which one must be said, where there are only so many.
pub(super) fn words(schema: &Schema) -> Vec<String> {
    let list = |name: &str| schema.get(name).and_then(Schema::as_array);
    let text = |value: &Schema| value.as_str().map(str::to_owned);
    match (list("enum"), list("oneOf")) {
        (Some(words), _) => words.iter().filter_map(text).collect(),
        (_, Some(any)) => any
            .iter()
            .filter_map(|one| one.get("const").and_then(text))
            .collect(),
        _ => Vec::new(),
    }
}

fn types(schemas: &[Schema]) -> Vec<String> {
    let mut types = Vec::new();
    for schema in schemas {
        match schema.get("type") {
            Some(Schema::String(one)) => types.push(one.clone()),
            Some(Schema::Array(several)) => {
                types.extend(several.iter().filter_map(Schema::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    types
}

fn told(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a table",
        _ => return None,
    })
}

fn article(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text \"{text}\""),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(_) => "a number".to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn quoted(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
