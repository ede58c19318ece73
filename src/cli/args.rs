//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::format::{Format, OneFormat};
use super::operation_args::OperationArgs;
use crate::config::{Config, ProviderKind, Source};
use crate::model::Bytes;

/// Where help lists what holds for every command.
const GLOBAL: &str = "Options for every command";
/// Those of the console alone.
const CONSOLE: &str = "Options of the console";

/// One terminal console for the snapshots of every block store an administrator runs.
#[derive(Debug, Parser)]
#[command(
    name = "snapdeck",
    version,
    about,
    long_about = "One terminal console for the snapshots of every block store an administrator runs.\n\n\
        Without a command it opens the console on the embedded store."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub options: GlobalOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// The command; the console where none was said.
    #[must_use]
    pub fn chosen(&self) -> Command {
        self.command.clone().unwrap_or(Command::Console)
    }
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
pub struct GlobalOptions {
    /// The directory of the embedded store
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR", env = "SNAPDECK_STORE")]
    pub store: Option<PathBuf>,
    /// The system that this profile is for, rather than a store; the console takes several, each in a tab of its own
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME", env = "SNAPDECK_PROFILE")]
    pub profile: Vec<String>,
    /// Make every change impossible
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub read_only: bool,
    /// The configuration; ~/.config/snapdeck/config.toml unless said
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "SNAPDECK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, global = true, help_heading = GLOBAL, conflicts_with = "config")]
    pub no_config: bool,
    /// Open a damaged store as far as it can be read, and change nothing in it
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub salvage: bool,
    /// The most that background copies write, such as 50MiB a second
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "SIZE", env = "SNAPDECK_COPY_RATE")]
    pub copy_rate: Option<Bytes>,
    /// Memory for the store's mapping, such as 1GiB; 256MiB unless said, 4MiB at least
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "SIZE", env = "SNAPDECK_CACHE")]
    pub cache: Option<Bytes>,
    /// Keep no columns, orders, filters and theme for the next start, and take up none
    #[arg(long, global = true, help_heading = CONSOLE)]
    pub no_state: bool,
    /// Ask and tell in lines that are only ever appended: for screen readers, and terminals that can do nothing else
    #[arg(long, global = true, help_heading = CONSOLE)]
    pub linear: bool,
    /// Draw with ASCII characters only
    #[arg(long, global = true, help_heading = CONSOLE)]
    pub ascii: bool,
    /// Draw with Unicode characters, whatever the locale and the terminal say
    #[arg(long, global = true, help_heading = CONSOLE, conflicts_with = "ascii")]
    pub unicode: bool,
    /// Colours; found from the terminal unless said
    #[arg(long, global = true, help_heading = CONSOLE, value_name = "TIER")]
    pub colors: Option<Colors>,
    /// The theme: one of the program's or one of your own
    #[arg(long, global = true, help_heading = CONSOLE, value_name = "NAME")]
    pub theme: Option<String>,
    /// Record everything that happens into a new file, for `snapdeck replay`
    #[arg(long, global = true, help_heading = CONSOLE, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Show what each frame costs
    #[arg(long, global = true, help_heading = CONSOLE)]
    pub perf: bool,
    /// What the configuration says, once it is read.
    #[arg(skip)]
    pub(super) configured: Configured,
}

/// A configuration that was read, and from where.
#[derive(Clone, Debug, Default)]
pub(super) struct Configured {
    pub(super) config: Config,
    pub(super) source: Option<Source>,
}

/// The colours that a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colors {
    /// None at all.
    None,
    /// The 16 of the terminal's own palette.
    #[value(name = "16")]
    Sixteen,
    /// The 256 of xterm.
    #[value(name = "256")]
    TwoHundredFiftySix,
    /// 24 bits.
    True,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Open the console (what happens without a command)
    Console,
    /// Open the console on an estate to try things on, with real data in it
    Demo(DemoArgs),
    /// List things
    Get(GetArgs),
    /// Show all there is to know of one thing
    Describe(DescribeArgs),
    /// Do something: create, snapshot, restore, clone, delete…
    Run(OperationArgs),
    /// Fill a volume from a raw or qcow2 image
    Import(ImportArgs),
    /// Write a volume or a snapshot to a raw or qcow2 image; what was never written stays a hole
    Export(ExportArgs),
    /// Bring what changed elsewhere into a volume that is what it was before
    Apply(ApplyArgs),
    /// List the extents in which a volume or a snapshot differs from an earlier one
    Diff(DiffArgs),
    /// Serve a volume or a snapshot as a network block device, until SIGTERM or Ctrl-C
    Nbd(NbdArgs),
    /// Take up tasks that were left under way, and wait for them
    Follow(FollowArgs),
    /// Pause, resume, retry, cancel or take back a task
    Task(TaskArgs),
    /// Read and check all data and all mappings, and name what is hurt
    Scrub(ScrubArgs),
    /// Play a recording, or make something else of it
    Replay(ReplayArgs),
    /// Gather what helps whoever looks for a fault, in one file that names nobody
    Support(SupportArgs),
    /// List, add and try the systems that are called
    Profile(ProfileArgs),
    /// Walk step by step through what using a profile needs, and say where it ends and why
    Doctor(DoctorArgs),
    /// Look at what can be set, and whether what is set is right
    Config(ConfigArgs),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether it is about the program itself, and must not stumble over what is set.
    pub(super) fn is_about_the_program(&self) -> bool {
        matches!(
            self,
            Self::Config(_) | Self::Support(_) | Self::Completions { .. }
        )
    }
}

/// `snapdeck support`.
#[derive(Clone, Debug, Args)]
pub struct SupportArgs {
    /// The file to make; snapdeck-support-TIME.tar.gz here unless said
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Name what would be in it and what is withheld, and write nothing
    #[arg(long, conflicts_with = "show")]
    pub list: bool,
    /// Print one of the files that would be in it, and write nothing
    #[arg(long, value_name = "NAME")]
    pub show: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `snapdeck demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// About how many snapshots a new estate has; 120 unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub scale: Option<u32>,
    /// Make the estate anew
    #[arg(long)]
    pub fresh: bool,
    /// Make the estate, and do not open the console
    #[arg(long)]
    pub build_only: bool,
    /// Begin with a walkthrough, first-look unless said: first-look, bad-upgrade, failed-restore, one-moment,
    /// linked-targets, or one in a file
    #[arg(long, value_name = "NAME|FILE", num_args = 0..=1, default_missing_value = FIRST_TOUR)]
    pub tour: Option<String>,
    /// Play a walkthrough by itself, first-look unless said; any key stops it
    #[arg(long, value_name = "NAME|FILE", num_args = 0..=1, default_missing_value = FIRST_TOUR, conflicts_with = "tour")]
    pub autoplay: Option<String>,
    /// So many times as fast as it is read
    #[arg(long, value_name = "N", default_value = "1", requires = "autoplay", value_parser = speed)]
    pub speed: f64,
    /// Offer no walkthroughs
    #[arg(long, conflicts_with_all = ["tour", "autoplay"])]
    pub no_tour: bool,
}

/// The walkthrough that is meant where none is named.
const FIRST_TOUR: &str = "first-look";

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=100.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 100 is needed".to_owned()),
    }
}

/// The kinds that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListKind {
    /// Block devices that can be written
    #[value(alias = "volume")]
    Volumes,
    /// Points in time of volumes
    #[value(alias = "snapshot")]
    Snapshots,
    /// Points in time of several volumes at once
    #[value(alias = "group")]
    Groups,
    /// Points in time that targets are linked to
    #[value(alias = "session")]
    Sessions,
    /// Devices that show what a session holds
    #[value(alias = "target")]
    Targets,
    /// Operations under way and over
    #[value(alias = "task")]
    Tasks,
}

/// `snapdeck get`.
#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    /// What to list
    pub kind: ListKind,
    /// Only the snapshots of this volume
    #[arg(long, value_name = "VOLUME")]
    pub volume: Option<String>,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `snapdeck describe`.
#[derive(Clone, Debug, Args)]
pub struct DescribeArgs {
    /// What it is
    pub kind: ListKind,
    /// Its name or id; a snapshot's is VOLUME@SNAPSHOT
    pub name: String,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OneFormat,
}

/// `snapdeck import`.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true).args(["name", "into"]))]
pub struct ImportArgs {
    /// The image file; - for a raw image from standard input
    pub image: PathBuf,
    /// The name of a new volume
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A volume that is there, whose content is replaced
    #[arg(long, value_name = "VOLUME")]
    pub into: Option<String>,
    /// Keep what that volume holds now as a snapshot first
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub guard: bool,
    /// The image's format; found from its first bytes unless said
    #[arg(long, value_enum)]
    pub format: Option<ImageFormat>,
    /// Read the backing files and the data file that the image names, too: it could name any
    /// file of this machine
    #[arg(long)]
    pub backing: bool,
    /// Go on with an import of this image that was interrupted or cancelled
    #[arg(long)]
    pub resume: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// The formats of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImageFormat {
    /// The bytes of the disk as they are
    Raw,
    /// QEMU's format
    Qcow2,
}

/// The formats that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The bytes of the disk as they are
    Raw,
    /// QEMU's format
    Qcow2,
    /// A difference, as `rbd export-diff` writes it; everything without --since
    Diff,
}

/// `snapdeck export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// VOLUME or VOLUME@SNAPSHOT, by name or id
    pub source: String,
    /// The file to make; - for standard output
    pub file: PathBuf,
    /// The format; qcow2 where the file's name ends so, else raw
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,
    /// Compress the clusters of a qcow2 image
    #[arg(long)]
    pub compress: bool,
    /// Only what changed since this snapshot, as a difference
    #[arg(long, value_name = "VOLUME@SNAPSHOT")]
    pub since: Option<String>,
    /// Replace a file that is there
    #[arg(short, long)]
    pub force: bool,
    /// Go on with an export of this snapshot that was interrupted
    #[arg(long)]
    pub resume: bool,
}

/// `snapdeck apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// What `export --since` wrote; - for standard input
    pub file: PathBuf,
    /// The volume, by name or id; a new one for a difference from nothing
    pub volume: String,
    /// Take one without checksum and ids, as `rbd export-diff` writes it
    #[arg(long)]
    pub foreign: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub plan: bool,
}

/// `snapdeck diff`.
#[derive(Clone, Debug, Args)]
pub struct DiffArgs {
    /// The earlier one: VOLUME@SNAPSHOT or VOLUME, by name or id
    pub from: String,
    /// The later one: VOLUME@SNAPSHOT or VOLUME, by name or id
    pub to: String,
    /// How to write it; totals go to standard error
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `snapdeck nbd`.
#[derive(Clone, Debug, Args)]
pub struct NbdArgs {
    /// VOLUME or VOLUME@SNAPSHOT, by name or id
    pub source: String,
    /// Serve at a Unix socket, which only this user can use
    #[arg(long, value_name = "PATH", conflicts_with = "listen")]
    pub unix: Option<PathBuf>,
    /// Serve at a TCP address: HOST, HOST:PORT or :PORT; 127.0.0.1:10809 unless said
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
}

/// `snapdeck replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    pub file: PathBuf,
    /// Begin there: seconds, M:SS or H:MM:SS
    #[arg(long, value_name = "TIME", value_parser = super::replay::time)]
    pub at: Option<std::time::Duration>,
    /// So many times as fast
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = super::replay::speed)]
    pub speed: f64,
    /// Begin without playing
    #[arg(long)]
    pub paused: bool,
    /// Make this of it instead; a picture shows the moment of --at, or the last
    #[arg(long, value_name = "FORM")]
    pub to: Option<ReplayForm>,
    /// No pause of an asciicast is longer: seconds
    #[arg(long, value_name = "TIME", value_parser = super::replay::time)]
    pub pause: Option<std::time::Duration>,
    /// Write it to this file rather than to standard output
    #[arg(short, long, value_name = "FILE", requires = "to")]
    pub output: Option<PathBuf>,
}

/// What can be made of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplayForm {
    /// An asciicast, version 2
    Cast,
    /// The screen as text
    Text,
    /// The screen with the sequences of a terminal
    Ansi,
    /// The screen as a drawing
    Svg,
}

/// `snapdeck config`.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// What to do
    #[command(subcommand)]
    pub what: ConfigCommand,
}

/// The commands of `snapdeck config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong in a configuration, with the line and what was meant
    Check {
        /// Which; the one in force unless said
        file: Option<PathBuf>,
    },
    /// Print all that can be set, with what holds where nothing is
    Doc {
        /// Print the JSON schema instead
        #[arg(long)]
        schema: bool,
    },
    /// Print where things are
    Path,
}

/// `snapdeck follow`.
#[derive(Clone, Debug, Args)]
pub struct FollowArgs {
    /// Only this task
    pub task: Option<String>,
}

/// What is done to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskAction {
    /// Let a background copy stand still, also after a restart
    Pause,
    /// Let it go on, and wait for it
    Resume,
    /// Run the step that failed or was interrupted again, and wait for it
    Retry,
    /// End it; what is done stays done
    Cancel,
    /// Take back what it had done before it failed or was cancelled, and wait for it
    RollBack,
    /// Take back what it did, and wait for it
    Undo,
}

/// `snapdeck task`.
#[derive(Clone, Debug, Args)]
pub struct TaskArgs {
    /// What to do
    pub action: TaskAction,
    /// The task's id, or how it begins
    pub task: String,
    /// Say what taking it back would do, and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Take it back without being asked
    #[arg(short, long)]
    pub yes: bool,
}

/// `snapdeck scrub`.
#[derive(Clone, Debug, Args)]
pub struct ScrubArgs {
    /// Put right what can be: copies of metadata, maps and counters, data that the log has
    #[arg(long)]
    pub repair: bool,
    /// How to write what is hurt
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `snapdeck doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// The name of the profile, or of a cloud of clouds.yaml
    pub name: String,
}

/// `snapdeck profile`.
#[derive(Clone, Debug, Args)]
pub struct ProfileArgs {
    /// What to do
    #[command(subcommand)]
    pub what: ProfileCommand,
}

/// The commands of `snapdeck profile`.
#[derive(Clone, Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the profiles, and the clouds of clouds.yaml, which can be used as such
    List {
        /// How to write it
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Write a profile into the configuration
    Add(Box<ProfileAddArgs>),
    /// Put a profile's secret into the system's keyring; it is asked for, or read from standard input
    Secret {
        /// The name of the profile
        name: String,
    },
    /// Sign in, and read the first page
    Test {
        /// The name of the profile, or of a cloud of clouds.yaml
        name: String,
    },
}

/// `snapdeck profile add`.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("secret").args(["secret_env", "secret_command", "secret_file", "secret_keyring"]))]
pub struct ProfileAddArgs {
    /// What it is to be called
    pub name: String,
    /// Which system it is: cinder, evs, powervc, vipr or zstack
    #[arg(long, value_name = "SYSTEM", default_value = ProviderKind::default().word(), value_parser = provider_kind)]
    pub provider: ProviderKind,
    /// The cloud of clouds.yaml that it is for
    #[arg(long, value_name = "CLOUD", required_unless_present_any = ["endpoint", "region", "service_endpoint"])]
    pub cloud: Option<String>,
    /// The address at which to sign in
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// The name of the user
    #[arg(long)]
    pub user: Option<String>,
    /// The domain that the user is in
    #[arg(long, value_name = "DOMAIN")]
    pub user_domain: Option<String>,
    /// The name of the project
    #[arg(long)]
    pub project: Option<String>,
    /// The domain that the project is in
    #[arg(long, value_name = "DOMAIN")]
    pub project_domain: Option<String>,
    /// The id of an application credential, to sign in with
    #[arg(long, value_name = "ID")]
    pub application_credential: Option<String>,
    /// The id of an access key, to sign each call with rather than signing in
    #[arg(long, value_name = "ID")]
    pub access_key: Option<String>,
    /// The id of the project, where its name will not do
    #[arg(long, value_name = "ID")]
    pub project_id: Option<String>,
    /// The address of the block storage itself, where no catalog says it
    #[arg(long, value_name = "URL")]
    pub service_endpoint: Option<String>,
    /// The region
    #[arg(long)]
    pub region: Option<String>,
    /// The variable that the secret is in
    #[arg(long, value_name = "VARIABLE")]
    pub secret_env: Option<String>,
    /// The command that prints the secret
    #[arg(long, value_name = "COMMAND")]
    pub secret_command: Option<String>,
    /// The file that the secret is in, which only its owner can read
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// The name under which the system's keyring has the secret
    #[arg(long, value_name = "NAME")]
    pub secret_keyring: Option<String>,
    /// Certificates of authorities (PEM) to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
}

/// The system that a word means.
fn provider_kind(word: &str) -> Result<ProviderKind, String> {
    let mut all = ProviderKind::ALL.into_iter();
    all.find(|kind| kind.word() == word).ok_or_else(|| {
        format!(
            "one of {}",
            ProviderKind::ALL.map(ProviderKind::word).join(", ")
        )
    })
}
