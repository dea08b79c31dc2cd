// SPDX-License-Identifier: Apache-2.0
//! `assay completions` and `assay man`.

use crate::{args::Cli, exit::Exit, out};
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;

/// Prints the completion script of a shell.
pub fn completions(shell: Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "assay", &mut script);
    out::generated(&script)?;
    Ok(Exit::Done)
}

/// Prints the manual page, or writes the pages of all commands into a folder.
pub fn man(folder: Option<&Path>) -> Result<Exit> {
    match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                .with_context(|| {
                    format!("cannot write the manual pages into {}", folder.display())
                })?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            out::generated(&page)?;
        }
    }
    Ok(Exit::Done)
}
