//! Checks that change nothing.

use std::collections::HashSet;

use futures_util::StreamExt as _;

use super::{Outcome, hold};
use crate::model::{
    Availability, Kind, Object, ObjectRef, Operation, OperationKind, ProblemKind, Query,
};
use crate::provider::Reader;

/// Every operation has a spec that a form can be made from, or a reason why not.
pub(super) fn capabilities(reader: &dyn Reader) -> Outcome {
    let capabilities = reader.capabilities();
    hold!(capabilities.page_size > 0, "a page has no room");
    hold!(capabilities.concurrency > 0, "no call may be under way");
    for kind in OperationKind::ALL {
        let Some(spec) = capabilities.operation(kind) else {
            hold!(false, "{kind} has neither a spec nor a reason");
            continue;
        };
        if let Availability::Unsupported(reason) = &spec.availability {
            hold!(
                !reason.is_empty(),
                "{kind} is not supported, and does not say why"
            );
            continue;
        }
        hold!(!spec.title.is_empty(), "{kind} has no title");
        for field in &spec.fields {
            if let Some(default) = field.default {
                let checked = field.check(default);
                hold!(
                    checked.is_ok(),
                    "{kind}: the default of {} is refused",
                    field.name
                );
            }
        }
        if let Some(on) = spec.on {
            let field = spec.field(on.one());
            hold!(
                field.is_some(),
                "{kind} is done on a {} and has no field for it",
                on.one()
            );
        }
    }
    Ok(())
}

/// Lists come in pages of at most the stated size, without repetition; what is listed can be
/// shown, and is the same.
pub(super) async fn lists(reader: &dyn Reader) -> Outcome {
    for &kind in &reader.capabilities().kinds {
        let mut pages = reader.list(Query::all(kind));
        let mut seen = HashSet::new();
        let mut total = None;
        let mut number = 0;
        while let Some(page) = pages.next().await {
            let page = page?;
            number += 1;
            let most = reader.capabilities().page_size;
            hold!(
                page.items.len() <= most,
                "a page of {} {}",
                page.items.len(),
                kind.many()
            );
            total = page.total.or(total);
            for object in page.items {
                hold!(
                    object.kind() == kind,
                    "a {} among {}",
                    object.kind().one(),
                    kind.many()
                );
                hold!(
                    seen.insert(object.id().to_owned()),
                    "{} is listed twice",
                    object.id()
                );
                // One of many is enough to show, however long the list is.
                if seen.len() % 50 == 1 {
                    let shown = reader.show(&object.reference()).await?;
                    hold!(shown == object, "listed as {object:?}, shown as {shown:?}");
                    let raw = reader.raw(&object.reference()).await?;
                    hold!(
                        raw.text.contains(object.id()),
                        "the raw body does not hold the id"
                    );
                }
            }
        }
        hold!(number > 0, "an empty list of {} has no page", kind.many());
        if let Some(total) = total {
            hold!(
                total == seen.len() as u64,
                "{total} {} said, {} sent",
                kind.many(),
                seen.len()
            );
        }
    }
    Ok(())
}

/// What is not there is said not to be there, everywhere.
pub(super) async fn nothing_there(reader: &dyn Reader) -> Outcome {
    for &kind in &reader.capabilities().kinds {
        for id in [
            "00000000-0000-7000-8000-000000000000",
            "",
            "../../etc/passwd",
            "ü\u{202e}",
        ] {
            let object = ObjectRef::new(kind, id);
            for (how, kind) in [
                ("show", reader.show(&object).await.err().map(|p| p.kind)),
                ("raw", reader.raw(&object).await.err().map(|p| p.kind)),
                ("content", reader.content(&object).err().map(|p| p.kind)),
            ] {
                // A system whose data cannot be read from here may refuse without looking.
                let refused = how == "content" && kind == Some(ProblemKind::User);
                let not_found = kind == Some(ProblemKind::NotFound);
                hold!(not_found || refused, "{how} of {object:?} gave {kind:?}");
            }
        }
    }
    let id = "00000000-0000-7000-8000-000000000000";
    let deletes = reader.capabilities().operation(OperationKind::DeleteVolume);
    let gone = match deletes.is_some_and(|spec| spec.availability == Availability::Supported) {
        true => Operation::new(OperationKind::DeleteVolume).on_volume(&id.into()),
        false => Operation::new(OperationKind::DeleteSnapshot).on_snapshot(&id.into()),
    };
    let kind = reader.plan(&gone).await.err().map(|p| p.kind);
    hold!(
        kind == Some(ProblemKind::NotFound),
        "deleting what is not there gave {kind:?}"
    );
    let empty = Operation::new(OperationKind::CreateVolume);
    let kind = reader.plan(&empty).await.err().map(|p| p.kind);
    hold!(
        kind == Some(ProblemKind::User),
        "creating nothing gave {kind:?}"
    );
    Ok(())
}

/// The names of all things of a kind, for a comparison before and after.
pub(super) async fn everything(reader: &dyn Reader) -> Result<Vec<Object>, super::Violation> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        if reader.capabilities().kinds.contains(&kind) {
            all.extend(crate::provider::list_all(reader, Query::all(kind)).await?);
        }
    }
    Ok(all)
}
