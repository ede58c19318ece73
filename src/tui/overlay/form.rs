//! The form of an operation, made from its spec. Filled in, it asks for the plan.

use std::time::Duration;

use super::{After, Chooser, Field, Holds, Overlay, Review};
use crate::model::{
    FieldSpec, FieldType, Kind, ObjectRef, Operation, OperationKind, OperationSpec, Plan, Problem,
    VolumeId,
};
use crate::tui::event::{Effect, Ticket};
use crate::tui::key::Key;
use crate::tui::state::{Purpose, State};

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
        within: Option<VolumeId>,
    ) -> Self {
        let mut form = Self {
            fields: Vec::with_capacity(spec.fields.len()),
            focus: 0,
            within,
            problem: None,
            waiting: None,
            silent: false,
            targets,
            spec,
        };
        for field in form.spec.fields.clone() {
            let pinned = form.pins(field.name, &field.ty, state);
            form.fields.push(match pinned {
                Some(shown) => Field::pinned(field, shown),
                None => {
                    let text = form.present(field.name, &field.ty, state);
                    let suggestion = form.suggest(&field, state);
                    Field::new(field, text, suggestion)
                }
            });
        }
        form.focus = form.next_open(0, 1);
        form
    }

    /// What a field is filled with for good: the thing that the form is for.
    fn pins(&self, name: &str, ty: &FieldType, state: &State) -> Option<String> {
        let FieldType::Object(kind) = ty else {
            return None;
        };
        match self.targets.as_slice() {
            [] => None,
            [one] => {
                let value = fill(one, name, *kind, state)?;
                Some(state.name_of(&value))
            }
            many => {
                fill(&many[0], name, *kind, state)?;
                let names: Vec<_> = many.iter().take(3).map(|o| state.name_of(o)).collect();
                let more = many.len().saturating_sub(names.len());
                let names = names.join(", ");
                Some(match more {
                    0 => names,
                    n => format!("{names} and {n} more"),
                })
            }
        }
    }

    /// What a field already is of the thing that the form changes.
    fn present(&self, name: &str, ty: &FieldType, state: &State) -> Option<String> {
        use OperationKind as O;
        if !matches!(
            self.spec.kind,
            O::UpdateVolume | O::UpdateSnapshot | O::ExtendVolume
        ) {
            return None;
        }
        let target = self.targets.first()?;
        let text = match target.kind {
            Kind::Volume => {
                let volume = state.volume(&target.id)?;
                match name {
                    "name" => volume.name.clone(),
                    "description" => volume.description.clone(),
                    "instance" => volume.instance.clone()?,
                    "device" => volume.device.clone()?,
                    _ if matches!(ty, FieldType::Size { .. }) => volume.size.exact(),
                    _ => return None,
                }
            }
            Kind::Snapshot => {
                let snapshot = state.snapshot(&target.id)?;
                match name {
                    "name" => snapshot.name.clone(),
                    "description" => snapshot.description.clone(),
                    _ => return None,
                }
            }
        };
        Some(text)
    }

    /// A name that will do where none is typed: the first that the field takes.
    fn suggest(&self, field: &FieldSpec, state: &State) -> Option<String> {
        if field.name != "name" {
            return None;
        }
        let candidates = match self.spec.kind {
            OperationKind::CreateSnapshot => {
                let now = state.now.wall.to_zoned(jiff::tz::TimeZone::UTC);
                ["console-%Y%m%d-%H%M", "%Y%m%d-%H%M", "%m%d-%H%M"]
                    .map(|form| now.strftime(form).to_string())
                    .to_vec()
            }
            OperationKind::Clone => {
                let snapshot = state.snapshot(&self.targets.first()?.id)?;
                let volume = snapshot.volume_name.as_deref()?;
                vec![format!("{volume}-{}", snapshot.name), format!("{volume}-2")]
            }
            _ => return None,
        };
        candidates
            .into_iter()
            .find(|name| field.check(name).is_ok())
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
            Some(Holds::Object(_))
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
            if matches!(field.holds, Holds::Object(None)) && field.spec.required {
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
        let FieldType::Object(kind) = field.spec.ty else {
            return;
        };
        let chosen = self.fields.iter().find_map(|f| match &f.holds {
            Holds::Object(Some((object, _))) if object.kind == Kind::Volume => {
                Some(VolumeId(object.id.clone()))
            }
            _ => None,
        });
        let pinned = self.targets.iter().find(|t| t.kind == Kind::Volume);
        let within = self
            .within
            .clone()
            .or(chosen)
            .or_else(|| pinned.map(|t| VolumeId(t.id.clone())))
            .filter(|_| kind == Kind::Snapshot);
        let label = format!("Choose: {}", field.spec.label.to_lowercase());
        let mut chooser = Chooser::objects(state, &label, kind, within, !field.spec.required);
        if let Some(c) = typed {
            chooser.seed(&c.to_string());
        }
        state.open(Overlay::Chooser(Box::new(chooser)));
        // The form itself is put back under what it opened.
    }

    /// A thing was chosen for the field in hand.
    pub(super) fn chosen(&mut self, object: Option<ObjectRef>) {
        let named = object.map(|object| {
            let name = object.id.clone();
            (object, name)
        });
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.choose(named);
        }
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
                    Holds::Object(_) => self.list(state, None),
                    _ => {}
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
                        fill(target, field.spec.name, *kind, state).map(|object| object.id)
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
            Holds::Object(Some((object, _))) => state.name_of(object),
            Holds::Pinned(text) => text.clone(),
            _ => String::new(),
        }
    }
}

/// What a field of this name and kind is for a thing: the thing itself, or a snapshot's volume.
fn fill(target: &ObjectRef, name: &str, kind: Kind, state: &State) -> Option<ObjectRef> {
    if name != kind.one() {
        return None;
    }
    if target.kind == kind {
        return Some(target.clone());
    }
    match (target.kind, kind) {
        (Kind::Snapshot, Kind::Volume) => {
            let snapshot = state.snapshot(&target.id)?;
            Some(ObjectRef::from(&snapshot.volume))
        }
        _ => None,
    }
}
