//! Opening a damaged store as far as it can be read, and changing nothing in it: the
//! newest checkpoint that is whole, and of the log what follows it without a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::apply::{Env, State};
use super::checkpoint::Checkpoints;
use super::core::{Core, Parts, Tuning};
use super::disk::{Disk, FileName, Overlay};
use super::error::{EngineError, Result};
use super::log::{Group, Log};
use super::page::BLOCK;
use super::page_codec::PageKind;
use super::pages::Pages;
use super::recovery::{is_possible, load_chunks, replay, short_id};
use super::root::Root;
use super::space::Space;
use super::superblock::Superblock;

/// The newest checkpoint whose root can be read.
fn newest(disk: &Arc<dyn Disk>, cache: u64) -> Result<(Superblock, Root, Pages, bool)> {
    let mut copies: Vec<Superblock> = Superblock::copies(&**disk)?.into_iter().flatten().collect();
    copies.sort_by_key(|copy| std::cmp::Reverse(copy.generation));
    copies.dedup();
    let mut first = None;
    for (n, copy) in copies.into_iter().enumerate() {
        let pages = Pages::new(disk.clone(), short_id(copy.store), cache);
        let body = pages.read_body(&copy.root, PageKind::Root, 0);
        match body.and_then(|body| Root::decode(&body)) {
            Ok(root) => return Ok((copy, root, pages, n > 0)),
            Err(e) => drop(first.get_or_insert(e)),
        }
    }
    Err(first.unwrap_or_else(|| {
        EngineError::damaged(
            "no copy of its superblock is whole, and nothing can be found without one",
        )
    }))
}

impl Core {
    /// Opens what can be read of a store. It is read-only, and says why.
    ///
    /// # Errors
    /// Where not even a checkpoint can be found.
    pub(super) fn salvage(disk: Arc<dyn Disk>, tuning: Tuning) -> Result<Self> {
        let overlay = Arc::new(Overlay::new(disk));
        let disk: Arc<dyn Disk> = overlay.clone();
        let (superblock, root, pages, older) = newest(&disk, tuning.cache_bytes)?;
        let mut troubles: Vec<String> = Vec::new();
        if older {
            troubles.push("the newest checkpoint cannot be read: this is the one before it".into());
        }
        let mut state = State {
            lsn: root.lsn,
            ..State::default()
        };
        let loaded = load_chunks(&pages, &root);
        troubles.extend(loaded.lost.iter().map(ToString::to_string));
        let catalog = &mut state.catalog;
        catalog.volumes = loaded.volumes;
        catalog.load(loaded.nodes);
        let wrong = catalog
            .nodes
            .iter()
            .filter(|node| !is_possible(node, &root));
        for id in wrong.map(|node| node.id).collect::<Vec<_>>() {
            troubles.push(format!("node {id} cannot be as it is"));
            catalog.remove_node(id);
        }
        let nodes = &catalog.nodes;
        catalog
            .volumes
            .retain(|_, volume| nodes.contains(&volume.head));
        catalog.points.retain(|(_, node)| nodes.contains(node));
        catalog.next_node = root.next_node;

        let mut inline = BTreeMap::new();
        let space = parking_lot::Mutex::new(Space::unknown());
        let env = Env {
            pages: &pages,
            space: &space,
        };
        let (log, trouble) = Log::salvage(
            disk.clone(),
            superblock.store.as_u64_pair().1,
            tuning.segment_bytes,
            superblock.log,
            &mut |group: Group| replay(&mut state, env, group, &mut inline),
        );
        troubles.extend(trouble.iter().map(ToString::to_string));
        for (block, data) in inline {
            let chunk = u64::from(superblock.chunk_blocks);
            let file = FileName::Data((block / chunk) as u32);
            overlay.put(file, block % chunk * BLOCK, data);
        }
        let core = Self::new(
            Parts {
                disk,
                store: superblock.store,
                created: superblock.created,
                chunk_blocks: superblock.chunk_blocks,
                pages,
                checkpoints: Checkpoints {
                    generation: superblock.generation,
                    root: Some(superblock.root),
                    ..Checkpoints::default()
                },
                log,
                state,
                space: Space::unknown(),
                dirty_files: BTreeSet::new(),
            },
            tuning,
        );
        let mut reason = "it was opened to save what can be read, and changes nothing".to_owned();
        if !troubles.is_empty() {
            reason = format!("{reason} ({})", troubles.join("; "));
        }
        core.turn_read_only(&reason);
        Ok(core)
    }
}
