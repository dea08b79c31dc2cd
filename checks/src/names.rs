// SPDX-License-Identifier: Apache-2.0
//! The names that a module defines and imports.

use crate::modules::Crate;
use std::collections::BTreeMap;
use syn::{Item, UseTree};

/// A path as its names.
pub(crate) type Path = Vec<String>;

/// A name's meaning in a module. A name can have several: a module and a function, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Definition {
    /// A child module.
    Module(usize),
    /// An item of the module itself.
    Item,
    /// An import or a re-export.
    Import(Path),
}

/// The names of one module.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) defined: BTreeMap<String, Vec<Definition>>,
    /// Paths whose names are all imported.
    pub(crate) globs: Vec<Path>,
}

/// One leaf of a `use`.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) path: Path,
    /// The name it has here; none for a glob.
    pub(crate) name: Option<String>,
    pub(crate) line: usize,
}

/// Returns the names of each module of the crate.
pub(crate) fn names(tree: &Crate) -> Vec<Names> {
    let mut all: Vec<Names> = tree.modules.iter().map(|_| Names::default()).collect();
    for (index, module) in tree.modules.iter().enumerate() {
        if let Some(parent) = module.parent {
            all[parent].define(&module.name, Definition::Module(index));
        }
        for item in &module.items {
            all[index].add(item);
        }
    }
    all
}

impl Names {
    fn define(&mut self, name: &str, definition: Definition) {
        self.defined.entry(name.into()).or_default().push(definition);
    }

    fn add(&mut self, item: &Item) {
        let ident = match item {
            Item::Use(item) => return self.import(&item.tree, item.leading_colon.is_some()),
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(item) => match &item.ident {
                Some(ident) => ident,
                None => return,
            },
            _ => return,
        };
        self.define(&ident.to_string(), Definition::Item);
    }

    fn import(&mut self, tree: &UseTree, is_extern: bool) {
        if is_extern {
            return;
        }
        for import in imports(tree) {
            match import.name {
                // `use x;` at a root that names a crate: it would be its own meaning.
                Some(name) if import.path == [name.as_str()] => {}
                Some(name) => self.define(&name, Definition::Import(import.path)),
                None => self.globs.push(import.path),
            }
        }
    }
}

/// Returns the leaves of a `use`.
pub(crate) fn imports(tree: &UseTree) -> Vec<Import> {
    let mut found = Vec::new();
    walk(tree, &mut Vec::new(), &mut found);
    found
}

fn walk(tree: &UseTree, before: &mut Path, found: &mut Vec<Import>) {
    let mut leaf = |ident: &syn::Ident, name: Option<&syn::Ident>, before: &Path| {
        let mut path = before.clone();
        if ident != "self" || path.is_empty() {
            path.push(ident.to_string());
        }
        let name = name.map(ToString::to_string).or_else(|| path.last().cloned());
        found.push(Import { path, name, line: ident.span().start().line });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            walk(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) => leaf(&name.ident, None, before),
        UseTree::Rename(rename) => leaf(&rename.ident, Some(&rename.rename), before),
        UseTree::Glob(glob) => found.push(Import {
            path: before.clone(),
            name: None,
            line: glob.star_token.spans[0].start().line,
        }),
        UseTree::Group(group) => {
            for tree in &group.items {
                walk(tree, before, found);
            }
        }
    }
}
