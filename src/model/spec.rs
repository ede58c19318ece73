//! What an operation takes. Forms, flags, checks and documentation are made
//! from these specs and from nothing else.

use serde::{Deserialize, Serialize};

use super::{Bytes, Kind, ObjectRef, Operation, OperationKind, Problem, Term, Terms, Value, term};

/// The type and the limits of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldType {
    /// A name: no control characters, 1 to `max` characters.
    Name {
        /// The most characters it may have.
        max: usize,
    },
    /// Free text of at most `max` characters; may be empty.
    Text {
        /// The most characters it may have.
        max: usize,
    },
    /// A size in bytes.
    Size {
        /// The least.
        min: Bytes,
        /// The most.
        max: Bytes,
        /// What it must be a multiple of.
        step: Bytes,
    },
    /// Yes or no.
    Flag,
    /// One of these words.
    Choice(#[serde(deserialize_with = "term::read_list")] Terms),
    /// A thing of this kind, chosen from a list or named.
    Object(Kind),
    /// One or more things of this kind, typed with commas between.
    Objects(Kind),
    /// The path of a file to read on this machine.
    File,
}

/// One field of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSpec {
    /// The name: a flag of the command line and a key of the values (`snapshot`).
    #[serde(deserialize_with = "term::read")]
    pub name: Term,
    /// What a form shows before it (`Snapshot`).
    #[serde(deserialize_with = "term::read")]
    pub label: Term,
    /// One sentence on what it means.
    #[serde(deserialize_with = "term::read")]
    pub doc: Term,
    /// Its type and limits.
    pub ty: FieldType,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given, as text that its type accepts.
    #[serde(deserialize_with = "term::read_optional")]
    pub default: Option<Term>,
    /// What is typed into it is shown nowhere: not on the screen, not in a recording.
    pub secret: bool,
}

impl FieldSpec {
    /// A field that must be given.
    #[must_use]
    pub const fn required(
        name: &'static str,
        label: &'static str,
        ty: FieldType,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            label,
            doc,
            ty,
            required: true,
            default: None,
            secret: false,
        }
    }

    /// A field that may be left out.
    #[must_use]
    pub const fn optional(
        name: &'static str,
        label: &'static str,
        ty: FieldType,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            label,
            doc,
            ty,
            required: false,
            default: None,
            secret: false,
        }
    }

    /// The same with a default.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// The same as a secret.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Reads what was typed. An object must already be an id here: names are
    /// resolved by the face that knows the lists.
    ///
    /// # Errors
    /// A sentence for the person who typed it, without the field's name.
    pub fn check(&self, text: &str) -> Result<Value, String> {
        match &self.ty {
            FieldType::Name { max } => {
                let text = text.trim();
                if text.is_empty() {
                    return Err("a name is needed".to_owned());
                }
                check_text(text, *max)?;
                Ok(Value::Text(text.to_owned()))
            }
            FieldType::Text { max } => {
                check_text(text, *max)?;
                Ok(Value::Text(text.to_owned()))
            }
            FieldType::Size { min, max, step } => {
                let size: Bytes = text
                    .parse()
                    .map_err(|e: super::size::ParseSizeError| e.to_string())?;
                if size < *min {
                    return Err(format!("at least {min}"));
                }
                if size > *max {
                    return Err(format!("at most {max}"));
                }
                if step.0 > 1 && !size.0.is_multiple_of(step.0) {
                    return Err(format!("a multiple of {step}"));
                }
                Ok(Value::Size(size))
            }
            FieldType::Flag => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "on" | "1" => Ok(Value::Flag(true)),
                "false" | "no" | "n" | "off" | "0" => Ok(Value::Flag(false)),
                _ => Err("yes or no".to_owned()),
            },
            FieldType::Object(kind) => {
                let id = text.trim();
                if id.is_empty() {
                    return Err(format!("a {} is needed", kind.one()));
                }
                Ok(Value::Object(ObjectRef::new(*kind, id)))
            }
            FieldType::Choice(words) => {
                let text = text.trim();
                match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                    Some(word) => Ok(Value::Text((*word).to_owned())),
                    None => Err(format!("one of {}", words.join(", "))),
                }
            }
            FieldType::Objects(kind) => {
                let mut objects: Vec<ObjectRef> = Vec::new();
                for id in text.split(',').map(str::trim).filter(|id| !id.is_empty()) {
                    let object = ObjectRef::new(*kind, id);
                    if objects.contains(&object) {
                        return Err(format!("{id} is named twice"));
                    }
                    objects.push(object);
                }
                match objects.is_empty() {
                    true => Err(format!("at least one {} is needed", kind.one())),
                    false => Ok(Value::Objects(objects)),
                }
            }
            FieldType::File => {
                if text.is_empty() {
                    return Err("a file is needed".to_owned());
                }
                Ok(Value::Text(text.to_owned()))
            }
        }
    }
}

fn check_text(text: &str, max: usize) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(format!(
            "the character {} is not allowed",
            c.escape_unicode()
        ));
    }
    let length = text.chars().count();
    if length > max {
        return Err(format!("at most {max} characters; this has {length}"));
    }
    Ok(())
}

/// Whether a provider has an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// It has.
    Supported,
    /// It has not, for this reason, told as a sentence in lower case.
    Unsupported(String),
}

/// An operation as a provider offers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationSpec {
    /// Which operation.
    pub kind: OperationKind,
    /// What menus call it, in the provider's own words (`Take a snapshot`).
    #[serde(deserialize_with = "term::read")]
    pub title: Term,
    /// One or two sentences on what it does and what it costs.
    #[serde(deserialize_with = "term::read")]
    pub doc: Term,
    /// The kind of the thing that it is done to: the field of that name is
    /// filled from the selection. `None` where it needs no selection.
    pub on: Option<Kind>,
    /// Its fields, in the order in which a form asks for them.
    pub fields: Vec<FieldSpec>,
    /// Whether the provider has it.
    pub availability: Availability,
}

impl OperationSpec {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Makes the operation from typed texts: checks each, fills defaults.
    ///
    /// # Errors
    /// One [`Problem`] that names every field that is wrong or missing.
    pub fn operation(&self, texts: &[(&str, &str)]) -> Result<Operation, Problem> {
        let mut operation = Operation::new(self.kind);
        let mut wrong = Vec::new();
        for (name, _) in texts {
            if self.field(name).is_none() {
                wrong.push(format!("there is no field {name}"));
            }
        }
        for field in &self.fields {
            let given = texts
                .iter()
                .find(|(name, _)| *name == field.name)
                .map(|(_, text)| *text)
                .or(field.default);
            match given {
                Some(text) => match field.check(text) {
                    Ok(value) => {
                        operation.values.insert(field.name.to_owned(), value);
                    }
                    Err(why) => wrong.push(format!("{}: {why}", field.name)),
                },
                None if field.required => wrong.push(format!("{} is missing", field.name)),
                None => {}
            }
        }
        if wrong.is_empty() {
            return Ok(operation);
        }
        let mut problem = Problem::user(format!("{} cannot be done as asked", self.kind));
        problem.causes = wrong;
        Err(problem)
    }

    /// Checks an operation that was made elsewhere: it may come from a script that no form has seen.
    ///
    /// # Errors
    /// The reason why the operation is not there, or one that names every field that is wrong or missing.
    pub fn check(&self, operation: &Operation) -> Result<(), Problem> {
        if let Availability::Unsupported(reason) = &self.availability {
            return Err(
                Problem::user(format!("{} cannot be done here", operation.kind))
                    .because(reason.clone()),
            );
        }
        let texts: Vec<(&str, String)> = operation
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_string()))
            .collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (*n, t.as_str())).collect();
        let again = self.operation(&texts)?;
        match operation
            .values
            .iter()
            .find(|(name, value)| again.values.get(*name) != Some(value))
        {
            Some((name, _)) => Err(Problem::user(format!(
                "{} cannot be done as asked: {name} is of the wrong type",
                operation.kind
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> OperationSpec {
        OperationSpec {
            kind: OperationKind::CreateVolume,
            title: "Create a volume",
            doc: "",
            on: None,
            fields: vec![
                FieldSpec::required("name", "Name", FieldType::Name { max: 8 }, ""),
                FieldSpec::required(
                    "size",
                    "Size",
                    FieldType::Size {
                        min: Bytes(4096),
                        max: Bytes::tib(64),
                        step: Bytes(4096),
                    },
                    "",
                ),
                FieldSpec::optional("guard", "Guard", FieldType::Flag, "").default("yes"),
            ],
            availability: Availability::Supported,
        }
    }

    #[test]
    fn makes_an_operation_and_fills_defaults() {
        let operation = spec()
            .operation(&[("name", " db "), ("size", "64MiB")])
            .unwrap();
        assert_eq!(operation.get_text("name").unwrap(), "db");
        assert_eq!(operation.get_size("size").unwrap(), Bytes::mib(64));
        assert!(operation.flag("guard"));
    }

    #[test]
    fn names_everything_that_is_wrong_at_once() {
        let problem = spec()
            .operation(&[("name", "far too long a name"), ("colour", "red")])
            .unwrap_err();
        assert_eq!(
            problem.causes,
            [
                "there is no field colour",
                "name: at most 8 characters; this has 19",
                "size is missing"
            ]
        );
    }

    #[test]
    fn limits_are_sentences() {
        let spec = spec();
        let size = spec.field("size").unwrap();
        assert_eq!(size.check("1k").unwrap_err(), "at least 4 KiB");
        assert_eq!(size.check("65T").unwrap_err(), "at most 64 TiB");
        assert_eq!(size.check("4097").unwrap_err(), "a multiple of 4 KiB");
        let name = spec.field("name").unwrap();
        assert_eq!(
            name.check("a\u{1b}[2J").unwrap_err(),
            "the character \\u{1b} is not allowed"
        );
        assert_eq!(name.check("  ").unwrap_err(), "a name is needed");
        assert_eq!(
            spec.field("guard").unwrap().check("NO"),
            Ok(Value::Flag(false))
        );
    }
}
