//! The formats that results are written in.

use clap::ValueEnum;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    #[default]
    Table,
    /// JSON; sizes in bytes, times in RFC 3339 UTC
    Json,
    /// YAML, of the same shape as the JSON
    Yaml,
    /// CSV with a header line
    Csv,
}

/// The formats of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OneFormat {
    /// Lines for people
    #[default]
    Text,
    /// JSON; sizes in bytes, times in RFC 3339 UTC
    Json,
    /// YAML, of the same shape as the JSON
    Yaml,
    /// The record as the system has it
    Raw,
}
