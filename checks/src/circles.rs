// SPDX-License-Identifier: Apache-2.0
//! Circles: files of a crate that need each other, so that none can be understood, tested or moved
//! without the others.
//!
//! A file needs another where it names something that the other defines, through any number of
//! re-exports. Methods are not followed, since their names alone do not say whose they are.

use crate::{modules::Crate, needs::needs, resolve::Resolver, Error};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

/// A group of files of which each one needs, directly or through others, each other one.
#[derive(Debug)]
pub struct Circle {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// The paths that tie them.
    pub ties: Vec<Tie>,
}

/// A place where a file needs another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tie {
    /// The file that names something.
    pub from: PathBuf,
    /// The line there.
    pub line: usize,
    /// The path as written.
    pub path: String,
    /// The file that defines it.
    pub to: PathBuf,
}

/// The names that each file needs of each other one: from, to, and the lines and paths.
type Needs = BTreeMap<(usize, usize), BTreeSet<(usize, String)>>;

/// Finds the circles in the crate whose root is that file. The root of a FRAME pallet or
/// runtime is left out, because its macro needs everything in one place.
pub fn find(root: &Path) -> Result<Vec<Circle>, Error> {
    let tree = Crate::read(root)?;
    let mut needs = files_needs(&tree);
    if tree.has_frame_root() {
        needs.retain(|(from, to), _| *from != 0 && *to != 0);
    }
    let groups = groups(tree.files.len(), &needs);
    Ok(groups.into_iter().map(|group| circle(&tree, &needs, &group)).collect())
}

fn files_needs(tree: &Crate) -> Needs {
    let resolver = Resolver::new(tree);
    let mut found = Needs::new();
    for (index, module) in tree.modules.iter().enumerate() {
        for need in needs(module) {
            for to in resolver.files(&need.path, index) {
                if to != module.file {
                    let path = need.path.join("::");
                    found.entry((module.file, to)).or_default().insert((need.line, path));
                }
            }
        }
    }
    found
}

/// Returns the strongly connected components of more than one file.
fn groups(files: usize, needs: &Needs) -> Vec<BTreeSet<usize>> {
    let reached: Vec<BTreeSet<usize>> = (0..files)
        .map(|start| {
            let mut seen = BTreeSet::new();
            let mut left = vec![start];
            while let Some(at) = left.pop() {
                for (_, to) in needs.range((at, 0)..(at + 1, 0)).map(|(pair, _)| *pair) {
                    if seen.insert(to) {
                        left.push(to);
                    }
                }
            }
            seen
        })
        .collect();
    let groups: BTreeSet<BTreeSet<usize>> = (0..files)
        .map(|file| {
            reached[file].iter().copied().filter(|other| reached[*other].contains(&file)).collect()
        })
        .filter(|group: &BTreeSet<usize>| group.len() > 1)
        .collect();
    groups.into_iter().collect()
}

fn circle(tree: &Crate, needs: &Needs, group: &BTreeSet<usize>) -> Circle {
    let mut ties = Vec::new();
    for ((from, to), paths) in needs {
        if group.contains(from) && group.contains(to) {
            ties.extend(paths.iter().map(|(line, path)| Tie {
                from: tree.files[*from].clone(),
                line: *line,
                path: path.clone(),
                to: tree.files[*to].clone(),
            }));
        }
    }
    Circle { files: group.iter().map(|file| tree.files[*file].clone()).collect(), ties }
}

/// As many ties between two files as a message names.
const TIES_NAMED: usize = 3;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files need each other:", self.files.len())?;
        let mut pairs: BTreeMap<(&Path, &Path), Vec<&Tie>> = BTreeMap::new();
        for tie in &self.ties {
            pairs.entry((&tie.from, &tie.to)).or_default().push(tie);
        }
        for ((from, to), ties) in pairs {
            let named: Vec<_> = ties
                .iter()
                .take(TIES_NAMED)
                .map(|tie| format!("`{}` in line {}", tie.path, tie.line))
                .collect();
            let more = match ties.len().saturating_sub(TIES_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            writeln!(
                f,
                "  {} needs {} for {}{more}",
                from.display(),
                to.display(),
                named.join(", ")
            )?;
        }
        write!(
            f,
            "  Move what they share into a file of its own, or hand it over as an argument, so that \
             the files need each other in one direction."
        )
    }
}
