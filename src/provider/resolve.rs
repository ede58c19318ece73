//! Finding the thing that a person named.

use futures_util::StreamExt as _;

use super::Reader;
use crate::model::{Kind, Object, ObjectRef, Problem, ProblemKind, Query, Reference};

/// Everything that a query lists, in one vector.
///
/// # Errors
/// The first page that fails.
pub async fn list_all(reader: &dyn Reader, query: Query) -> Result<Vec<Object>, Problem> {
    let mut pages = reader.list(query);
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        items.extend(page?.items);
    }
    Ok(items)
}

/// Finds things by what people type: an id, a name, `VOLUME@SNAPSHOT`.
pub struct Resolver<'a> {
    reader: &'a dyn Reader,
}

impl<'a> Resolver<'a> {
    /// A resolver that asks this reader.
    #[must_use]
    pub fn new(reader: &'a dyn Reader) -> Self {
        Self { reader }
    }

    /// The one thing of `kind` that `text` names. For a snapshot `within` narrows a
    /// plain name to one volume.
    ///
    /// # Errors
    /// [`NotFound`](crate::model::ProblemKind::NotFound), or
    /// [`Conflict`](crate::model::ProblemKind::Conflict) with the ids that it could mean.
    pub async fn find(
        &self,
        kind: Kind,
        text: &str,
        within: Option<&ObjectRef>,
    ) -> Result<Object, Problem> {
        match kind {
            Kind::Volume => self.volume(text).await,
            Kind::Snapshot => self.snapshot(text, within).await,
        }
    }

    /// The one volume or snapshot that `text` names: `VOLUME`, `VOLUME@SNAPSHOT`, or an id.
    ///
    /// # Errors
    /// As [`Resolver::find`].
    pub async fn find_content(&self, text: &str) -> Result<Object, Problem> {
        let problem = match self.volume(text).await {
            Err(problem) if problem.kind == ProblemKind::NotFound => problem,
            // One that is there, or several.
            other => return other,
        };
        let says_snapshot = Reference::parse(text).snapshot.is_some();
        self.snapshot(text, None)
            .await
            .map_err(|of_snapshot| if says_snapshot { of_snapshot } else { problem })
    }

    async fn volume(&self, text: &str) -> Result<Object, Problem> {
        let all = list_all(self.reader, Query::all(Kind::Volume)).await?;
        one(Kind::Volume, text, all, |object| object.name() == text)
    }

    async fn snapshot(&self, text: &str, within: Option<&ObjectRef>) -> Result<Object, Problem> {
        let mut all = list_all(self.reader, Query::all(Kind::Snapshot)).await?;
        if let Some(volume) = within {
            let (inside, outside): (Vec<_>, Vec<_>) = all.into_iter().partition(
                |object| matches!(object, Object::Snapshot(s) if s.volume.as_str() == volume.id),
            );
            let named = |object: &&Object| object.id() == text || object.full_name() == text;
            // Said in full, it is meant; whether it fits is the plan's to say.
            if let Some(foreign) = outside.iter().find(named) {
                return Ok(foreign.clone());
            }
            all = inside;
        }
        // A name may hold an @ itself, so the whole text is tried first.
        if let Ok(found) = one(Kind::Snapshot, text, all.clone(), |object| {
            object.name() == text
        }) {
            return Ok(found);
        }
        let reference = Reference::parse(text);
        let Some(snapshot) = reference.snapshot else {
            return one(Kind::Snapshot, text, all, |object| object.name() == text);
        };
        let volume = self.volume(&reference.name).await?;
        all.retain(
            |object| matches!(object, Object::Snapshot(s) if s.volume.as_str() == volume.id()),
        );
        one(Kind::Snapshot, &snapshot, all, |object| {
            object.name() == snapshot
        })
        .map_err(|mut problem| {
            problem.what = problem
                .what
                .replace(&format!("\"{snapshot}\""), &format!("\"{text}\""));
            problem
        })
    }
}

fn one(
    kind: Kind,
    text: &str,
    all: Vec<Object>,
    named: impl Fn(&Object) -> bool,
) -> Result<Object, Problem> {
    let mut near: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for object in all {
        if object.id() == text {
            return Ok(object);
        }
        if named(&object) {
            found.push(object);
        } else if near.len() < 5 && close(object.name(), text) {
            near.push(object.full_name());
        }
    }
    if found.len() > 1 {
        let mut problem = Problem::conflict(format!(
            "\"{text}\" is the name of {} {}; say which by its id",
            found.len(),
            kind.many()
        ));
        problem.causes = found
            .iter()
            .map(|object| format!("{} {}", object.id(), object.full_name()))
            .collect();
        return Err(problem);
    }
    found.pop().ok_or_else(|| {
        let problem = Problem::not_found(format!("there is no {} \"{text}\"", kind.one()));
        if near.is_empty() {
            problem
        } else {
            problem.hint(format!("there is {}", near.join(", ")))
        }
    })
}

/// Whether a name may be what was meant: one holds the other, whatever the case.
fn close(name: &str, text: &str) -> bool {
    let (name, text) = (name.to_lowercase(), text.to_lowercase());
    !text.is_empty() && (name.contains(&text) || text.contains(&name))
}
