//! `clouds.yaml`, `secure.yaml` and the variables `OS_*`, as the users of OpenStack have them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::model::{Problem, ProblemKind};

/// The cloud that is made of the variables, unless `OS_CLOUD_NAME` calls it otherwise.
const ENVVARS: &str = "envvars";

/// Keys that belong under `auth`, and are moved there from the cloud itself.
const AUTH: [&str; 26] = [
    "auth_url",
    "username",
    "user_id",
    "password",
    "project_name",
    "project_id",
    "tenant_name",
    "tenant_id",
    "user_domain_name",
    "user_domain_id",
    "project_domain_name",
    "project_domain_id",
    "domain_name",
    "domain_id",
    "default_domain",
    "default_domain_name",
    "default_domain_id",
    "token",
    "application_credential_id",
    "application_credential_name",
    "application_credential_secret",
    "system_scope",
    "trust_id",
    "user_domain",
    "project_domain",
    "auth_token",
];

/// What the program finds around it: variables, and the folders in which it looks.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    vars: BTreeMap<String, String>,
    /// The folders for `clouds.yaml`, in their order.
    folders: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let own = vars
            .get("XDG_CONFIG_HOME")
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(vars.get("HOME")?).join(".config")));
        let folders = [
            std::env::current_dir().ok(),
            own.map(|dir| dir.join("openstack")),
            Some("/etc/xdg/openstack".into()),
            Some("/etc/openstack".into()),
        ];
        Self {
            vars,
            folders: folders.into_iter().flatten().collect(),
        }
    }

    /// Others than those of this process.
    pub fn new<'a>(
        vars: impl IntoIterator<Item = (&'a str, &'a str)>,
        folders: Vec<PathBuf>,
    ) -> Self {
        let vars = vars.into_iter();
        Self {
            vars: vars.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            folders,
        }
    }

    /// A variable that is set to something.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        let value = self.vars.get(name)?;
        (!value.is_empty()).then_some(value)
    }

    /// A path, with `~` for the home folder.
    #[must_use]
    pub fn at_home(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.var("HOME")) {
            (Ok(rest), Some(home)) => Path::new(home).join(rest),
            _ => path.to_owned(),
        }
    }

    /// The first file of this name that is there, or the one that a variable names.
    fn find(&self, variable: &str, stem: &str) -> Option<PathBuf> {
        if let Some(named) = self.var(variable) {
            return Some(named.into());
        }
        let names = ["yaml", "yml", "json"].map(|end| format!("{stem}.{end}"));
        self.folders
            .iter()
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
            .find(|path| path.is_file())
    }
}

/// One cloud: its keys, those of `auth` below `auth`, all with `_`.
#[derive(Clone, Default)]
pub struct Cloud {
    keys: Map<String, Value>,
    auth: Map<String, Value>,
}

impl std::fmt::Debug for Cloud {
    /// The names of the keys alone: there are secrets among their values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.keys.keys().chain(self.auth.keys());
        f.debug_set().entries(keys).finish()
    }
}

impl Cloud {
    fn new(map: Map<String, Value>) -> Self {
        let mut cloud = Self::default();
        for (key, value) in map {
            let key = key.replace('-', "_");
            match value {
                Value::Object(auth) if key == "auth" => {
                    for (key, value) in auth {
                        cloud.auth.insert(key.replace('-', "_"), value);
                    }
                }
                value if AUTH.contains(&key.as_str()) => {
                    cloud.auth.entry(key).or_insert(value);
                }
                value => {
                    cloud.keys.insert(key, value);
                }
            }
        }
        cloud
    }

    /// A value of the cloud itself, as text, by the first of these names that is there.
    #[must_use]
    pub fn key(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text(self.keys.get(*name)?))
    }

    /// The same below `auth`.
    #[must_use]
    pub fn auth(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text(self.auth.get(*name)?))
    }

    /// The first region that it names.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.key(&["region_name"]).or_else(|| {
            let first = self.keys.get("regions")?.as_array()?.first()?;
            text(first).or_else(|| text(first.get("name")?))
        })
    }

    /// Lays the values of its entry for this region over its own.
    fn in_region(mut self, region: Option<&str>) -> Self {
        let entries = self.keys.get("regions").and_then(Value::as_array).cloned();
        let entry = entries.into_iter().flatten().find(|entry| {
            let name = entry.get("name").and_then(Value::as_str);
            name.is_some() && (region.is_none() || name == region)
        });
        let over = entry
            .as_ref()
            .and_then(|e| e.get("values"))
            .and_then(Value::as_object);
        if let Some(over) = over {
            let over = Self::new(over.clone());
            self.keys.extend(over.keys);
            self.auth.extend(over.auth);
        }
        self
    }

    /// Whether the other side is to be trusted whoever it is.
    #[must_use]
    pub fn insecure(&self) -> bool {
        let truth = |name: &str| {
            let said = text(self.keys.get(name)?)?.to_ascii_lowercase();
            Some(matches!(said.as_str(), "true" | "1" | "yes" | "on"))
        };
        truth("insecure") == Some(true) || truth("verify") == Some(false)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// All clouds that are known here.
#[derive(Clone, Debug, Default)]
pub struct Clouds {
    clouds: BTreeMap<String, Cloud>,
    /// The file that they were read from.
    pub file: Option<PathBuf>,
    chosen: Option<String>,
}

impl Clouds {
    /// Reads them. Files that are not there say nothing.
    ///
    /// # Errors
    /// A file that is there and cannot be understood.
    pub fn read(around: &Surroundings) -> Result<Self, Problem> {
        let file = around.find("OS_CLIENT_CONFIG_FILE", "clouds");
        let mut all = match &file {
            Some(path) => yaml(path)?,
            None => Value::Null,
        };
        if let Some(path) = around.find("OS_CLIENT_SECURE_FILE", "secure") {
            merge(&mut all, yaml(&path)?);
        }
        let public = match around.find("OS_CLIENT_VENDOR_FILE", "clouds-public") {
            Some(path) => yaml(&path)?,
            None => Value::Null,
        };
        let mut clouds = BTreeMap::new();
        let named = all.get_mut("clouds").map(Value::take);
        for (name, value) in named
            .as_ref()
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let mut whole = ["profile", "cloud"]
                .iter()
                .find_map(|key| value.get(key)?.as_str())
                .and_then(|vendor| public.get("public-clouds")?.get(vendor))
                .cloned()
                .unwrap_or_else(|| Value::Object(Map::new()));
            merge(&mut whole, value.clone());
            if let Value::Object(map) = whole {
                clouds.insert(name.clone(), Cloud::new(map));
            }
        }
        let variables = from_variables(around);
        if !variables.is_empty() {
            let name = around.var("OS_CLOUD_NAME").unwrap_or(ENVVARS);
            if clouds.contains_key(name) {
                return Err(Problem::new(
                    ProblemKind::Config,
                    format!("clouds.yaml has a cloud \"{name}\", and so have the variables OS_*"),
                )
                .hint("call the one of the variables otherwise with OS_CLOUD_NAME"));
            }
            clouds.insert(name.to_owned(), Cloud::new(variables));
        }
        Ok(Self {
            clouds,
            file,
            chosen: around.var("OS_CLOUD").map(str::to_owned),
        })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.clouds.keys().map(String::as_str)
    }

    /// The cloud that is meant where none is named: that of `OS_CLOUD`, that of the variables, or the only one.
    #[must_use]
    pub fn meant(&self) -> Option<&str> {
        let envvars = self.clouds.get_key_value(ENVVARS).map(|(name, _)| name);
        let only = self.clouds.keys().next().filter(|_| self.clouds.len() == 1);
        self.chosen
            .as_ref()
            .or(envvars)
            .or(only)
            .map(String::as_str)
    }

    /// The cloud of this name, in this region or its own.
    ///
    /// # Errors
    /// Where there is none.
    pub fn find(&self, name: &str, region: Option<&str>) -> Result<Cloud, Problem> {
        let cloud = self.clouds.get(name).cloned().ok_or_else(|| {
            let what = match &self.file {
                Some(file) => format!("there is no cloud \"{name}\" in {}", file.display()),
                None => format!("there is no cloud \"{name}\": no clouds.yaml was found"),
            };
            let problem = Problem::new(ProblemKind::Config, what);
            match self.names().collect::<Vec<_>>().join(", ") {
                names if names.is_empty() => problem,
                names => problem.hint(format!("there are {names}")),
            }
        })?;
        Ok(cloud.in_region(region))
    }
}

/// The cloud that the variables make up; those that only choose are no part of it.
fn from_variables(around: &Surroundings) -> Map<String, Value> {
    let chooses = [
        "OS_CLOUD",
        "OS_REGION_NAME",
        "OS_CLIENT_CONFIG_FILE",
        "OS_CLIENT_SECURE_FILE",
        "OS_CLIENT_VENDOR_FILE",
        "OS_CLOUD_NAME",
    ];
    let own = around.vars.iter().filter(|(name, value)| {
        let apart = ["OS_TEST", "OS_STD", "OS_LOG"];
        !value.is_empty()
            && !chooses.contains(&name.as_str())
            && !apart.iter().any(|prefix| name.starts_with(prefix))
    });
    let mut map: Map<String, Value> = own
        .filter_map(|(name, value)| {
            let key = name.strip_prefix("OS_")?.to_ascii_lowercase();
            Some((key, Value::String(value.clone())))
        })
        .collect();
    if !map.is_empty()
        && let Some(region) = around.var("OS_REGION_NAME")
    {
        map.insert("region_name".to_owned(), region.into());
    }
    map
}

fn yaml(path: &Path) -> Result<Value, Problem> {
    let wrong = |why: String| {
        Problem::new(
            ProblemKind::Config,
            format!("{} cannot be read", path.display()),
        )
        .because(why)
    };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    // The text of such an error names a place, and no value.
    let value: Value = serde_norway::from_str(&text).map_err(|e| {
        wrong(match e.location() {
            Some(at) => format!("line {} is not as YAML is written", at.line()),
            None => "it is no YAML".to_owned(),
        })
    })?;
    match value {
        Value::Object(_) | Value::Null => Ok(value),
        _ => Err(wrong("it holds no `clouds`".to_owned())),
    }
}

/// Lays one value over another, table by table.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    const CLOUDS: &str = "
clouds:
  lab:
    region_name: RegionOne
    auth: {auth_url: http://127.0.0.1:5000/v3, username: ana, project-name: blue}
    verify: false
  two:
    password: moved
    regions: [RegionOne, {name: RegionTwo, values: {interface: internal}}]
";

    #[test]
    fn files_are_found_in_their_order_and_the_secure_one_is_laid_over() {
        let first = folder(&[("clouds.yaml", CLOUDS)]);
        let second = folder(&[
            ("clouds.yml", "clouds: {other: {}}"),
            ("secure.yaml", "clouds: {lab: {auth: {password: s3cret}}}"),
        ]);
        let folders = vec![first.path().to_owned(), second.path().to_owned()];
        let clouds = Clouds::read(&Surroundings::new([], folders)).unwrap();
        assert_eq!(clouds.names().collect::<Vec<_>>(), ["lab", "two"]);
        assert_eq!(clouds.meant(), None);
        let lab = clouds.find("lab", None).unwrap();
        assert_eq!(lab.auth(&["password"]).unwrap(), "s3cret");
        assert_eq!(lab.auth(&["project_name"]).unwrap(), "blue");
        assert!(lab.insecure());
        assert!(!format!("{lab:?}").contains("s3cret"));
        let two = clouds.find("two", Some("RegionTwo")).unwrap();
        assert_eq!(two.key(&["interface"]).unwrap(), "internal");
        assert_eq!(two.auth(&["password"]).unwrap(), "moved");
        assert_eq!(two.region().unwrap(), "RegionOne");
        let problem = clouds.find("three", None).unwrap_err();
        assert!(problem.hints[0].contains("lab, two"), "{problem:?}");
    }

    #[test]
    fn variables_make_a_cloud_of_their_own() {
        let vars = [
            ("OS_AUTH_URL", "http://k/v3"),
            ("OS_USERNAME", "ana"),
            ("OS_REGION_NAME", "R"),
            ("OS_TEST_X", "no"),
        ];
        let clouds = Clouds::read(&Surroundings::new(vars, Vec::new())).unwrap();
        assert_eq!(clouds.meant(), Some("envvars"));
        let cloud = clouds.find("envvars", None).unwrap();
        assert_eq!(cloud.auth(&["username"]).unwrap(), "ana");
        assert_eq!(cloud.region().unwrap(), "R");
        assert!(cloud.key(&["test_x"]).is_none());
        let none = Clouds::read(&Surroundings::new([("OS_CLOUD", "x")], Vec::new())).unwrap();
        assert_eq!(none.names().count(), 0);
        assert!(none.find("x", None).is_err());
    }

    #[test]
    fn what_is_no_yaml_says_where_and_not_what() {
        let dir = folder(&[("clouds.yaml", "clouds:\n  a: {password: hunter2\n")]);
        let around = Surroundings::new([], vec![dir.path().to_owned()]);
        let problem = Clouds::read(&around).unwrap_err();
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
        let both = folder(&[("clouds.yaml", "clouds: {envvars: {}}")]);
        let around = Surroundings::new([("OS_USERNAME", "x")], vec![both.path().to_owned()]);
        assert!(Clouds::read(&around).is_err());
    }
}
