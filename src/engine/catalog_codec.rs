//! Nodes and jobs as bytes, for checkpoints.

use super::bytes::{In, Out};
use super::catalog::{Catalog, CopyJob, Exclusive, Node, Role, Volume};
use super::error::Result;
use super::ids::{JobId, PointId, VolumeId};
use super::packed::Label;
use super::page::{Child, MAX_LEVEL, PageRef};
use super::page_codec::{put_ref, take_ref};
use super::tree::Tree;

const HEAD: u8 = 1;
const POINT: u8 = 2;
const HIDDEN: u8 = 3;

/// Appends a node whose tree's root is at `root`. A head carries its volume.
pub(super) fn put_node(out: &mut Out, node: &Node, volume: Option<&Volume>, root: Option<PageRef>) {
    out.u64(node.id);
    out.opt_u64(node.parent.get());
    out.u64(node.size);
    out.i64(node.created);
    out.u64(node.freeze);
    out.u64(node.referenced);
    out.u64(node.written);
    out.opt_u64(node.exclusive.get());
    out.u8(node.tree.level);
    out.flag(root.is_some());
    if let Some(root) = &root {
        put_ref(out, root);
    }
    match (&node.role, volume) {
        (Role::Head(_), Some(volume)) => {
            out.u8(HEAD);
            out.uuid(volume.id.0);
            out.text(&volume.name);
            out.i64(volume.created);
            out.attrs(&volume.attrs);
        }
        (Role::Point { id, volume, label }, _) => {
            out.u8(POINT);
            out.uuid(id.0);
            out.uuid(volume.0);
            label.put(out);
        }
        (Role::Hidden { cursor, older }, _) => {
            out.u8(HIDDEN);
            out.u64(*cursor);
            let roots = older
                .iter()
                .filter_map(|tree| Some((tree.level, tree.root.as_ref()?.disk()?)));
            let roots: Vec<_> = roots.collect();
            out.u32(roots.len() as u32);
            for (level, root) in &roots {
                out.u8(*level);
                put_ref(out, root);
            }
        }
        // A head without its volume is one that is deleted.
        (Role::Head(_), None) => {
            out.u8(HIDDEN);
            out.u64(0);
            out.u32(0);
        }
    }
}

/// Takes a node, and the volume of a head. `room` is used meanwhile.
pub(super) fn take_node(input: &mut In<'_>, room: &mut Vec<u8>) -> Result<(Node, Option<Volume>)> {
    let id = input.u64()?;
    let parent = input.opt_u64()?;
    let size = input.u64()?;
    let created = input.i64()?;
    let freeze = input.u64()?;
    let referenced = input.u64()?;
    let written = input.u64()?;
    let exclusive = Exclusive::from_disk(input.opt_u64()?);
    let level = take_level(input)?;
    let root = if input.flag()? {
        Some(Child::Disk(take_ref(input)?))
    } else {
        None
    };
    let mut volume = None;
    let role = match input.u8()? {
        HEAD => {
            let of = Volume {
                id: VolumeId(input.uuid()?),
                head: id,
                name: input.text()?,
                created: input.i64()?,
                attrs: input.attrs()?,
            };
            Role::Head(volume.insert(of).id)
        }
        POINT => Role::Point {
            id: PointId(input.uuid()?),
            volume: VolumeId(input.uuid()?),
            label: Label::take(input, room)?,
        },
        HIDDEN => Role::Hidden {
            cursor: input.u64()?,
            older: (0..input.u32()?)
                .map(|_| take_older(input))
                .collect::<Result<_>>()?,
        },
        _ => return Err(input.bad("a node is of an unknown kind")),
    };
    let node = Node {
        id,
        parent: parent.into(),
        role,
        tree: Tree { root, level },
        size,
        created,
        freeze,
        referenced,
        written,
        exclusive,
    };
    Ok((node, volume))
}

fn take_level(input: &mut In<'_>) -> Result<u8> {
    let level = input.u8()?;
    if level > MAX_LEVEL {
        return Err(input.bad("a tree is higher than a tree can be"));
    }
    Ok(level)
}

fn take_older(input: &mut In<'_>) -> Result<Tree> {
    Ok(Tree {
        level: take_level(input)?,
        root: Some(Child::Disk(take_ref(input)?)),
    })
}

/// All jobs.
pub(super) fn encode_jobs(catalog: &Catalog) -> Vec<u8> {
    let mut out = Out::default();
    out.u32(catalog.jobs.len() as u32);
    for job in catalog.jobs.values() {
        out.uuid(job.id.0);
        out.uuid(job.volume.0);
        out.u64(job.threshold);
        out.u64(job.cursor);
        out.u64(job.done);
        out.u64(job.total);
        out.flag(job.paused);
    }
    out.0
}

/// Takes all jobs into the catalog.
pub(super) fn decode_jobs(body: &[u8], catalog: &mut Catalog) -> Result<()> {
    let mut input = In::new(body, "the jobs");
    for _ in 0..input.u32()? {
        let job = CopyJob {
            id: JobId(input.uuid()?),
            volume: VolumeId(input.uuid()?),
            threshold: input.u64()?,
            cursor: input.u64()?,
            done: input.u64()?,
            total: input.u64()?,
            paused: input.flag()?,
        };
        catalog.jobs.insert(job.id, job);
    }
    Ok(())
}
