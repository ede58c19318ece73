//! Snapshot trees. "Nesting is unlimited: parse with an explicit stack" (8.2): a chain may be longer than readers of JSON
//! go down, so a tree is peeled leaf by leaf.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::inventory::Snapshot;
use super::status::TreeStatus;
use crate::wire::cinder::{Named, Page};

/// A tree deeper than this is none: "the default chain length is 64, and can be set to 119".
const DEPTH: usize = 1_000;

/// The snapshots of one volume that hang from one root (8.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    /// "The `treeUuid` of its snapshots, not a snapshot id."
    pub uuid: String,
    /// The volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_uuid: Option<String>,
    /// "The volume's head hangs from this tree."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// How it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TreeStatus>,
    /// The root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<Leaf>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A snapshot in a tree.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaf {
    /// The snapshot.
    pub inventory: Snapshot,
    /// What it hangs from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_uuid: Option<String>,
    /// What hangs from it. "Order of `children` is unspecified."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Leaf>>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn members(raw: &str) -> Result<Members<'_>, String> {
    serde_json::from_str(raw).map_err(|e| e.to_string())
}

fn take<T: serde::de::DeserializeOwned>(
    from: &mut Members<'_>,
    name: &str,
) -> Result<Option<T>, String> {
    let Some(raw) = from.remove(name) else {
        return Ok(None);
    };
    serde_json::from_str(raw.get()).map_err(|e| format!("`{name}`: {e}"))
}

fn rest(from: Members<'_>) -> Result<Map<String, Value>, String> {
    from.into_iter()
        .map(|(name, raw)| {
            let value = serde_json::from_str(raw.get()).map_err(|e| format!("`{name}`: {e}"))?;
            Ok((name, value))
        })
        .collect()
}

/// A leaf of which some children are not there yet.
struct Growing<'a> {
    leaf: Leaf,
    waiting: std::vec::IntoIter<&'a RawValue>,
}

impl<'a> Growing<'a> {
    fn begin(raw: &'a str) -> Result<Self, String> {
        let mut own = members(raw)?;
        let inventory: Option<Snapshot> = take(&mut own, "inventory")?;
        let parent_uuid = take(&mut own, "parentUuid")?;
        let children: Option<Vec<&'a RawValue>> = match own.remove("children") {
            Some(raw) => serde_json::from_str(raw.get()).map_err(|e| format!("`children`: {e}"))?,
            None => None,
        };
        Ok(Self {
            leaf: Leaf {
                inventory: inventory.ok_or("missing field `inventory` of a leaf")?,
                parent_uuid,
                children: children.as_ref().map(|_| Vec::new()),
                rest: rest(own)?,
            },
            waiting: children.unwrap_or_default().into_iter(),
        })
    }
}

impl Leaf {
    fn read(raw: &str) -> Result<Self, String> {
        let mut stack = vec![Growing::begin(raw)?];
        loop {
            if stack.len() > DEPTH {
                return Err(format!("a tree is deeper than {DEPTH} snapshots"));
            }
            let next = stack.last_mut().and_then(|top| top.waiting.next());
            if let Some(child) = next {
                stack.push(Growing::begin(child.get())?);
                continue;
            }
            let Some(whole) = stack.pop() else {
                return Err("a tree has no root".to_owned());
            };
            match stack.last_mut() {
                Some(parent) => parent
                    .leaf
                    .children
                    .get_or_insert_default()
                    .push(whole.leaf),
                None => return Ok(whole.leaf),
            }
        }
    }
}

impl Tree {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(raw: &str) -> Result<Self, String> {
        let mut own = members(raw)?;
        let root = own.remove("tree").filter(|raw| raw.get() != "null");
        Ok(Self {
            uuid: take(&mut own, "uuid")?.ok_or("missing field `uuid`")?,
            volume_uuid: take(&mut own, "volumeUuid")?,
            current: take(&mut own, "current")?,
            status: take(&mut own, "status")?,
            tree: root.map(|raw| Leaf::read(raw.get())).transpose()?,
            rest: rest(own)?,
        })
    }

    /// Its snapshots, each after what it hangs from.
    #[must_use]
    pub fn snapshots(&self) -> Vec<&Snapshot> {
        let mut found = Vec::new();
        let mut waiting: Vec<&Leaf> = self.tree.iter().collect();
        while let Some(leaf) = waiting.pop() {
            found.push(&leaf.inventory);
            waiting.extend(leaf.children.iter().flatten());
        }
        found
    }

    /// Where the volume is: "`latest` AND `tree.current`" (10.2).
    #[must_use]
    pub fn here(&self) -> Option<&Snapshot> {
        let all = self.snapshots().into_iter();
        let mut here = all.filter(|one| one.latest == Some(true));
        here.next().filter(|_| self.current == Some(true))
    }
}

impl<'de> serde::Deserialize<'de> for Tree {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        Tree::read(raw.get()).map_err(serde::de::Error::custom)
    }
}

impl Named for Tree {
    const ONE: &'static str = "snapshot tree";
    const MANY: &'static str = "snapshot trees";
    const LINKS: &'static str = "";

    fn id(&self) -> &str {
        &self.uuid
    }

    fn page(body: &[u8]) -> Result<Page<Self>, String> {
        let text = std::str::from_utf8(body).map_err(|e| e.to_string())?;
        let mut all = members(text)?;
        let many = all
            .remove("inventories")
            .ok_or("there is no `inventories` in it")?;
        let many: Vec<&RawValue> = serde_json::from_str(many.get()).map_err(|e| e.to_string())?;
        let total: Option<super::Number> = take(&mut all, "total")?;
        Ok(Page {
            items: many
                .into_iter()
                .map(|raw| Tree::read(raw.get()))
                .collect::<Result<_, _>>()?,
            more: false,
            count: total.as_ref().and_then(super::Number::get),
        })
    }
}
