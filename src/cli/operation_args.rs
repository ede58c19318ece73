//! `snapdeck run`: a subcommand for each operation, with a flag for each field, made from
//! the operation specs and from nothing else.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::format::OneFormat;
use crate::model::{FieldType, Kind, OperationKind, OperationSpec};
use crate::provider;

/// An operation as it was typed.
#[derive(Clone, Debug)]
pub struct OperationArgs {
    /// Which operation.
    pub kind: OperationKind,
    /// The fields that were given, as typed; one that takes several things, once for each.
    pub fields: Vec<(&'static str, String)>,
    /// Say what would be done, and do nothing.
    pub plan: bool,
    /// Wait until everything is over, background copies too.
    pub wait: bool,
    /// Do not ask.
    pub yes: bool,
    /// How to write the result.
    pub output: OneFormat,
}

fn specs() -> Vec<OperationSpec> {
    provider::operations()
}

fn subcommand(spec: &OperationSpec) -> Command {
    let mut command = Command::new(spec.kind.name())
        .about(spec.title)
        .long_about(spec.doc);
    for field in &spec.fields {
        let mut arg = Arg::new(field.name)
            .long(field.name)
            .value_name(value_name(&field.ty))
            .help(field.doc)
            .allow_hyphen_values(matches!(field.ty, FieldType::Text { .. }));
        if let Some(default) = field.default {
            arg = arg.help(format!("{} [default: {default}]", field.doc));
        }
        if let FieldType::Choice(words) = field.ty {
            arg = arg.value_parser(clap::builder::PossibleValuesParser::new(words));
        }
        if matches!(field.ty, FieldType::Objects(_)) {
            arg = arg.num_args(1..).action(ArgAction::Append).help(format!(
                "{} Names may be given one after another.",
                field.doc
            ));
        }
        if field.ty == FieldType::Flag {
            arg = arg
                .num_args(0..=1)
                .default_missing_value("true")
                .require_equals(false);
        }
        command = command.arg(arg);
    }
    command
        .arg(
            Arg::new("plan")
                .long("plan")
                .action(ArgAction::SetTrue)
                .help("Say what would be done, and do nothing"),
        )
        .arg(
            Arg::new("wait")
                .long("wait")
                .action(ArgAction::SetTrue)
                .help("Wait until everything is over, background copies too"),
        )
        .arg(
            Arg::new("yes")
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .help("Do not ask"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_parser(clap::builder::EnumValueParser::<OneFormat>::new())
                .default_value("text")
                .help("How to write the plan or the task"),
        )
}

fn value_name(ty: &FieldType) -> &'static str {
    match ty {
        FieldType::Name { .. } => "NAME",
        FieldType::Text { .. } => "TEXT",
        FieldType::Size { .. } => "SIZE",
        FieldType::Flag => "BOOL",
        FieldType::Choice(_) => "WORD",
        FieldType::Object(kind) | FieldType::Objects(kind) => match kind {
            Kind::Volume => "VOLUME",
            Kind::Snapshot => "SNAPSHOT",
            Kind::Group => "GROUP",
            Kind::Session => "SESSION",
            Kind::Target => "TARGET",
        },
        FieldType::File => "FILE",
    }
}

impl Args for OperationArgs {
    fn augment_args(command: Command) -> Command {
        command
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommands(specs().iter().map(subcommand))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for OperationArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let spec = specs()
            .into_iter()
            .find(|spec| spec.kind.name() == name)
            .ok_or_else(missing)?;
        let fields = spec
            .fields
            .iter()
            .flat_map(|field| {
                let texts = matches.get_many::<String>(field.name);
                let texts = texts.into_iter().flatten();
                texts.map(|text| (field.name, text.clone()))
            })
            .collect();
        Ok(Self {
            kind: spec.kind,
            fields,
            plan: matches.get_flag("plan"),
            wait: matches.get_flag("wait"),
            yes: matches.get_flag("yes"),
            output: matches
                .get_one::<OneFormat>("output")
                .copied()
                .unwrap_or_default(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
