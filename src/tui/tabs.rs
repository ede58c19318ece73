//! Tabs: what is open side by side. Each has a whole state of its own, and an event is told to the one that it is
//! for; what is heard for a tab that was closed is dropped. What is common comes along whenever another one is gone to.

use std::sync::Arc;

use super::event::{Effect, Event, Moment};
use super::state::{Beginning, Neighbour, Place, Stage, State, TabAct, TabId, unopened};
use super::update::update;
use super::{Listed, Site};
use crate::config::theme::Role;
use crate::model::Task;

/// What the runtime is asked to do, and for which tab.
pub(crate) type Asked = Vec<(TabId, Effect)>;

/// The tabs, in their order.
#[derive(Debug)]
pub(crate) struct Tabs {
    all: Vec<State>,
    current: usize,
    /// The number that the next one gets.
    next: u32,
    /// What can be opened.
    listed: Vec<Listed>,
    /// What a new one is made with.
    like: Beginning,
}

impl Tabs {
    /// The tabs that a console begins with, and what opens those that are not open.
    pub(crate) fn new(beginning: Beginning) -> (Self, Asked) {
        let like = Beginning {
            system: unopened(),
            read_only: None,
            tasks: Vec::new(),
            welcome: None,
            tours: Vec::new(),
            no_tours: None,
            begin: None,
            opening: true,
            beside: Vec::new(),
            listed: Vec::new(),
            ..beginning.clone()
        };
        let (opening, site) = (beginning.opening, beginning.site.clone());
        let mut tabs = Self {
            listed: beginning.listed.clone(),
            next: 1,
            current: 0,
            like,
            all: Vec::new(),
        };
        let mut asked = Asked::new();
        let beside = beginning.beside.clone();
        tabs.all.push(State::new(beginning));
        if opening {
            asked.push((TabId(0), Effect::Open(site)));
        }
        for site in beside {
            tabs.open(site, &mut asked);
        }
        tabs.look_around(&mut asked);
        (tabs, asked)
    }

    /// The tab in hand.
    pub(crate) fn present(&self) -> &State {
        &self.all[self.current]
    }

    /// The same, to change how it is shown.
    pub(crate) fn present_mut(&mut self) -> &mut State {
        &mut self.all[self.current]
    }

    /// A tab that is not closed.
    pub(crate) fn get(&self, id: TabId) -> Option<&State> {
        self.all.iter().find(|tab| tab.id == id)
    }

    /// What is under way, with what the tab is called and opened on.
    pub(crate) fn unfinished(&self) -> Vec<(Site, String, Arc<Task>)> {
        let of =
            |tab: &State, task: &Arc<Task>| (tab.site.clone(), tab.profile.clone(), task.clone());
        let all = self.all.iter();
        all.flat_map(|tab| tab.tasks.active().map(move |task| of(tab, task)))
            .collect()
    }

    /// When something is due by time alone.
    pub(crate) fn deadline(&self) -> Option<std::time::Duration> {
        self.all.iter().filter_map(State::deadline).min()
    }

    /// Takes in one event.
    pub(crate) fn update(&mut self, at: Moment, event: Event) -> Asked {
        let mut asked = Asked::new();
        let here = self.present().id;
        // Time is the same everywhere.
        for tab in &mut self.all {
            tab.now = at;
        }
        match event {
            Event::Tab(id, event) => self.tell(id, at, *event, &mut asked),
            Event::Profiles(listed) => self.listed = listed,
            Event::Deadline | Event::Resize(..) | Event::Configured(Ok(_)) => {
                if let Event::Resize(width, height) = event {
                    self.like.size = (width, height);
                }
                if let Event::Configured(Ok(config)) = &event {
                    self.like.config = (**config).clone();
                }
                let ids: Vec<TabId> = self.all.iter().map(|tab| tab.id).collect();
                for id in ids {
                    self.tell(id, at, event.clone(), &mut asked);
                }
            }
            event => self.tell(here, at, event, &mut asked),
        }
        self.look_around(&mut asked);
        asked
    }

    /// Tells one tab something, and does what it asks for with tabs.
    fn tell(&mut self, id: TabId, at: Moment, event: Event, asked: &mut Asked) {
        let Some(place) = self.all.iter().position(|tab| tab.id == id) else {
            return;
        };
        let tab = &mut self.all[place];
        let before = (tab.messages.next, tab.stage.is_open());
        let mut acts = Vec::new();
        for effect in update(tab, at, event) {
            match effect {
                Effect::Tab(act) => acts.push(act),
                // Whatever is not looked at leaves the terminal alone, and ends nothing.
                Effect::Mouse(_) | Effect::Repaint | Effect::Quit if place != self.current => {}
                effect => asked.push((id, effect)),
            }
        }
        if place != self.current {
            self.bring_news(place, before);
        }
        for act in acts {
            self.act(id, act, asked);
        }
    }

    /// What went wrong in another tab, or was opened there, is said in this one.
    fn bring_news(&mut self, place: usize, (messages, open): (u64, bool)) {
        let tab = &self.all[place];
        let name = tab.profile.clone();
        let failed = tab.messages.next > messages;
        let news = match tab.messages.items.last().filter(|_| failed) {
            Some(message) => Some((message.problem.to_string(), Role::Error)),
            None if tab.stage.is_open() && !open => Some(("it is open".to_owned(), Role::Info)),
            None => None,
        };
        let Some((said, role)) = news else { return };
        let present = self.present_mut();
        present.notify(format!("{name}: {said}"), role);
    }

    fn act(&mut self, from: TabId, act: TabAct, asked: &mut Asked) {
        match act {
            TabAct::Go(id) => {
                if let Some(place) = self.all.iter().position(|tab| tab.id == id) {
                    self.go(place);
                }
            }
            TabAct::Turn(by) => {
                let count = self.all.len();
                self.go((self.current + count).wrapping_add_signed(by) % count);
            }
            TabAct::Open(site) => {
                let there = self.all.iter().position(|tab| tab.site == site);
                let place = there.unwrap_or_else(|| self.open(site, asked));
                self.go(place);
            }
            TabAct::Close(id) => self.close(id, asked),
            TabAct::Again(id) => self.again(id, from, asked),
        }
    }

    /// Makes a tab that is being opened; where it is.
    fn open(&mut self, site: Site, asked: &mut Asked) -> usize {
        let listed = self.listed.iter().find(|listed| listed.site == site);
        let name = site.name(listed).to_owned();
        let present = self.present();
        let mut tab = State::new(Beginning {
            profile: name,
            site: site.clone(),
            now: present.now,
            size: present.size,
            ..self.like.clone()
        });
        tab.id = TabId(self.next);
        self.next += 1;
        asked.push((tab.id, Effect::Open(site)));
        self.all.push(tab);
        self.all.len() - 1
    }

    fn go(&mut self, place: usize) {
        if place == self.current {
            return;
        }
        let before = std::mem::replace(&mut self.current, place);
        let Ok([left, here]) = self.all.get_disjoint_mut([before, place]) else {
            return;
        };
        here.come_from(left);
    }

    /// Closes a tab. The last one stays: without it there is no console.
    fn close(&mut self, id: TabId, asked: &mut Asked) {
        let Some(place) = self.all.iter().position(|tab| tab.id == id) else {
            return;
        };
        if self.all.len() == 1 {
            return;
        }
        if place == self.current {
            let next = if place + 1 < self.all.len() {
                place + 1
            } else {
                place - 1
            };
            self.go(next);
        }
        self.all.remove(place);
        self.current -= usize::from(place < self.current);
        asked.push((id, Effect::Close));
    }

    /// Opens a tab again that failed, or signs in again.
    fn again(&mut self, id: TabId, from: TabId, asked: &mut Asked) {
        let Some(tab) = self.all.iter_mut().find(|tab| tab.id == id) else {
            return;
        };
        let since = tab.now.clock;
        match Neighbour::of(tab).can_renew() {
            Ok(()) if tab.stage.is_open() => {
                tab.stage = Stage::Open(Some(since));
                asked.push((id, Effect::Renew));
            }
            Ok(()) => {
                tab.stage = Stage::Opening(since);
                asked.push((id, Effect::Open(tab.site.clone())));
            }
            Err(reason) => {
                let asker = self.all.iter_mut().find(|tab| tab.id == from);
                if let Some(asker) = asker {
                    asker.notify(reason, Role::Warn);
                }
            }
        }
    }

    /// Shows the tab in hand what is around it.
    fn look_around(&mut self, asked: &mut Asked) {
        let profile = |listed: &Listed| listed.site != Site::Store;
        let alone = self.all.len() == 1 && !self.listed.iter().any(profile);
        let tabs: Vec<Neighbour> = match alone {
            true => Vec::new(),
            false => self.all.iter().map(Neighbour::of).collect(),
        };
        let here = &mut self.all[self.current];
        if here.around.tabs == tabs && here.around.listed == self.listed {
            return;
        }
        let failed = failed_elsewhere(&here.around.tabs, &tabs);
        here.around.tabs = tabs;
        here.around.listed.clone_from(&self.listed);
        here.around.version += 1;
        if here.around.offers() {
            here.views.offer(Place::Profiles);
        }
        here.leave_at_last(failed);
        here.settle();
        let id = here.id;
        asked.extend(here.take_effects().into_iter().map(|effect| (id, effect)));
    }
}

/// Whether there is more to read than before.
fn failed_elsewhere(before: &[Neighbour], now: &[Neighbour]) -> bool {
    let unseen = |tabs: &[Neighbour]| tabs.iter().map(|tab| tab.unseen).sum::<u64>();
    unseen(now) > unseen(before)
}
