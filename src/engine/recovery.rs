//! Creating a store and opening one: the newest checkpoint, then the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::apply::{Env, State};
use super::bytes::In;
use super::catalog::{Catalog, Node, Role, Volume};
use super::catalog_codec::{decode_jobs, take_node};
use super::checkpoint::Checkpoints;
use super::core::{Core, Parts, Tuning};
use super::disk::{Disk, FileName, Late};
use super::error::{EngineError, Result};
use super::ids::VolumeId;
use super::log::{Group, Log};
use super::ops::MAX_VOLUME_SIZE;
use super::ordered::Ordered;
use super::page::{BLOCK, PageRef};
use super::page_codec::PageKind;
use super::pages::Pages;
use super::record::{Piece, Record};
use super::root::{MOST, Root};
use super::space::Space;
use super::superblock::Superblock;

/// Half of the store's id, enough to tell its pages from others'.
pub(super) fn short_id(store: Uuid) -> u64 {
    store.as_u64_pair().1
}

impl Core {
    /// Makes a store on a disk that holds none.
    pub(super) fn create(disk: Arc<dyn Disk>, tuning: Tuning, created: i64) -> Result<Self> {
        let store = Uuid::now_v7();
        let pages = Pages::new(disk.clone(), short_id(store), tuning.cache_bytes);
        let log = Log::create(disk.clone(), short_id(store), tuning.segment_bytes)?;
        let core = Self::new(
            Parts {
                disk,
                store,
                created,
                chunk_blocks: tuning.chunk_blocks,
                pages,
                checkpoints: Checkpoints::default(),
                log,
                state: State::default(),
                space: Space::default(),
                dirty_files: BTreeSet::new(),
            },
            tuning,
        );
        core.checkpoints
            .lock()
            .make_room(&core, core.tuning.grow_meta / 2)?;
        // The store is one once this has been written. The second puts something into
        // the other slot, so that a store is told from the beginnings of one.
        core.checkpoint()?;
        core.checkpoint()?;
        Ok(core)
    }

    /// Opens the store on a disk. Nothing is written but blocks that are in the log only. What was read is
    /// made durable before anything else is written, or is said to be durable.
    pub(super) fn open(disk: Arc<dyn Disk>, tuning: Tuning) -> Result<Self> {
        let late = Arc::new(Late::new(disk));
        let disk: Arc<dyn Disk> = late.clone();
        let superblock = Superblock::read(&*disk)?;
        let store = short_id(superblock.store);
        let pages = Pages::new(disk.clone(), store, tuning.cache_bytes);
        let root = Root::decode(&pages.read_body(&superblock.root, PageKind::Root, 0)?)?;

        let meta_len = disk
            .len(FileName::Meta)
            .map_err(|e| EngineError::io("looking at meta", e))?
            .unwrap_or(0);
        let needed = root.meta_backed.saturating_mul(512);
        check_length(FileName::Meta, meta_len, needed)?;
        // Before there is memory for what the root says there is.
        let backed = data_backed(&*disk, superblock.chunk_blocks, root.data_backed)?;
        let mut space = Space::load(&pages, root.data_backed, root.data_tables.clone())?;
        space.extend(backed);
        let meta = Space::load(&pages, root.meta_backed, root.meta_tables.clone())?;

        let mut state = load_state(&pages, &root)?;
        let space = parking_lot::Mutex::new(space);
        let mut dirty_files = BTreeSet::new();
        let mut inline = BTreeMap::new();
        let env = Env {
            pages: &pages,
            space: &space,
        };
        let replay = &mut |group: Group| replay(&mut state, env, group, &mut inline);
        let log = Log::recover(
            disk.clone(),
            store,
            tuning.segment_bytes,
            superblock.log,
            replay,
        )?;
        if superblock.log.lsn != root.lsn {
            return Err(EngineError::damaged(
                "the superblock and its checkpoint do not belong together",
            ));
        }
        superblock.heal(&*disk)?;
        late.owe(not_durable(
            &log,
            (root.data_backed, backed),
            superblock.chunk_blocks,
        ));
        let checkpoints = Checkpoints {
            meta,
            generation: superblock.generation,
            root: Some(superblock.root),
            chunks: root.chunks,
            jobs: root.jobs,
        };
        let mut space = space.into_inner();
        space.release_until(u64::MAX);
        for block in inline.keys() {
            dirty_files.insert((block / u64::from(superblock.chunk_blocks)) as u32);
        }
        let core = Self::new(
            Parts {
                disk,
                store: superblock.store,
                created: superblock.created,
                chunk_blocks: superblock.chunk_blocks,
                pages,
                checkpoints,
                log,
                state,
                space,
                dirty_files,
            },
            tuning,
        );
        for (block, data) in inline {
            core.write_blocks(block, &data)?;
        }
        Ok(core)
    }
}

/// The files of what was read that may not be durable: whoever wrote it may have been killed before it
/// was synced, and what comes now must not be on the medium without it.
fn not_durable(log: &Log, (then, now): (u64, u64), chunk_blocks: u32) -> Vec<FileName> {
    let chunk = u64::from(chunk_blocks);
    let grown = if now > then {
        then / chunk..now.div_ceil(chunk)
    } else {
        0..0
    };
    let files = log.live.iter().map(|segment| FileName::Log(segment.slot));
    let files = files.chain(grown.map(|file| FileName::Data(file as u32)));
    files.chain([FileName::Super]).collect()
}

fn check_length(file: FileName, have: u64, need: u64) -> Result<()> {
    if have < need {
        return Err(EngineError::Truncated {
            file: file.to_string(),
            have,
            need,
        });
    }
    Ok(())
}

/// Blocks for which the data files have room.
fn data_backed(disk: &dyn Disk, chunk_blocks: u32, need: u64) -> Result<u64> {
    let chunk = u64::from(chunk_blocks);
    let mut backed = 0;
    for number in 0.. {
        let file = FileName::Data(number);
        let len = disk
            .len(file)
            .map_err(|e| EngineError::io(format!("looking at {file}"), e))?;
        let wanted = need.saturating_sub(backed).min(chunk) * BLOCK;
        check_length(file, len.unwrap_or(0), wanted)?;
        let blocks = (len.unwrap_or(0) / BLOCK).min(chunk);
        backed += blocks;
        if blocks < chunk {
            break;
        }
    }
    Ok(backed)
}

fn load_state(pages: &Pages, root: &Root) -> Result<State> {
    let mut state = State {
        lsn: root.lsn,
        ..State::default()
    };
    let catalog = &mut state.catalog;
    let Loaded {
        nodes,
        volumes,
        lost,
    } = load_chunks(pages, root);
    if let Some(e) = lost.into_iter().next() {
        return Err(e);
    }
    catalog.volumes = volumes;
    if let Some(point) = catalog.load(nodes) {
        let what = format!("two nodes are the snapshot {point}");
        return Err(EngineError::damaged(what));
    }
    if let Some(r) = &root.jobs {
        decode_jobs(&pages.read_body(r, PageKind::Jobs, 0)?, catalog)?;
    }
    check_catalog(catalog, root)?;
    catalog.next_node = root.next_node;
    Ok(state)
}

/// Nodes of a checkpoint.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) nodes: Ordered<Node>,
    pub(super) volumes: BTreeMap<VolumeId, Volume>,
    /// What kept some of them from being read.
    pub(super) lost: Vec<EngineError>,
}

impl Loaded {
    fn load(&mut self, pages: &Pages, chunks: &[PageRef]) {
        let mut room = Vec::new();
        for r in chunks {
            let read = pages.with_body(r, PageKind::Nodes, 0, |body| {
                let mut input = In::new(body, "a page of nodes");
                for _ in 0..input.u32()? {
                    let (node, volume) = take_node(&mut input, &mut room)?;
                    self.add(node)?;
                    self.volumes
                        .extend(volume.map(|volume| (volume.id, volume)));
                }
                Ok(())
            });
            self.lost.extend(read.err());
        }
    }

    fn add(&mut self, node: Node) -> Result<()> {
        match self.nodes.insert(node) {
            None => Ok(()),
            Some(first) => {
                self.nodes.insert(first);
                Err(EngineError::damaged("a node is there twice"))
            }
        }
    }
}

/// So many pages of nodes are worth a thread.
const SHARE: usize = 128;

/// Loads the nodes of a checkpoint, on two threads where there are many.
pub(super) fn load_chunks(pages: &Pages, root: &Root) -> Loaded {
    let chunks: Vec<PageRef> = root.chunks.values().copied().collect();
    let half = if chunks.len() < 2 * SHARE {
        chunks.len()
    } else {
        chunks.len() / 2
    };
    let (first, second) = chunks.split_at(half);
    let mut all = Loaded::default();
    let more = std::thread::scope(|scope| {
        let work = || {
            let mut more = Loaded::default();
            more.load(pages, second);
            more
        };
        let other =
            (!second.is_empty()).then(|| std::thread::Builder::new().spawn_scoped(scope, work));
        all.load(pages, first);
        match other {
            None => Loaded::default(),
            Some(Ok(other)) => other
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // Without a thread it takes longer.
            Some(Err(_)) => work(),
        }
    });
    all.volumes.extend(more.volumes);
    all.lost.extend(more.lost);
    for node in all.nodes.append(more.nodes) {
        let added = all.add(node);
        all.lost.extend(added.err());
    }
    all
}

/// Whether a node can be as it is, whatever else there is.
pub(super) fn is_possible(node: &Node, root: &Root) -> bool {
    let counts = [
        node.referenced,
        node.written,
        node.exclusive.get().unwrap_or(0),
    ];
    node.id < root.next_node
        && node.parent.get().is_none_or(|parent| parent < node.id)
        && node.freeze <= root.lsn
        && node.size <= MAX_VOLUME_SIZE
        && node.size.is_multiple_of(BLOCK)
        && counts.iter().all(|count| *count < MOST)
}

/// Sees that what was loaded can be as it is.
fn check_catalog(catalog: &Catalog, root: &Root) -> Result<()> {
    let bad = |what: String| Err(EngineError::damaged(what));
    let mut before = None;
    for node in catalog.nodes.iter() {
        let id = node.id;
        let parent = node.parent.get();
        // A parent is older than its child, so there are no rings. Most often it is the node before.
        let known = |parent: u64| parent < id && catalog.nodes.contains(&parent);
        if parent != before && !parent.is_none_or(known) {
            return bad(format!("node {id} descends from one that is not there"));
        }
        before = Some(id);
        if !is_possible(node, root) {
            return bad(format!("node {id} cannot be as it is"));
        }
        if let Role::Head(volume) = node.role
            && catalog
                .volumes
                .get(&volume)
                .is_none_or(|volume| volume.head != id)
        {
            return bad(format!("two nodes are the head of volume {volume}"));
        }
    }
    for job in catalog.jobs.values() {
        if !catalog.volumes.contains_key(&job.volume) || job.done.max(job.total) >= MOST {
            return bad(format!("the copy {} is of no volume", job.id));
        }
    }
    Ok(())
}

/// Applies a group. Blocks that the log holds are collected: they are written
/// once it is known that no later record uses the same block.
pub(super) fn replay(
    state: &mut State,
    env: Env<'_>,
    group: Group,
    inline: &mut BTreeMap<u64, Vec<u8>>,
) -> Result<()> {
    let fresh: BTreeSet<u64> = group.inline.iter().map(|(block, _)| *block).collect();
    let mut forget = |block: u64| {
        if !fresh.contains(&block) {
            inline.remove(&block);
        }
    };
    for record in &group.records {
        state.apply(env, record)?;
        match record {
            Record::Write { pieces, .. } => {
                for piece in pieces {
                    if let Piece::Data { block, .. } = piece {
                        (*block..block + piece.len()).for_each(&mut forget);
                    }
                }
            }
            Record::Copied { blocks, .. } => blocks.iter().for_each(|copied| forget(copied.block)),
            _ => {}
        }
    }
    inline.extend(group.inline);
    // Records in the log are durable: what they freed is free.
    env.space.lock().release_until(u64::MAX);
    Ok(())
}
