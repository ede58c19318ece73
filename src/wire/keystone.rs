//! Keystone v3: signing in, the token, the catalog.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{Auth, Named, Scope};

/// The body that signs in; `None` where each call is signed instead.
#[must_use]
pub fn sign_in(auth: &Auth, scope: &Scope) -> Option<Value> {
    let identity = match auth {
        Auth::Keys(_) | Auth::Login(_) => return None,
        Auth::Password { user, password } => {
            let mut user = named(user);
            user["password"] = password.expose_secret().into();
            json!({"methods": ["password"], "password": {"user": user}})
        }
        Auth::ApplicationCredential {
            credential,
            user,
            secret,
        } => {
            let mut credential = named(credential);
            if let Some(user) = user {
                credential["user"] = named(user);
            }
            credential["secret"] = secret.expose_secret().into();
            json!({"methods": ["application_credential"], "application_credential": credential})
        }
        Auth::Token(token) => json!({"methods": ["token"], "token": {"id": token.expose_secret()}}),
    };
    let mut auth = json!({"identity": identity});
    let scope = match scope {
        Scope::Project(project) => json!({"project": named(project)}),
        Scope::Domain(domain) => json!({"domain": named(domain)}),
        Scope::System => json!({"system": {"all": true}}),
        Scope::Trust(id) => json!({"OS-TRUST:trust": {"id": id}}),
        Scope::Own => return Some(json!({"auth": auth})),
    };
    auth["scope"] = scope;
    Some(json!({"auth": auth}))
}

/// By the id, or by the name in its domain.
fn named(named: &Named) -> Value {
    if let Some(id) = &named.id {
        return json!({"id": id});
    }
    let mut value = json!({"name": named.name});
    if let Some(id) = &named.domain_id {
        value["domain"] = json!({"id": id});
    } else if let Some(name) = &named.domain_name {
        value["domain"] = json!({"name": name});
    }
    value
}

/// What comes when one has signed in; the token itself is in a header.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenReply {
    /// What it says.
    pub token: Token,
}

/// A token, without its id.
#[derive(Clone, Debug, Deserialize)]
pub struct Token {
    /// Until when it holds.
    pub expires_at: Option<String>,
    /// Who signed in.
    pub user: Option<Reference>,
    /// The project that it is for.
    pub project: Option<Reference>,
    /// What one may do.
    #[serde(default)]
    pub roles: Vec<Reference>,
    /// What there is to call.
    #[serde(default)]
    pub catalog: Vec<Service>,
}

/// The projects of a name.
#[derive(Clone, Debug, Deserialize)]
pub struct Projects {
    /// They.
    pub projects: Vec<Reference>,
}

/// Something with an id and a name.
#[derive(Clone, Debug, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// A service of the catalog.
#[derive(Clone, Debug, Deserialize)]
pub struct Service {
    /// What it is (`block-storage`).
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
}

/// Where a service is.
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoint {
    /// For whom (`public`).
    pub interface: String,
    /// In which region.
    #[serde(default)]
    pub region: Option<String>,
    /// In which region, by its id.
    #[serde(default)]
    pub region_id: Option<String>,
    /// The address.
    pub url: String,
}

/// The types of the volume service, the preferred one first.
pub const VOLUME: [&str; 4] = ["block-storage", "volumev3", "block-store", "volume"];
/// The types of the compute service.
pub const COMPUTE: [&str; 1] = ["compute"];

/// The address of the first of these types that the catalog has in this region at this interface.
#[must_use]
pub fn find<'c>(
    catalog: &'c [Service],
    types: &[&str],
    interface: &str,
    region: Option<&str>,
) -> Option<&'c str> {
    types.iter().find_map(|kind| {
        let endpoints = catalog
            .iter()
            .filter(|service| service.kind == *kind)
            .flat_map(|service| &service.endpoints);
        endpoints
            .filter(|at| at.interface.trim_end_matches("URL") == interface)
            .find(|at| {
                region.is_none()
                    || at.region.as_deref() == region
                    || at.region_id.as_deref() == region
            })
            .map(|at| at.url.trim_end_matches('/'))
    })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn recorded(name: &str) -> Value {
        let path = format!(
            "{}/tests/recorded/cinder/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn by_name(name: &str) -> Named {
        Named {
            id: None,
            name: Some(name.to_owned()),
            domain_id: None,
            domain_name: Some("Default".to_owned()),
        }
    }

    #[test]
    fn what_is_sent_is_what_was_recorded() {
        let flow = recorded("identity-password-project");
        let auth = Auth::Password {
            user: by_name("demo"),
            password: SecretString::from("secret".to_owned()),
        };
        let sent = sign_in(&auth, &Scope::Project(by_name("demo")));
        assert_eq!(sent.unwrap(), flow["exchanges"][0]["request"]["body"]);
    }

    #[test]
    fn an_application_credential_has_its_scope_built_in() {
        let flow = recorded("identity-application-credential");
        let bodies: Vec<&Value> = flow["exchanges"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["response"]["status"] == 201)
            .map(|e| &e["request"]["body"])
            .collect();
        let body = bodies[0];
        let said = &body["auth"]["identity"]["application_credential"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let auth = Auth::ApplicationCredential {
            credential: Named {
                id: Some(text(&said["id"])),
                name: None,
                domain_id: None,
                domain_name: None,
            },
            user: None,
            secret: SecretString::from(text(&said["secret"])),
        };
        assert_eq!(&sign_in(&auth, &Scope::Own).unwrap(), body);
    }

    #[test]
    fn the_address_is_found_by_type_interface_and_region() {
        let flow = recorded("identity-password-project");
        let body = flow["exchanges"][0]["response"]["body"].clone();
        let token = serde_json::from_value::<TokenReply>(body).unwrap().token;
        assert!(token.expires_at.unwrap().ends_with('Z'));
        assert_eq!(token.project.unwrap().name, "demo");
        let found = find(&token.catalog, &VOLUME, "public", Some("RegionOne")).unwrap();
        assert!(found.starts_with("http://localhost:8776/v3/"), "{found}");
        assert!(find(&token.catalog, &VOLUME, "public", Some("Nowhere")).is_none());
        assert!(find(&token.catalog, &COMPUTE, "public", None).is_none());
        assert!(find(&token.catalog, &VOLUME, "internal", None).is_some());
    }
}
