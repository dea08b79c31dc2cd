// SPDX-License-Identifier: Apache-2.0
//! From a path in a module to the file that defines its last name, through imports, re-exports and
//! globs.

use crate::{
    modules::Crate,
    names::{names, Definition, Names},
};
use std::collections::BTreeSet;

/// A meaning of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A module of this crate.
    Module(usize),
    /// An item of this crate, in that file.
    Item(usize),
}

/// The names of a crate, to ask for paths.
pub(crate) struct Resolver<'a> {
    tree: &'a Crate,
    names: Vec<Names>,
}

/// The questions that are being asked, so that imports in a circle end.
type Asked = BTreeSet<(usize, String)>;

impl<'a> Resolver<'a> {
    pub(crate) fn new(tree: &'a Crate) -> Self {
        Self { tree, names: names(tree) }
    }

    /// Returns the files that define the item at the end of the path. A path whose end a macro writes
    /// belongs to the file of the last module that it names. A path to a module, or out of the crate,
    /// has none.
    pub(crate) fn files(&self, path: &[String], module: usize) -> BTreeSet<usize> {
        self.targets(path, module, &mut Asked::new())
            .into_iter()
            .filter_map(|target| match target {
                Target::Item(file) => Some(file),
                Target::Module(_) => None,
            })
            .collect()
    }

    fn targets(&self, path: &[String], module: usize, asked: &mut Asked) -> BTreeSet<Target> {
        let mut at = module;
        let mut rest = path;
        let mut is_anchored = false;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" | "$crate" => at = 0,
                "self" => {}
                "super" => match self.tree.modules[at].parent {
                    Some(parent) => at = parent,
                    None => return BTreeSet::new(),
                },
                _ => break,
            }
            is_anchored = true;
            rest = after;
        }
        if rest.is_empty() {
            return [Target::Module(at)].into();
        }
        let mut targets: BTreeSet<Target> = [Target::Module(at)].into();
        for name in rest {
            let mut next = BTreeSet::new();
            for target in &targets {
                match *target {
                    Target::Module(module) => {
                        let found = self.lookup(module, name, asked);
                        if found.is_empty() && is_anchored {
                            next.insert(Target::Item(self.tree.modules[module].file));
                        }
                        next.extend(found);
                    }
                    // A variant, or something associated.
                    item => {
                        next.insert(item);
                    }
                }
            }
            targets = next;
            is_anchored = true;
        }
        targets
    }

    fn lookup(&self, module: usize, name: &str, asked: &mut Asked) -> BTreeSet<Target> {
        let question = (module, name.to_string());
        if !asked.insert(question.clone()) {
            return BTreeSet::new();
        }
        let names = &self.names[module];
        let mut found = BTreeSet::new();
        for definition in names.defined.get(name).into_iter().flatten() {
            match definition {
                Definition::Module(child) => {
                    found.insert(Target::Module(*child));
                }
                Definition::Item => {
                    found.insert(Target::Item(self.tree.modules[module].file));
                }
                Definition::Import(path) => found.extend(self.targets(path, module, asked)),
            }
        }
        // What a module defines hides what its globs bring.
        if !names.defined.contains_key(name) {
            for glob in &names.globs {
                for target in self.targets(glob, module, asked) {
                    if let Target::Module(from) = target {
                        found.extend(self.lookup(from, name, asked));
                    }
                }
            }
        }
        asked.remove(&question);
        found
    }
}
