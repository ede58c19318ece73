//! XML as the JSON that it stands for, and back (section 3.3).
//!
//! Read is what a hostile peer may send: the depth and the number of elements are bounded, there are no entities but
//! the five of XML, and nothing is fetched.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

use super::words;

/// Elements may be inside each other so deep.
const DEPTH: usize = 32;
/// A body may have so many elements.
const ELEMENTS: usize = 2_000_000;

/// An element that has not ended yet.
struct Open {
    name: String,
    text: String,
    attributes: Map<String, Value>,
    children: Vec<(String, Value)>,
}

/// The name of the root, and what is in it.
///
/// # Errors
/// Why it is no such XML, in a few words.
pub fn read(bytes: &[u8]) -> Result<(String, Value), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut stack: Vec<Open> = Vec::new();
    let mut root: Option<(String, Value)> = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|e| {
            let at = reader.error_position();
            format!("it is no XML from byte {at} on: {e}")
        })?;
        match event {
            Event::Start(tag) => {
                begin(&mut stack, &tag, root.is_some(), &mut elements)?;
            }
            Event::Empty(tag) => {
                begin(&mut stack, &tag, root.is_some(), &mut elements)?;
                end(&mut stack, &mut root)?;
            }
            Event::End(_) => end(&mut stack, &mut root)?,
            Event::Text(text) => add(&mut stack, &text.decode().map_err(|e| e.to_string())?)?,
            Event::CData(text) => add(&mut stack, &text.decode().map_err(|e| e.to_string())?)?,
            Event::GeneralRef(reference) => {
                let mut buffer = [0; 4];
                add(&mut stack, resolve(&reference)?.encode_utf8(&mut buffer))?;
            }
            Event::DocType(_) => return Err("it declares a document type".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match (stack.last(), root) {
        (Some(open), _) => Err(format!("it ends within <{}>", open.name)),
        (None, Some(root)) => Ok(root),
        (None, None) => Err("it is empty".to_owned()),
    }
}

fn begin(
    stack: &mut Vec<Open>,
    tag: &BytesStart<'_>,
    over: bool,
    elements: &mut usize,
) -> Result<(), String> {
    *elements += 1;
    if stack.len() >= DEPTH {
        return Err(format!("it is more than {DEPTH} elements deep"));
    }
    if *elements > ELEMENTS {
        return Err(format!("it has more than {ELEMENTS} elements"));
    }
    if over && stack.is_empty() {
        return Err("it has more than one root".to_owned());
    }
    let name = name_of(tag.name().as_ref())?;
    let mut attributes = Map::new();
    // Others are not heeded: the original has none.
    if name == "link" {
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|e| format!("an attribute of <link>: {e}"))?;
            let raw = std::str::from_utf8(&attribute.value).map_err(|e| e.to_string())?;
            let value = quick_xml::escape::unescape(raw).map_err(|e| e.to_string())?;
            attributes.insert(name_of(attribute.key.as_ref())?, value.into_owned().into());
        }
    }
    stack.push(Open {
        name,
        text: String::new(),
        attributes,
        children: Vec::new(),
    });
    Ok(())
}

fn name_of(bytes: &[u8]) -> Result<String, String> {
    let name = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    Ok(name.to_owned())
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|e| e.to_string())? {
        return Ok(character);
    }
    match reference.decode().map_err(|e| e.to_string())?.as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        other => Err(format!("it has the entity &{other};, which XML has not")),
    }
}

fn add(stack: &mut [Open], text: &str) -> Result<(), String> {
    match stack.last_mut() {
        Some(open) => open.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("there is text outside of its root".to_owned()),
    }
    Ok(())
}

fn end(stack: &mut Vec<Open>, root: &mut Option<(String, Value)>) -> Result<(), String> {
    let Some(open) = stack.pop() else {
        return Err("an element ends that has not begun".to_owned());
    };
    let name = open.name.clone();
    let value = value(open, stack.is_empty())?;
    match stack.last_mut() {
        Some(parent) => parent.children.push((name, value)),
        None => *root = Some((name, value)),
    }
    Ok(())
}

/// What an element says.
fn value(open: Open, root: bool) -> Result<Value, String> {
    let Open {
        name,
        text,
        attributes,
        children,
    } = open;
    if !attributes.is_empty() {
        return Ok(Value::Object(attributes));
    }
    if !children.is_empty() && !text.trim().is_empty() {
        return Err(format!("there is text between the elements of <{name}>"));
    }
    if !root && let Some(inner) = words::inner(&name) {
        let list = children.iter().all(|(child, _)| child == inner);
        if list && text.trim().is_empty() {
            return Ok(children.into_iter().map(|(_, value)| value).collect());
        }
    }
    let of_root = words::of_root(&name).filter(|_| root);
    if children.is_empty() && of_root.is_none() {
        return Ok(match root && text.trim().is_empty() {
            true => Value::Object(Map::new()),
            false => scalar(&name, text),
        });
    }
    let mut map = Map::new();
    if let Some(inner) = of_root {
        map.insert(inner.to_owned(), Value::Array(Vec::new()));
    }
    for (child, value) in children {
        let list = words::is_list(&name, &child);
        match map.get_mut(&child) {
            None if list => {
                map.insert(child, Value::Array(vec![value]));
            }
            None => {
                map.insert(child, value);
            }
            Some(Value::Array(all)) if list => all.push(value),
            // What is not known to be a list, and comes more than once, is one.
            Some(Value::Array(all)) if words::inner(&child).is_none() => all.push(value),
            Some(first) => {
                let first = std::mem::take(first);
                map.insert(child, Value::Array(vec![first, value]));
            }
        }
    }
    Ok(Value::Object(map))
}

/// A text as what its name says that it is; as it stands where it is not.
fn scalar(name: &str, text: String) -> Value {
    if words::is_flag(name) {
        match text.trim() {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            _ => {}
        }
    }
    if words::is_number(name)
        && let Ok(number) = text.trim().parse::<i64>()
    {
        return number.into();
    }
    Value::String(text)
}

/// The XML of a body with this root.
#[must_use]
pub fn write(root: &str, body: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>");
    element(&mut out, root, body, true);
    out
}

fn element(out: &mut String, name: &str, value: &Value, root: bool) {
    let text = match value {
        Value::Null => return,
        Value::Array(items) => {
            match words::inner(name).filter(|_| !root) {
                Some(_) if items.is_empty() => out.push_str(&format!("<{name}/>")),
                Some(inner) => {
                    out.push_str(&format!("<{name}>"));
                    for item in items {
                        element(out, inner, item, false);
                    }
                    out.push_str(&format!("</{name}>"));
                }
                None => {
                    for item in items {
                        element(out, name, item, false);
                    }
                }
            }
            return;
        }
        Value::Object(map) => {
            object(out, name, map);
            return;
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = quick_xml::escape::escape(text.as_str());
    out.push_str(&format!("<{name}>{text}</{name}>"));
}

fn object(out: &mut String, name: &str, map: &Map<String, Value>) {
    let flat = map.values().all(Value::is_string);
    if name == "link" && flat {
        out.push_str("<link");
        // In the order of the original.
        for key in ["rel", "href"] {
            if let Some(value) = map.get(key).and_then(Value::as_str) {
                let value = quick_xml::escape::escape(value);
                out.push_str(&format!(" {key}=\"{value}\""));
            }
        }
        out.push_str("/>");
        return;
    }
    let mut inside = String::new();
    for (key, value) in map {
        element(&mut inside, key, value, false);
    }
    match inside.is_empty() {
        true => out.push_str(&format!("<{name}/>")),
        false => out.push_str(&format!("<{name}>{inside}</{name}>")),
    }
}
