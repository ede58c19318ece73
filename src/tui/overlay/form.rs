//! The form of an operation, made from its spec. Filled in, it asks for the plan.

use std::time::Duration;

use super::{After, Chooser, Field, Holds, Overlay, Review, filling};
use crate::model::{FieldType, Kind, ObjectRef, Operation, OperationSpec, Plan, Problem, VolumeId};
use crate::tui::event::{Effect, Ticket};
use crate::tui::key::Key;
use crate::tui::state::{Need, Purpose, State};

/// A form.
#[derive(Debug)]
pub(crate) struct Form {
    /// What it is for.
    pub(crate) spec: OperationSpec,
    /// Its fields.
    pub(crate) fields: Vec<Field>,
    /// Which has the focus; one past the last is the button.
    pub(crate) focus: usize,
    /// What it is done to, pinned by id when the form was opened; one plan is made for each.
    pub(crate) targets: Vec<ObjectRef>,
    /// The operation, where it is known whole already: the one that takes a task back.
    known: Option<Operation>,
    /// The volume whose snapshots a field chooses from.
    within: Option<VolumeId>,
    /// Why there is no plan.
    pub(crate) problem: Option<Problem>,
    /// The plan was asked for, then.
    pub(crate) waiting: Option<(Ticket, Duration)>,
    /// There is nothing to fill in: the plan is shown at once, and the form never.
    pub(crate) silent: bool,
}

impl Form {
    /// The form of `spec` for these things.
    pub(crate) fn new(
        state: &State,
        spec: OperationSpec,
        targets: Vec<ObjectRef>,
        given: Vec<ObjectRef>,
        within: Option<VolumeId>,
    ) -> Self {
        let mut form = Self {
            fields: Vec::with_capacity(spec.fields.len()),
            focus: 0,
            within,
            problem: None,
            waiting: None,
            silent: false,
            known: None,
            targets,
            spec,
        };
        for field in form.spec.fields.clone() {
            let pinned = filling::pins(&form.targets, &field, state);
            form.fields.push(match pinned {
                Some(shown) => Field::pinned(field, shown),
                None => {
                    let text = filling::present(form.spec.kind, &form.targets, &field, state);
                    let suggestion =
                        filling::suggestion(form.spec.kind, &form.targets, &field, state);
                    let mut field = Field::new(field, text, suggestion);
                    field.give(&given);
                    field
                }
            });
        }
        form.focus = form.next_open(0, 1);
        form
    }

    /// An operation that is known whole: only its plan is shown.
    pub(crate) fn of(spec: OperationSpec, operation: Operation) -> Self {
        Self {
            fields: Vec::new(),
            focus: 0,
            within: None,
            problem: None,
            waiting: None,
            silent: true,
            known: Some(operation),
            targets: Vec::new(),
            spec,
        }
    }

    /// Whether what is typed now is a secret.
    pub(crate) fn takes_secret(&self) -> bool {
        let field = self.fields.get(self.focus);
        field.is_some_and(|field| field.spec.secret)
    }

    /// Whether there is nothing to fill in.
    pub(crate) fn is_settled(&self) -> bool {
        !self.fields.iter().any(Field::is_open)
    }

    /// The nearest field from `from` on that can be changed; the button where there is none.
    fn next_open(&self, from: usize, step: isize) -> usize {
        let count = self.fields.len() + 1;
        let mut at = from % count;
        for _ in 0..count {
            if at == self.fields.len() || self.fields[at].is_open() {
                return at;
            }
            at = (at + count).wrapping_add_signed(step) % count;
        }
        self.fields.len()
    }

    fn go(&mut self, step: isize) {
        let count = self.fields.len() + 1;
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.check();
        }
        let next = (self.focus + count).wrapping_add_signed(step) % count;
        self.focus = self.next_open(next, step);
    }

    pub(super) fn key(&mut self, state: &mut State, key: Key) -> After {
        if key == Key::ESC {
            state.forget(|purpose| *purpose == Purpose::Plan);
            return After::Close;
        }
        if self.waiting.is_some() {
            return After::Stay;
        }
        if key == Key::f(2) {
            self.plan(state);
            return After::Stay;
        }
        self.problem = None;
        let taken = match self.fields.get_mut(self.focus) {
            Some(field) => field.key(key),
            None => false,
        };
        if taken {
            return After::Stay;
        }
        let choosing = matches!(
            self.fields.get(self.focus).map(|field| &field.holds),
            Some(Holds::Object(_) | Holds::Objects(_))
        );
        match key {
            Key::TAB | Key::DOWN => self.go(1),
            Key::BACK_TAB | Key::UP => self.go(-1),
            Key::ENTER => self.enter(state),
            key if choosing && key.typed().is_some() => {
                let typed = key.typed().filter(|c| *c != ' ');
                self.list(state, typed);
            }
            _ => {}
        }
        After::Stay
    }

    /// Enter goes on; at the end it asks for the plan.
    fn enter(&mut self, state: &mut State) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            let empty = match &field.holds {
                Holds::Object(object) => object.is_none(),
                Holds::Objects(objects) => objects.is_empty(),
                _ => false,
            };
            if empty && field.spec.required {
                self.list(state, None);
                return;
            }
            if !field.check() {
                return;
            }
        }
        let last = self.next_open(self.focus + 1, 1) == self.fields.len();
        if last || self.focus == self.fields.len() {
            self.plan(state);
        } else {
            self.go(1);
        }
    }

    /// Lists the things that the field in hand can hold.
    fn list(&mut self, state: &mut State, typed: Option<char>) {
        let Some(field) = self.fields.get(self.focus) else {
            return;
        };
        let label = format!("Choose: {}", field.spec.label.to_lowercase());
        let (need, chosen) = match (&field.spec.ty, &field.holds) {
            (FieldType::Object(Kind::Snapshot), _) => (self.snapshots(), None),
            (FieldType::Object(kind), _) => (Need::All(*kind), None),
            (FieldType::Objects(kind), Holds::Objects(chosen)) => {
                (Need::All(*kind), Some(chosen.iter().cloned().collect()))
            }
            _ => return,
        };
        let mut chooser = Chooser::objects(state, &label, need, !field.spec.required, chosen);
        if let Some(c) = typed {
            chooser.seed(&c.to_string());
        }
        state.open(Overlay::Chooser(Box::new(chooser)));
        // The form itself is put back under what it opened.
    }

    /// The snapshots that a field chooses from: of the volume that is known, or all.
    fn snapshots(&self) -> Need {
        let chosen = self.fields.iter().find_map(|f| match &f.holds {
            Holds::Object(Some(object)) if object.kind == Kind::Volume => {
                Some(VolumeId(object.id.clone()))
            }
            _ => None,
        });
        let pinned = self.targets.iter().find(|t| t.kind == Kind::Volume);
        self.within
            .clone()
            .or(chosen)
            .or_else(|| pinned.map(|t| VolumeId(t.id.clone())))
            .map_or(Need::All(Kind::Snapshot), Need::Of)
    }

    /// A thing was chosen for the field in hand.
    pub(super) fn chosen(&mut self, object: Option<ObjectRef>) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.choose(object);
        }
        self.go_on();
    }

    /// Several things were chosen for the field in hand.
    pub(super) fn chosen_many(&mut self, objects: impl IntoIterator<Item = ObjectRef>) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.choose_many(objects.into_iter().collect());
        }
        self.go_on();
    }

    /// On to the next field, where nothing is wrong with this one.
    fn go_on(&mut self) {
        if self
            .fields
            .get(self.focus)
            .is_some_and(|f| f.wrong.is_none())
        {
            self.go(1);
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.waiting.is_none()
            && let Some(field) = self.fields.get_mut(self.focus)
        {
            field.paste(text);
        }
    }

    pub(super) fn press(&mut self, state: &mut State, part: usize) -> After {
        if self.waiting.is_none() && part <= self.fields.len() {
            let again = self.focus == part;
            self.focus = self.next_open(part, 1);
            if part == self.fields.len() {
                self.plan(state);
            } else if again && self.fields.get(part).is_some_and(Field::is_open) {
                match &mut self.fields[part].holds {
                    Holds::Flag(flag) => *flag = !*flag,
                    Holds::Choice(_) => self.fields[part].turn(true),
                    Holds::Object(_) | Holds::Objects(_) => self.list(state, None),
                    Holds::Line(_) | Holds::Pinned(_) => {}
                }
            }
        }
        After::Stay
    }

    /// Checks every field and asks for the plan.
    pub(crate) fn plan(&mut self, state: &mut State) {
        let mut wrong = None;
        for (i, field) in self.fields.iter_mut().enumerate() {
            if !field.check() && wrong.is_none() {
                wrong = Some(i);
            }
        }
        if let Some(wrong) = wrong {
            self.focus = wrong;
            return;
        }
        self.silent = self.is_settled();
        match self.operations(state) {
            Ok(operations) => {
                let ticket = state.ask(Purpose::Plan, |t| Effect::Plan(t, operations));
                self.waiting = Some((ticket, state.now.clock));
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// The operations that the form means: one for each of its things.
    fn operations(&self, state: &State) -> Result<Vec<Operation>, Problem> {
        if let Some(known) = &self.known {
            return Ok(vec![known.clone()]);
        }
        if self.targets.is_empty() {
            return Ok(vec![self.operation(None, state)?]);
        }
        let targets = self.targets.iter();
        targets.map(|t| self.operation(Some(t), state)).collect()
    }

    fn operation(&self, target: Option<&ObjectRef>, state: &State) -> Result<Operation, Problem> {
        let texts: Vec<(&str, String)> = self
            .fields
            .iter()
            .filter_map(|field| {
                let text = match (&field.holds, &field.spec.ty, target) {
                    (Holds::Pinned(_), FieldType::Object(kind), Some(target)) => {
                        filling::fill(target, field.spec.name, *kind, state).map(|object| object.id)
                    }
                    _ => field.text(),
                };
                Some((field.spec.name, text?))
            })
            .collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (*n, t.as_str())).collect();
        self.spec.operation(&texts)
    }

    /// The plans came.
    pub(crate) fn planned(
        &mut self,
        state: &State,
        ticket: Ticket,
        plans: Vec<Result<Plan, Problem>>,
    ) -> Option<Review> {
        if self.waiting.map(|(t, _)| t) != Some(ticket) {
            return None;
        }
        self.waiting = None;
        let alone = plans.len() == 1;
        let mut good = Vec::new();
        let mut refused = Vec::new();
        for (i, plan) in plans.into_iter().enumerate() {
            match plan {
                Ok(plan) => good.push(plan),
                Err(problem) => {
                    let name = self.targets.get(i).map(|t| state.name_of(t));
                    refused.push((name.unwrap_or_default(), problem));
                }
            }
        }
        if good.is_empty() && alone {
            self.problem = refused.pop().map(|(_, problem)| problem);
            self.silent = false;
            return None;
        }
        Some(Review::new(self.spec.title, good, refused, state.now.clock))
    }

    /// What a thing in a field is called, worked out when it is drawn.
    pub(crate) fn shown(&self, field: &Field, state: &State) -> String {
        match &field.holds {
            Holds::Object(Some(object)) => state.name_of(object),
            Holds::Objects(objects) => {
                let names: Vec<_> = objects.iter().map(|o| state.name_of(o)).collect();
                names.join(", ")
            }
            Holds::Pinned(text) => text.clone(),
            _ => String::new(),
        }
    }
}
