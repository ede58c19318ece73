//! The `snapdeck` program: installs the report of last resort and hands over.

use std::process::ExitCode;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    snapdeck::cli::main()
}
