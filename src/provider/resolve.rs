//! Finding the thing that a person named.

use futures_util::StreamExt as _;

use super::Reader;
use crate::model::{Kind, Object, ObjectRef, Problem, Query, Snapshot};

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
            Kind::Snapshot => self.snapshot(text, within).await,
            Kind::Volume | Kind::Group | Kind::Session | Kind::Target => {
                self.named(kind, text).await
            }
        }
    }

    /// The one volume or snapshot that `text` names: `VOLUME`, `VOLUME@SNAPSHOT`, or an id.
    ///
    /// # Errors
    /// As [`Resolver::find`]; a text that names a volume and a snapshot is refused too.
    pub async fn find_content(&self, text: &str) -> Result<Object, Problem> {
        let mut all = list_all(self.reader, Query::all(Kind::Volume)).await?;
        all.extend(list_all(self.reader, Query::all(Kind::Snapshot)).await?);
        let kind = match text.contains('@') {
            true => Kind::Snapshot,
            false => Kind::Volume,
        };
        one(kind, text, all, |object| match object {
            Object::Snapshot(snapshot) => in_full(snapshot, text),
            other => other.name() == text,
        })
    }

    async fn named(&self, kind: Kind, text: &str) -> Result<Object, Problem> {
        let all = list_all(self.reader, Query::all(kind)).await?;
        one(kind, text, all, |object| object.name() == text)
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
        one(Kind::Snapshot, text, all, |object| match object {
            Object::Snapshot(snapshot) => snapshot.name == text || in_full(snapshot, text),
            _ => false,
        })
    }
}

/// Whether a text is a snapshot's name with its volume's name or id before it. Names may hold an
/// `@` themselves: every reading counts, and a text with two is refused.
fn in_full(snapshot: &Snapshot, text: &str) -> bool {
    let Some(volume) = text
        .strip_suffix(&snapshot.name)
        .and_then(|rest| rest.strip_suffix('@'))
    else {
        return false;
    };
    volume == snapshot.volume.as_str() || snapshot.volume_name.as_deref() == Some(volume)
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
            "\"{text}\" is the name of {} things; say which by its id",
            found.len()
        ));
        problem.causes = found
            .iter()
            .map(|object| {
                format!(
                    "{} {} {}",
                    object.id(),
                    object.kind().one(),
                    object.full_name()
                )
            })
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
