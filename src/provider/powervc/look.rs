//! Looking at instance snapshots, machines, and how far a long operation has come.

use reqwest::Url;

use super::Shared;
use crate::http::Response;
use crate::model::{Kind, ObjectRef, Problem};
use crate::provider::cinder::look::is_id;
use crate::provider::cinder::scan::Scan;
use crate::provider::cinder::session::{Ask, Service, not_understood};
use crate::wire::cinder::Server;
use crate::wire::powervc::{InstanceSnapshot, InstanceSnapshots, Machine, Progress};

/// Where they all are.
pub(super) const PATH: &str = "/instance-snapshots";

/// The path of one of them.
pub(super) fn path(id: &str) -> Result<String, Problem> {
    // What would be taken for another call is no id.
    match is_id(id) && id != "get_progress" {
        true => Ok(format!("{PATH}/{id}")),
        false => Err(Problem::not_found(format!(
            "there is no instance snapshot \"{id}\""
        ))),
    }
}

/// The call that a link to a progress means. The link is followed as it stands where it leads to the host of block storage;
/// no token goes to another, and what the link says is asked for at the address of the catalog instead.
pub(super) fn follow(volume: &str, link: &str) -> Option<Ask> {
    let (link, own) = (Url::parse(link).ok()?, Url::parse(volume).ok()?);
    let query = link.query()?;
    Some(match link.origin() == own.origin() {
        true => {
            let path = format!("{}?{query}", link.path());
            Ask::get(path).at(Service::Link)
        }
        false => Ask::get(format!("{PATH}/get_progress?{query}")),
    })
}

impl Shared {
    /// All instance snapshots.
    pub(super) async fn instance_snapshots(&self) -> Result<Vec<InstanceSnapshot>, Problem> {
        let what = "instance snapshots cannot be listed";
        let answer = self.session().read(&Ask::get(PATH), what).await?;
        InstanceSnapshots::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
    }

    /// The answer that shows one.
    pub(super) async fn answer(&self, id: &str) -> Result<Response, Problem> {
        let what = format!("{} cannot be shown", ObjectRef::new(Kind::Group, id));
        self.session().read(&Ask::get(path(id)?), &what).await
    }

    /// One of them, as it is now.
    pub(super) async fn instance_snapshot(&self, id: &str) -> Result<InstanceSnapshot, Problem> {
        let answer = self.answer(id).await?;
        InstanceSnapshot::read(&answer.body).map_err(|why| {
            let what = format!("the instance snapshot {id} cannot be shown");
            not_understood(&answer, what, &why)
        })
    }

    /// A machine, as it is now.
    pub(super) async fn machine(&self, id: &str) -> Result<Machine, Problem> {
        if !is_id(id) {
            return Err(Problem::not_found(format!("there is no machine \"{id}\"")));
        }
        let what = format!("the machine {id} cannot be looked at");
        let ask = Ask::get(format!("/servers/{id}")).at(Service::Compute);
        let answer = self.session().read(&ask, &what).await?;
        Machine::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
    }

    /// The id of the machine that somebody named, by its id or by its name.
    pub(super) async fn find_machine(&self, named: &str) -> Result<String, Problem> {
        let pages = Scan::<Server>::start(self.session(), "").all().await?;
        let all: Vec<&Server> = pages.iter().flat_map(|page| page.iter()).collect();
        if let Some(exact) = all.iter().find(|server| server.id == named) {
            return Ok(exact.id.clone());
        }
        let found: Vec<&&Server> = all.iter().filter(|server| server.name == named).collect();
        match found.as_slice() {
            [one] => Ok(one.id.clone()),
            [] => Err(Problem::not_found(format!(
                "there is no machine \"{named}\""
            ))),
            many => {
                let ids: Vec<&str> = many.iter().map(|server| server.id.as_str()).collect();
                Err(Problem::conflict(format!(
                    "\"{named}\" is the name of {} machines; say which by its id",
                    many.len()
                ))
                .because(ids.join(", ")))
            }
        }
    }

    /// How far the operation behind a link has come; `None` where the service does not tell it, and the status must do.
    pub(super) async fn progress(&self, link: &str) -> Option<Progress> {
        let signed = self.session().signed().await.ok()?;
        let ask = follow(&signed.volume, link)?;
        match self.session().read(&ask, "no progress is told").await {
            Ok(answer) => match Progress::read(&answer.body) {
                Ok(progress) => progress,
                Err(why) => {
                    tracing::warn!(why, "a progress was not understood; the status must do");
                    None
                }
            },
            // The status tells what is wrong, where anything is.
            Err(problem) => {
                tracing::info!(%problem, "no progress is told; the status must do");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_as_it_stands_on_its_own_host_and_rebuilt_elsewhere() {
        let base = "https://pvc.example.test:9000/volume/v3/t";
        let query = "action=snapshot&task_id=a%2Fb&id=c";
        let own =
            format!("https://pvc.example.test:9000/v3/t/instance-snapshots/get_progress?{query}");
        let ask = follow(base, &own).unwrap();
        assert_eq!(ask.service, Service::Link);
        assert_eq!(
            ask.path,
            own.trim_start_matches("https://pvc.example.test:9000")
        );
        for foreign in [
            "https://elsewhere.example.test:9000/v3/t/x",
            "http://pvc.example.test:9000/v3/t/x",
            "https://pvc.example.test:9001/v3/t/x",
            "https://pvc.example.test:9000@elsewhere.example.test/v3/t/x",
        ] {
            let ask = follow(base, &format!("{foreign}?{query}")).unwrap();
            assert_eq!(ask.service, Service::Volume, "{foreign}");
            assert_eq!(
                ask.path,
                format!("/instance-snapshots/get_progress?{query}")
            );
        }
        for nothing in ["", "no link", "https://pvc.example.test:9000/v3/t"] {
            assert!(follow(base, nothing).is_none(), "{nothing}");
        }
    }

    #[test]
    fn what_would_be_another_call_is_no_id() {
        assert!(path("get_progress").is_err() && path("../x").is_err() && path("").is_err());
        assert_eq!(path("a-b").unwrap(), "/instance-snapshots/a-b");
    }
}
