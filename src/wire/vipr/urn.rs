//! Identifiers (section 4.1): `urn:storageos:Volume:b3a9e0c2-7f14-4e58-9d36-20c1d8ab0010:vdc1`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An identifier. One that is no URN is kept as it stands, and has no type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Urn(String);

impl Urn {
    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as an id, where it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let urn = Self(text.to_owned());
        urn.parts().is_some().then_some(urn)
    }

    /// Type, UUID and data center.
    fn parts(&self) -> Option<[&str; 3]> {
        let mut parts = self.0.split(':');
        let head = [parts.next()?, parts.next()?];
        let [kind, uuid, vdc] = [parts.next()?, parts.next()?, parts.next()?];
        let fits = head[0].eq_ignore_ascii_case("urn")
            && head[1].eq_ignore_ascii_case("storageos")
            && parts.next().is_none()
            && !kind.is_empty()
            && kind.chars().all(|c| c.is_ascii_alphabetic())
            && is_uuid(uuid)
            && vdc.chars().all(|c| c.is_ascii_alphanumeric());
        fits.then_some([kind, uuid, vdc])
    }

    /// The type, whole: `BlockSnapshotSession` begins as `BlockSnapshot` does, and is none.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.parts().map(|[kind, ..]| kind)
    }

    /// Whether it is of this type.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.kind()
            .is_some_and(|own| own.eq_ignore_ascii_case(kind))
    }

    /// The UUID in it.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.parts().map(|[_, uuid, _]| uuid)
    }

    /// The short id of its data center, or `global`; may be empty.
    #[must_use]
    pub fn vdc(&self) -> Option<&str> {
        self.parts().map(|[.., vdc]| vdc)
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Urn {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_third_part_is_the_type() {
        let uuid = "e9d40f61-2b7c-4c83-8a15-6f0e3d920020";
        let session = Urn::parse(&format!("urn:storageos:BlockSnapshotSession:{uuid}:vdc1"));
        let session = session.unwrap();
        assert!(session.is("BlockSnapshotSession") && !session.is("BlockSnapshot"));
        assert_eq!((session.uuid(), session.vdc()), (Some(uuid), Some("vdc1")));
        // Old ones end in a colon; the pattern heeds no case.
        let old = Urn::parse(&format!("URN:StorageOS:volume:{}:", uuid.to_uppercase()));
        assert!(old.is_some_and(|old| old.is("Volume") && old.vdc() == Some("")));
        for wrong in [
            "",
            uuid,
            "urn:storageos:Volume:x:vdc1",
            "urn:storageos:Volume",
            "../../etc/passwd",
            &format!("urn:storageos::{uuid}:vdc1"),
            &format!("urn:storageos:Volume:{uuid}:vdc1:x"),
            &format!("urn:storageos:Volume:{uuid}:vdc1/.."),
            &format!("urn:other:Volume:{uuid}:vdc1"),
        ] {
            assert_eq!(Urn::parse(wrong), None, "{wrong}");
        }
    }
}
