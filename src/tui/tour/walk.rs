//! How far somebody has come in a tour.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Act, Play, Step, Tour};
use crate::model::TaskId;
use crate::tui::event::Effect;
use crate::tui::state::{Purpose, State};

/// A step that is done is seen to be done for so long, before the next one is told.
const HOLD: Duration = Duration::from_millis(1_500);

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// Nothing yet.
    Open,
    /// It was done.
    Done,
    /// It was passed over.
    Skipped,
}

/// Somebody on a tour.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The tour.
    pub(crate) tour: Arc<Tour>,
    /// What became of each step.
    pub(crate) ticks: Vec<Tick>,
    /// Which step is told; one past the last at the end.
    pub(crate) step: usize,
    /// The panel is shown.
    pub(crate) shown: bool,
    /// It is played, by nobody's keys.
    pub(crate) play: Option<Play>,
    /// The step in hand is done, and is passed on from then.
    on: Option<Duration>,
    /// What the step after this one waits for is so, and has been since this one was begun: it says nothing
    /// of what was done since. Not known before the first look.
    foreseen: Option<bool>,
    /// The steps whose happenings have happened.
    staged: BTreeSet<usize>,
    /// Something was spoiled that is to be mended at the end.
    spoiled: bool,
    /// The tasks that there were before.
    before: BTreeSet<TaskId>,
}

impl Walk {
    /// Sets out on a tour; with a speed, it is played.
    pub(crate) fn begin(state: &mut State, tour: Arc<Tour>, speed: Option<f64>) {
        leave(state);
        let now = state.now.clock;
        state.walk = Some(Self {
            ticks: vec![Tick::Open; tour.steps().len()],
            step: 0,
            shown: true,
            play: speed.map(|speed| Play::new(speed, now)),
            on: None,
            foreseen: None,
            staged: BTreeSet::new(),
            spoiled: false,
            before: state.tasks.items.iter().map(|t| t.id.clone()).collect(),
            tour,
        });
        stage(state);
    }

    /// The step in hand; `None` at the end.
    pub(crate) fn now(&self) -> Option<&Step> {
        self.tour.steps().get(self.step)
    }

    /// Whether the step in hand is done.
    pub(crate) fn is_done(&self) -> bool {
        self.on.is_some()
    }

    /// Whether a task was begun since.
    pub(super) fn is_new(&self, task: &TaskId) -> bool {
        !self.before.contains(task)
    }

    /// When something is due by time alone.
    pub(crate) fn deadline(&self, now: Duration) -> Option<Duration> {
        let play = self.play.as_ref().map(Play::due);
        let on = self.on.filter(|_| !self.is_pressing());
        let due = [on, play].into_iter().flatten().min();
        due.map(|due| due.max(now))
    }

    /// The lists that the step in hand, and the one after it, look into.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = crate::model::Kind> {
        let steps = self.tour.steps().iter().skip(self.step).take(2);
        steps.flat_map(|step| step.expect.iter().filter_map(super::Expect::kind))
    }

    /// Whether all that a step waits for is so.
    fn holds(&self, state: &State, step: usize) -> bool {
        let step = self.tour.steps().get(step);
        step.is_some_and(|step| {
            !step.expect.is_empty() && step.expect.iter().all(|e| e.holds(state, self))
        })
    }

    /// Whether what a step waits for stays so once it is.
    fn lasts(&self, step: usize) -> bool {
        let step = self.tour.steps().get(step);
        step.is_some_and(|step| step.expect.iter().all(super::Expect::lasts))
    }

    /// Whether it is played, and not all of the step in hand was pressed yet.
    fn is_pressing(&self) -> bool {
        self.play.as_ref().is_some_and(Play::is_pressing)
    }

    fn hold(&self) -> Duration {
        let speed = self.play.as_ref().map_or(1.0, Play::speed);
        HOLD.div_f64(speed)
    }

    fn tick(&mut self, step: usize, now: Duration) {
        if let Some(tick) = self.ticks.get_mut(step) {
            *tick = Tick::Done;
            self.on = Some(now + self.hold());
        }
    }

    fn to(&mut self, step: usize) {
        self.step = step.min(self.ticks.len());
        self.on = None;
        self.foreseen = None;
    }
}

/// Ticks what was done, and goes on where it is time to.
pub(crate) fn advance(state: &mut State) {
    let Some(mut walk) = state.walk.take() else {
        return;
    };
    let at = walk.step;
    look(&mut walk, state);
    let moved = walk.step != at;
    state.walk = Some(walk);
    if moved {
        stage(state);
    }
}

fn look(walk: &mut Walk, state: &State) {
    // What happens in the estate at this step has not happened yet.
    if state.asked.values().any(|(p, _)| *p == Purpose::Stage) {
        return;
    }
    let now = state.now.clock;
    // Once more where it goes on: what is seen now may do for the next step too.
    for _ in 0..2 {
        let step = walk.step;
        let next = walk.holds(state, step + 1);
        let was_so = *walk.foreseen.get_or_insert(next);
        walk.foreseen = Some(was_so && next);
        let new = next && !was_so;
        let pressing = walk.is_pressing();
        match walk.on {
            // Whoever is faster than the words is not held up by them.
            Some(due) if (now >= due || new) && !pressing => walk.to(step + 1),
            None if walk.holds(state, step) => walk.tick(step, now),
            // What comes after was done without it, in a way of the user's own.
            None if new && walk.lasts(step + 1) && !pressing => {
                walk.tick(step, now);
                walk.to(step + 1);
            }
            _ => return,
        }
    }
}

/// Lets happen what happens in the estate when the step in hand is begun.
fn stage(state: &mut State) {
    let Some(walk) = &mut state.walk else {
        return;
    };
    let step = walk.step;
    let act = walk.now().and_then(|step| step.stage.clone());
    if let Some(act) = act
        && walk.staged.insert(step)
    {
        walk.spoiled |= matches!(act, Act::Spoil(_));
        walk.spoiled &= act != Act::Mend;
        state.ask(Purpose::Stage, |t| Effect::Stage(t, act));
    }
}

/// On to the next step, whether this one was done or not.
pub(crate) fn next(state: &mut State) {
    if let Some(walk) = &mut state.walk {
        let step = walk.step;
        let reads = walk.now().is_some_and(|step| step.expect.is_empty());
        if let Some(tick) = walk.ticks.get_mut(step)
            && *tick == Tick::Open
        {
            *tick = if reads { Tick::Done } else { Tick::Skipped };
        }
        walk.to(step + 1);
    }
    stage(state);
}

/// Back to the step before.
pub(crate) fn previous(state: &mut State) {
    if let Some(walk) = &mut state.walk {
        let step = walk.step.saturating_sub(1);
        walk.to(step);
        if let Some(tick) = walk.ticks.get_mut(step) {
            *tick = Tick::Open;
        }
    }
}

/// Leaves the tour; what it spoiled is mended.
pub(crate) fn leave(state: &mut State) {
    let Some(walk) = state.walk.take() else {
        return;
    };
    if walk.spoiled {
        state.ask(Purpose::Stage, |t| Effect::Stage(t, Act::Mend));
    }
}
