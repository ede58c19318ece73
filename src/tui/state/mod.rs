//! The whole state of the console. Changed by `update` alone, read by `view`.

mod around;
mod instances;
mod inventory;
mod items;
mod kept;
mod look;
mod messages;
mod needs;
mod outline;
mod packed;
mod place;
mod settings;
mod settle;
mod tasks;
mod trail;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::actions::Keymap;
use super::event::{Cost, Effect, Moment, Ticket};
use super::glyphs::{Glyphs, SILENT, glyphs};
use super::log::LogLine;
use super::overlay::Overlay;
use super::skin::Skin;
use super::terminal::{ColorTier, Features};
use super::text;
use super::tour::{Begin, Tour, Walk};
use super::{Listed, Site};
use crate::config::theme::Role;
use crate::config::{Config, Kept, Theme};
use crate::http::Call;
use crate::model::{
    Capabilities, Kind, Object, ObjectRef, Problem, Snapshot, Task, TaskId, Volume, VolumeId,
};
use crate::task::Control;

pub(crate) use around::{Around, Neighbour, Stage, TabAct, TabId, unopened};
pub(crate) use instances::Instance;
pub(crate) use inventory::{History, Inventory, Listing, Standing};
pub(crate) use items::Items;
pub(crate) use look::{Look, Stretch};
pub(crate) use messages::{Message, Messages};
pub(crate) use needs::Need;
pub(crate) use packed::Row as SnapshotRow;
pub(crate) use place::{Place, RowId, Screen, Sort, Stamp, Views};
pub(crate) use settle::PATIENCE;
pub(crate) use tasks::{Pane, TaskList};
pub(crate) use trail::{Location, Trail};

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(6);

/// What a question was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// The list of all things of a kind.
    List(Kind),
    /// The snapshots of one volume.
    History(VolumeId),
    /// One thing that changed.
    Show(ObjectRef),
    /// The body of one thing.
    Raw(ObjectRef),
    /// Where something lies.
    Look,
    /// The plans for the form in hand.
    Plan,
    /// Beginning what the review in hand shows.
    Submit,
    /// Controlling a task.
    Control(TaskId),
    /// Something that happens in the estate on a tour.
    Stage,
}

/// A line that is shown for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What it says.
    pub(crate) text: String,
    /// How it looks.
    pub(crate) role: Role,
    /// When it goes.
    pub(crate) until: Duration,
}

/// What changed and was not asked for again yet: many changes at once are asked for once.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// These things.
    pub(crate) objects: BTreeSet<ObjectRef>,
    /// Anything of these kinds.
    pub(crate) kinds: BTreeSet<Kind>,
    /// Since when.
    pub(crate) since: Option<Duration>,
}

/// Everything of one tab.
#[derive(Debug)]
pub(crate) struct State {
    /// When the event in hand happened.
    pub(crate) now: Moment,
    /// The terminal's size: columns, rows.
    pub(crate) size: (u16, u16),
    /// Which tab it is.
    pub(crate) id: TabId,
    /// What it is opened on.
    pub(crate) site: Site,
    /// How far it is open.
    pub(crate) stage: Stage,
    /// What it sees of the other tabs; kept up to date while it is the one in hand.
    pub(crate) around: Around,
    /// What the profile is called.
    pub(crate) profile: String,
    /// What the system has and can do.
    pub(crate) system: Capabilities,
    /// Why nothing can be changed, where nothing can.
    pub(crate) read_only: Option<String>,
    /// What the user has set.
    pub(crate) config: Config,
    /// What the terminal can do.
    pub(crate) features: Features,
    /// Which key does what.
    pub(crate) keymap: Keymap,
    /// The mouse is taken.
    pub(crate) mouse: bool,
    /// What parts of the program said, the newest last.
    pub(crate) log: VecDeque<LogLine>,
    /// The calls that were made to the system, the oldest first.
    pub(crate) calls: VecDeque<Arc<Call>>,
    /// What the last frame cost, while somebody looks at it.
    pub(crate) cost: Option<Cost>,
    /// Only ASCII may be shown.
    pub(crate) ascii: bool,
    /// Nothing is drawn: what is shown is read out as lines.
    pub(crate) speaks: bool,
    tier: ColorTier,
    /// The theme in force.
    pub(crate) theme: Theme,
    /// The theme as this terminal shows it.
    pub(crate) skin: Skin,
    /// What is known of the system.
    pub(crate) inventory: Inventory,
    /// The tasks.
    pub(crate) tasks: TaskList,
    /// What went wrong.
    pub(crate) messages: Messages,
    /// Where the user is.
    pub(crate) views: Views,
    /// Where the user has been.
    pub(crate) trail: Trail,
    /// The filters that were used, the newest last.
    pub(crate) filters: Vec<String>,
    /// The columns that are not shown, by the title of the view and their key.
    pub(crate) hidden: BTreeSet<(&'static str, &'static str)>,
    /// What would be in a support bundle, and what was withheld.
    pub(crate) bundle: Option<String>,
    /// By which column each view is sorted that was sorted by hand, and whether it is reversed.
    sorts: BTreeMap<String, (String, bool)>,
    /// The theme that was chosen by hand, and what the configuration said then.
    chosen_theme: Option<(String, String)>,
    /// What stands beside the list: a volume's tree, or a thing's fields.
    pub(crate) beside: Option<ObjectRef>,
    /// Dialogs and menus, the topmost last.
    pub(crate) overlays: Vec<Overlay>,
    /// A line that is shown for a while.
    pub(crate) notice: Option<Notice>,
    /// What changed and was not asked for again yet.
    pub(crate) changed: Changed,
    /// Questions under way.
    pub(crate) asked: BTreeMap<Ticket, (Purpose, Duration)>,
    /// The tours that there are to take.
    pub(crate) tours: Vec<Arc<Tour>>,
    /// Why none can be taken here, where none can.
    pub(crate) no_tours: Option<String>,
    /// How far the user has come in one.
    pub(crate) walk: Option<Walk>,
    /// The signal that ends the program, where one does.
    pub(crate) signal: Option<i32>,
    next_ticket: u64,
    effects: Vec<Effect>,
}

/// What a console is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beginning {
    pub(crate) profile: String,
    pub(crate) system: Capabilities,
    pub(crate) read_only: Option<String>,
    pub(crate) features: Features,
    pub(crate) config: Config,
    /// What each frame costs is shown from the start.
    pub(crate) perf: bool,
    pub(crate) tasks: Vec<Arc<Task>>,
    pub(crate) welcome: Option<String>,
    /// What was chosen the last time.
    #[serde(default)]
    pub(crate) kept: Kept,
    pub(crate) size: (u16, u16),
    pub(crate) now: Moment,
    /// The tours that there are to take.
    #[serde(default)]
    pub(crate) tours: Vec<Tour>,
    /// Why none can be taken, where none can.
    #[serde(default)]
    pub(crate) no_tours: Option<String>,
    /// With which it begins.
    #[serde(default)]
    pub(crate) begin: Option<Begin>,
    /// What the first tab is for.
    #[serde(default)]
    pub(crate) site: Site,
    /// It is opened while the console runs, rather than before.
    #[serde(default)]
    pub(crate) opening: bool,
    /// What is opened beside it at once.
    #[serde(default)]
    pub(crate) beside: Vec<Site>,
    /// What can be opened.
    #[serde(default)]
    pub(crate) listed: Vec<Listed>,
}

impl State {
    /// A console that has seen nothing yet.
    pub(crate) fn new(beginning: Beginning) -> Self {
        let Beginning {
            config, features, ..
        } = beginning;
        let settings = &config.settings;
        let tier = features.tier(settings);
        let theme = settings::theme(&config, &features);
        let views = match beginning.opening {
            true => Views::unopened(),
            false => Views::new(&beginning.system),
        };
        let notice = beginning.welcome.map(|text| Notice {
            text,
            role: Role::Info,
            until: beginning.now.clock + 2 * NOTICE,
        });
        let mut state = Self {
            now: beginning.now,
            size: beginning.size,
            id: TabId::default(),
            site: beginning.site,
            stage: match beginning.opening {
                true => Stage::Opening(beginning.now.clock),
                false => Stage::Open(None),
            },
            around: Around::default(),
            profile: beginning.profile,
            system: beginning.system,
            read_only: beginning.read_only,
            ascii: features.is_ascii(settings),
            speaks: false,
            mouse: settings.mouse,
            // What is wrong with it was told when it was read.
            keymap: Keymap::new(&config).unwrap_or_default(),
            skin: Skin::new(&theme, tier),
            tier,
            theme,
            features,
            config,
            log: VecDeque::new(),
            calls: VecDeque::new(),
            cost: beginning.perf.then(Cost::default),
            inventory: Inventory::default(),
            tasks: TaskList::new(beginning.tasks),
            messages: Messages::default(),
            views,
            trail: Trail::default(),
            filters: Vec::new(),
            hidden: BTreeSet::new(),
            bundle: None,
            sorts: BTreeMap::new(),
            chosen_theme: None,
            beside: None,
            overlays: Vec::new(),
            notice,
            changed: Changed::default(),
            asked: BTreeMap::new(),
            tours: beginning.tours.into_iter().map(Arc::new).collect(),
            no_tours: beginning.no_tours,
            walk: None,
            signal: None,
            next_ticket: 0,
            effects: Vec::new(),
        };
        if let Some(Begin { tour, speed }) = beginning.begin
            && let Some(tour) = state.tours.iter().find(|t| t.name() == tour).cloned()
        {
            Walk::begin(&mut state, tour, speed);
        }
        state.take_up(&beginning.kept);
        state
    }

    /// Asks the runtime for something.
    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Asks a question whose answer comes back with a ticket.
    pub(crate) fn ask(
        &mut self,
        purpose: Purpose,
        effect: impl FnOnce(Ticket) -> Effect,
    ) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.asked.insert(ticket, (purpose, self.now.clock));
        self.effects.push(effect(ticket));
        ticket
    }

    /// Nobody wants these answers any more.
    pub(crate) fn forget(&mut self, unwanted: impl Fn(&Purpose) -> bool) {
        let mut tickets = Vec::new();
        self.asked.retain(|ticket, (purpose, _)| {
            let drop = unwanted(purpose);
            if drop {
                tickets.push(*ticket);
            }
            !drop
        });
        self.effects.extend(tickets.into_iter().map(Effect::Forget));
    }

    /// What was asked for since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The glyphs that this terminal shows.
    pub(crate) fn glyphs(&self) -> &'static Glyphs {
        match self.speaks {
            true => &SILENT,
            false => glyphs(self.ascii),
        }
    }

    /// Text from elsewhere, made safe to show here.
    pub(crate) fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        text::clean(text, self.ascii)
    }

    /// The screen in hand.
    pub(crate) fn screen(&self) -> &Screen {
        self.views.screen()
    }

    /// Shows a line for a while.
    pub(crate) fn notify(&mut self, text: impl Into<String>, role: Role) {
        self.notice = Some(Notice {
            text: text.into(),
            role,
            until: self.now.clock + NOTICE,
        });
    }

    /// Keeps a problem in the message centre, and says it.
    pub(crate) fn complain(&mut self, problem: Problem) {
        self.notify(problem.to_string(), Role::Error);
        self.messages.add(problem, self.now.wall);
    }

    /// Opens a dialog or a menu.
    pub(crate) fn open(&mut self, overlay: Overlay) {
        self.overlays.push(overlay);
    }

    /// Whether what is typed now is a secret, and is kept nowhere.
    pub(crate) fn takes_secret(&self) -> bool {
        matches!(self.overlays.last(), Some(Overlay::Form(form)) if form.takes_secret())
    }

    /// The thing that is in hand: the selected row's, or that of the screen.
    pub(crate) fn object(&self) -> Option<ObjectRef> {
        let screen = self.screen();
        match (&screen.place, &screen.selected) {
            (Place::Tree(volume), Some(RowId::Here) | None) => Some(volume.into()),
            (Place::Describe(object) | Place::Raw(object) | Place::Map(object, _), _)
            | (_, Some(RowId::Object(object)))
            | (Place::Members(object), None) => Some(object.clone()),
            _ => None,
        }
    }

    /// The marked things, in the order of the screen; where none is marked, the one in hand.
    pub(crate) fn objects(&self) -> Vec<ObjectRef> {
        let screen = self.screen();
        // A machine stands for its volumes.
        let of = |id: &RowId| match id {
            RowId::Object(object) => vec![object.clone()],
            RowId::Instance(name) => {
                let instance = self.inventory.instances.get(name);
                let volumes = instance.map(|i| i.volumes(&self.inventory));
                volumes
                    .into_iter()
                    .flatten()
                    .map(|v| (&v.id).into())
                    .collect()
            }
            _ => Vec::new(),
        };
        match (screen.marks.is_empty(), &screen.selected) {
            (false, _) => screen.marks.iter().flat_map(of).collect(),
            (true, Some(id @ RowId::Instance(_))) if !screen.place.is_text() => of(id),
            (true, _) => self.object().into_iter().collect(),
        }
    }

    /// The task that a control is meant for: the selected one, that of the screen, or else the first in
    /// the pane that can be controlled so.
    pub(crate) fn task_for(&self, control: Control) -> Option<TaskId> {
        let screen = self.screen();
        match (&screen.place, &screen.selected) {
            (Place::Task(id), _) | (Place::Tasks | Place::Journal, Some(RowId::Task(id))) => {
                return Some(id.clone());
            }
            (Place::Tasks | Place::Journal, _) => return None,
            _ => {}
        }
        let shown = self.tasks.in_pane(self.now.clock);
        let can = |task: &&&Arc<Task>| control.allowed(task).is_ok();
        let task = shown.iter().find(can).or_else(|| shown.first());
        task.map(|task| task.id.clone())
    }

    /// The volume with this id, as it was last known.
    pub(crate) fn volume(&self, id: &str) -> Option<&Volume> {
        self.inventory.volumes.get(id)
    }

    /// The snapshot with this id, as it was last known.
    pub(crate) fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.inventory.snapshot(id)
    }

    /// A thing as it was last known.
    pub(crate) fn find(&self, object: &ObjectRef) -> Option<Object> {
        match object.kind {
            Kind::Volume => self.volume(&object.id).cloned().map(Object::Volume),
            Kind::Snapshot => self.snapshot(&object.id).map(Object::Snapshot),
            Kind::Group => {
                let group = self.inventory.groups.get(&object.id);
                group.cloned().map(Object::Group)
            }
            Kind::Session => {
                let session = self.inventory.sessions.get(&object.id);
                session.cloned().map(Object::Session)
            }
            Kind::Target => {
                let target = self.inventory.targets.get(&object.id);
                target.cloned().map(Object::Target)
            }
        }
    }

    /// What a thing is called here: its name, `volume@snapshot`, or its id where it is not known.
    pub(crate) fn name_of(&self, object: &ObjectRef) -> String {
        let name = self.find(object).map(|o| o.full_name());
        self.clean(&name.unwrap_or_else(|| object.id.clone()))
            .into_owned()
    }

    /// The system's own word for a kind.
    pub(crate) fn word(&self, kind: Kind) -> &'static str {
        self.system.words.one(kind)
    }

    /// So many of a kind, in words: `1 snapshot`, `14 snapshots`.
    pub(crate) fn counted(&self, count: u64, kind: Kind) -> String {
        let word = self.word(kind);
        match count {
            1 => format!("1 {word}"),
            n => format!("{n} {word}s"),
        }
    }
}
