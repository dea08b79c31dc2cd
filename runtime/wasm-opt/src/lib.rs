// SPDX-License-Identifier: Apache-2.0
//! A substitute for the crate `wasm-opt` where `substrate-wasm-builder` calls it.
//!
//! The builder asks for three things: no optimisation, the removal of debugging sections, and the
//! lowering of features that WebAssembly 1.0 does not have. The last one requires no work: the
//! runtime is compiled for `wasm32v1-none`, which is WebAssembly 1.0. The remaining task is to copy
//! a module without some sections. Binaryen, whose C++ takes a tenth of the whole build, is
//! therefore not needed.
//!
//! The format is specified in the WebAssembly Core Specification 1.0, section 5.5.

use std::{fmt, fs, io, path::Path};

/// The first bytes of a module: the magic number and version 1.
const PREAMBLE: &[u8; 8] = b"\0asm\x01\0\0\0";
/// The id of custom sections, which are named.
const CUSTOM: u8 = 0;
/// The prefix of the names of debugging sections.
const DEBUG: &[u8] = b".debug_";

/// The passes that the builder asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pass {
    /// The pass that removes the debugging sections.
    StripDwarf,
    /// The pass that lowers sign extensions, of which `wasm32v1-none` has none.
    SignextLowering,
}

/// The options for processing a module.
#[derive(Clone, Debug, Default)]
pub struct OptimizationOptions {
    strip: bool,
}

/// The reasons for which a module is not copied.
#[derive(Debug)]
#[non_exhaustive]
pub enum OptimizationError {
    /// The file could not be read.
    Read(io::Error),
    /// The file could not be written.
    Write(io::Error),
    /// The file does not begin with the preamble of a module of version 1.
    NoModule,
    /// A section ends beyond the end of the file.
    SectionCut {
        /// The offset at which the section begins, in bytes.
        offset: usize,
    },
}

impl fmt::Display for OptimizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the module cannot be read: {error}"),
            Self::Write(error) => write!(f, "the module cannot be written: {error}"),
            Self::NoModule => write!(f, "the file is not a WebAssembly module of version 1"),
            Self::SectionCut { offset } => {
                write!(f, "the section at byte {offset} ends beyond the end of the file")
            }
        }
    }
}

impl std::error::Error for OptimizationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) | Self::Write(error) => Some(error),
            Self::NoModule | Self::SectionCut { .. } => None,
        }
    }
}

impl OptimizationOptions {
    /// Returns options without optimisation.
    pub fn new_opt_level_0() -> Self {
        Self::default()
    }

    /// Restricts the module to WebAssembly 1.0, which is all that the target has.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self
    }

    /// Sets whether names are kept. They always are.
    pub fn debug_info(&mut self, _names: bool) -> &mut Self {
        self
    }

    /// Adds a pass.
    pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
        self.strip |= pass == Pass::StripDwarf;
        self
    }

    /// Writes the module `from`, after the passes, to `to`, which may be the same file.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or written, or is not a valid module.
    pub fn run(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<(), OptimizationError> {
        let module = fs::read(from).map_err(OptimizationError::Read)?;
        fs::write(to, self.passed(&module)?).map_err(OptimizationError::Write)
    }

    fn passed(&self, module: &[u8]) -> Result<Vec<u8>, OptimizationError> {
        let mut rest = module.strip_prefix(PREAMBLE).ok_or(OptimizationError::NoModule)?;
        let mut kept = PREAMBLE.to_vec();
        while !rest.is_empty() {
            let cut = OptimizationError::SectionCut { offset: module.len() - rest.len() };
            let Some((section, others)) = split_section(rest) else { return Err(cut) };
            if !(self.strip && is_debugging(section)) {
                kept.extend_from_slice(section);
            }
            rest = others;
        }
        Ok(kept)
    }
}

/// Returns the first section, including its id and its length, and the bytes that follow it.
fn split_section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, content) = number(bytes.get(1..)?)?;
    let rest = content.get(usize::try_from(length).ok()?..)?;
    bytes.split_at_checked(bytes.len() - rest.len())
}

/// Returns whether a whole section is one of DWARF's.
fn is_debugging(section: &[u8]) -> bool {
    let Some((CUSTOM, rest)) = section.split_first().map(|(id, rest)| (*id, rest)) else {
        return false;
    };
    let name = number(rest).and_then(|(_, content)| number(content)).map(|(_, name)| name);
    name.is_some_and(|name| name.starts_with(DEBUG))
}

/// Returns a u32 in LEB128, and the bytes that follow it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a section with an id and a content shorter than 128 bytes.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id, content.len() as u8], content].concat()
    }

    fn custom(name: &str, content: &[u8]) -> Vec<u8> {
        section(CUSTOM, &[&[name.len() as u8], name.as_bytes(), content].concat())
    }

    fn module(sections: &[Vec<u8>]) -> Vec<u8> {
        [PREAMBLE.to_vec(), sections.concat()].concat()
    }

    fn stripping() -> OptimizationOptions {
        let mut options = OptimizationOptions::new_opt_level_0();
        options.mvp_features_only().debug_info(true).add_pass(Pass::StripDwarf);
        options
    }

    #[test]
    fn run_leaves_only_debugging_sections_out() {
        let (types, names) = (section(1, &[0]), custom("name", &[1, 2]));
        let version = custom("runtime_version", b"x");
        let debug = custom(".debug_line", &[7; 100]);
        let all = module(&[types.clone(), debug.clone(), names.clone(), version.clone(), debug]);
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from.wasm"), folder.path().join("to.wasm"));
        fs::write(&from, &all).unwrap();
        stripping().run(&from, &to).unwrap();
        assert_eq!(fs::read(to).unwrap(), module(&[types, names, version]));
    }

    #[test]
    fn run_keeps_everything_without_that_pass() {
        let all = module(&[section(1, &[0]), custom(".debug_line", &[7])]);
        let mut options = OptimizationOptions::new_opt_level_0();
        options.add_pass(Pass::SignextLowering);
        assert_eq!(options.passed(&all).unwrap(), all);
    }

    #[test]
    fn run_refuses_what_is_no_module() {
        for bytes in [&b""[..], b"\0asm", b"\0asm\x02\0\0\0", b"\x7fELF...."] {
            assert!(matches!(stripping().passed(bytes), Err(OptimizationError::NoModule)));
        }
    }

    #[test]
    fn run_refuses_a_section_that_is_cut() {
        let whole = module(&[section(1, &[0]), custom("name", &[1, 2, 3])]);
        for end in PREAMBLE.len() + 4..whole.len() {
            let result = stripping().passed(&whole[..end]);
            match result {
                Ok(_) => assert_eq!(end, PREAMBLE.len() + 3),
                Err(error) => assert_eq!(
                    error.to_string(),
                    "the section at byte 11 ends beyond the end of the file",
                    "cut at {end}"
                ),
            }
        }
    }

    #[test]
    fn run_refuses_a_length_that_is_no_u32() {
        let bytes = [&PREAMBLE[..], &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0]].concat();
        let error = stripping().passed(&bytes).unwrap_err();
        assert!(matches!(error, OptimizationError::SectionCut { offset: 8 }));
    }

    #[test]
    fn run_names_a_file_that_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let (absent, to) = (folder.path().join("absent"), folder.path().join("to"));
        assert!(matches!(stripping().run(&absent, &to), Err(OptimizationError::Read(_))));
        let from = folder.path().join("from");
        fs::write(&from, PREAMBLE).unwrap();
        let into = folder.path().join("no/such/folder");
        assert!(matches!(stripping().run(&from, into), Err(OptimizationError::Write(_))));
    }
}
