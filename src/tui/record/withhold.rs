//! Takes out of events what must not be kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Capabilities, Operation, OperationKind, Plan, Task, Term, Undo, Value};
use crate::tui::Listed;
use crate::tui::event::{Answer, Event, Opened};
use crate::tui::key::Key;

/// What stands for each character of a secret.
const STAND_IN: char = '*';

/// The fields that are marked secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Secrets {
    fields: BTreeSet<(OperationKind, Term)>,
}

impl Secrets {
    /// Those of a system's specs.
    pub(super) fn of(system: &Capabilities) -> Self {
        let mut secrets = Self::default();
        secrets.take_in(system);
        secrets
    }

    /// Those of another system's too.
    fn take_in(&mut self, system: &Capabilities) {
        let specs = system.operations.iter();
        self.fields.extend(specs.flat_map(|spec| {
            let secret = spec.fields.iter().filter(|field| field.secret);
            secret.map(|field| (spec.kind, field.name))
        }));
    }

    /// What can be opened, without where it is.
    pub(super) fn listed(listed: &[Listed]) -> Vec<Listed> {
        let bare = |listed: &Listed| Listed {
            address: None,
            ..listed.clone()
        };
        listed.iter().map(bare).collect()
    }

    /// A system that was opened.
    fn opened(&mut self, opened: &Opened) -> Box<Opened> {
        self.take_in(&opened.system);
        let tasks = opened.tasks.iter();
        Box::new(Opened {
            tasks: tasks.map(|task| Arc::new(self.task(task))).collect(),
            ..opened.clone()
        })
    }

    /// The event as it may be kept. `typing` says that a secret field has the keys.
    pub(super) fn withhold(&mut self, event: &Event, typing: bool) -> Event {
        match event {
            Event::Tab(tab, event) => Event::Tab(*tab, Box::new(self.withhold(event, typing))),
            Event::Opened(opened) => Event::Opened(self.opened(opened)),
            Event::Renewed(Ok(opened)) => Event::Renewed(Ok(self.opened(opened))),
            Event::Profiles(listed) => Event::Profiles(Self::listed(listed)),
            Event::Key(key) if typing && key.typed().is_some() => Event::Key(Key::char(STAND_IN)),
            Event::Paste(text) if typing => Event::Paste(text.chars().map(|_| STAND_IN).collect()),
            Event::Answer(ticket, Answer::Planned(plans)) if !self.fields.is_empty() => {
                let plans = plans.iter().map(|plan| plan.as_ref().map(|p| self.plan(p)));
                let plans = plans.map(|plan| plan.map_err(Clone::clone)).collect();
                Event::Answer(*ticket, Answer::Planned(plans))
            }
            Event::Tasks(tasks) if !self.fields.is_empty() => {
                Event::Tasks(tasks.iter().map(|task| Arc::new(self.task(task))).collect())
            }
            event => event.clone(),
        }
    }

    /// A task without the values of secret fields.
    pub(super) fn task(&self, task: &Task) -> Task {
        Task {
            plan: self.plan(&task.plan),
            ..task.clone()
        }
    }

    fn plan(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        self.operation(&mut plan.operation);
        if let Undo::By {
            operation: Some(operation),
            ..
        } = &mut plan.undo
        {
            self.operation(operation);
        }
        plan
    }

    fn operation(&self, operation: &mut Operation) {
        for (name, value) in &mut operation.values {
            let secret = self
                .fields
                .iter()
                .any(|(kind, field)| *kind == operation.kind && field == name);
            if secret {
                *value = Value::Text("(withheld)".to_owned());
            }
        }
    }
}
