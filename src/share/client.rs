//! Asking the process that has the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::content::{AttachedContent, lost};
use super::difference::AttachedDifference;
use super::socket::Place;
use super::wire::{LINE, Reply, Request, WirePage};
use crate::model::{
    Capabilities, Change, Object, ObjectRef, Operation, Page, Plan, Problem, Query, Raw, Thing,
};
use crate::provider::{Content, Difference, Reader};

/// A question that was asked, and its answer as it comes.
pub(super) struct Asked {
    stream: BufReader<UnixStream>,
    line: String,
}

impl Asked {
    /// Asks the process that has the store in `dir`.
    pub(super) async fn new(dir: &Path, request: &Request) -> Result<Self, Problem> {
        let place = Place::of(dir).map_err(|e| lost(&e))?;
        let mut stream = UnixStream::connect(&place.path)
            .await
            .map_err(|e| lost(&e))?;
        let mut line = serde_json::to_vec(request).map_err(|e| lost(&e))?;
        line.push(b'\n');
        stream.write_all(&line).await.map_err(|e| lost(&e))?;
        Ok(Self {
            stream: BufReader::new(stream),
            line: String::new(),
        })
    }

    /// The next item; `None` at the end of a stream of them.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Problem> {
        self.line.clear();
        let mut limited = (&mut self.stream).take(LINE);
        limited
            .read_line(&mut self.line)
            .await
            .map_err(|e| lost(&e))?;
        match serde_json::from_str(&self.line).map_err(|e| lost(&e))? {
            Reply::Item(item) => Ok(Some(item)),
            Reply::End => Ok(None),
            Reply::Failed(problem) => Err(problem),
        }
    }
}

/// Asks for one thing.
pub(super) async fn ask<T: DeserializeOwned>(dir: &Path, request: &Request) -> Result<T, Problem> {
    let mut asked = Asked::new(dir, request).await?;
    let answer = asked.next().await?;
    answer.ok_or_else(|| lost(&std::io::Error::other("the answer is empty")))
}

/// The means to look at a store that another process has open.
pub(super) struct AttachedReader {
    dir: PathBuf,
    capabilities: Capabilities,
}

impl AttachedReader {
    pub(super) fn new(dir: &Path, capabilities: Capabilities) -> Self {
        Self {
            dir: dir.to_owned(),
            capabilities,
        }
    }
}

#[async_trait]
impl Reader for AttachedReader {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        let request = Request::List {
            kind: query.kind,
            volume: query.volume,
        };
        let dir = self.dir.clone();
        let asked = async move { Asked::new(&dir, &request).await };
        stream::once(asked)
            .flat_map(|asked| match asked {
                Err(problem) => stream::once(async { Err(problem) }).boxed(),
                Ok(asked) => stream::unfold(Some(asked), |asked| async {
                    let mut asked = asked?;
                    match asked.next::<WirePage>().await {
                        Ok(Some(page)) => {
                            let items = page.items.into_iter().map(Object::from).collect();
                            let total = page.total;
                            Some((Ok(Page { items, total }), Some(asked)))
                        }
                        Ok(None) => None,
                        Err(problem) => Some((Err(problem), None)),
                    }
                })
                .boxed(),
            })
            .boxed()
    }

    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem> {
        let thing: Thing = ask(&self.dir, &Request::Show(object.clone())).await?;
        Ok(thing.into())
    }

    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem> {
        ask(&self.dir, &Request::Raw(object.clone())).await
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        ask(&self.dir, &Request::Plan(operation.clone())).await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        let dir = self.dir.clone();
        let asked = async move { Asked::new(&dir, &Request::Watch).await.ok() };
        stream::once(asked)
            .flat_map(|asked| {
                stream::unfold(asked, |asked| async {
                    let mut asked = asked?;
                    let change = asked.next::<Change>().await.ok()??;
                    Some((change, Some(asked)))
                })
            })
            .boxed()
    }

    fn content(&self, object: &ObjectRef) -> Result<Arc<dyn Content>, Problem> {
        Ok(Arc::new(AttachedContent::open(&self.dir, object)?))
    }

    fn difference(&self, from: &ObjectRef, to: &ObjectRef) -> Result<Arc<dyn Difference>, Problem> {
        Ok(Arc::new(AttachedDifference::open(&self.dir, from, to)?))
    }
}
