// SPDX-License-Identifier: Apache-2.0
//! The tree of a crate's modules, read from its files as the compiler would, without tests.

use crate::{error::read, Error};
use std::path::{Path, PathBuf};
use syn::{Attribute, Item, ItemMod, Meta};

/// A crate's files and modules. The first of each is its root.
pub struct Crate {
    /// The files, as they were found.
    pub files: Vec<PathBuf>,
    pub(crate) modules: Vec<Module>,
}

/// A module: a file, or a part of one.
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) parent: Option<usize>,
    /// An index into the crate's files.
    pub(crate) file: usize,
    /// Everything in it but tests and child modules.
    pub(crate) items: Vec<Item>,
    pub(crate) attributes: Vec<Attribute>,
}

impl Crate {
    /// Reads the crate whose root is that file.
    pub fn read(root: &Path) -> Result<Self, Error> {
        let mut tree = Crate { files: Vec::new(), modules: Vec::new() };
        let folder = root.parent().unwrap_or(Path::new("")).to_path_buf();
        tree.add_file(root, "crate", None, &folder, Vec::new())?;
        Ok(tree)
    }

    /// Whether FRAME writes the root of the crate. A pallet's macro needs the configuration, the storage
    /// and the errors in one file. A runtime's macro writes `Runtime` and its calls there, which all
    /// other files need, and its version needs the list of the APIs.
    pub fn has_frame_root(&self) -> bool {
        self.modules
            .iter()
            .filter(|module| module.file == 0)
            .flat_map(|module| &module.attributes)
            .any(|attribute| {
                ["pallet", "runtime"]
                    .iter()
                    .any(|name| path_is(attribute, &["frame_support", name]))
            })
    }

    /// Adds the module in that file; its children are in `folder`.
    fn add_file(
        &mut self,
        path: &Path,
        name: &str,
        parent: Option<usize>,
        folder: &Path,
        mut attributes: Vec<Attribute>,
    ) -> Result<(), Error> {
        let parsed = syn::parse_file(&read(path)?).map_err(|error| Error::Syntax {
            path: path.into(),
            cause: format!("line {}: {error}", error.span().start().line),
        })?;
        let file = self.files.len();
        self.files.push(path.into());
        attributes.extend(parsed.attrs);
        self.add_items(parsed.items, name, parent, file, folder, attributes)
    }

    fn add_items(
        &mut self,
        items: Vec<Item>,
        name: &str,
        parent: Option<usize>,
        file: usize,
        folder: &Path,
        attributes: Vec<Attribute>,
    ) -> Result<(), Error> {
        let this = self.modules.len();
        self.modules.push(Module {
            name: name.into(),
            parent,
            file,
            items: Vec::new(),
            attributes,
        });
        for item in items {
            if attributes_of(&item).iter().any(is_test) {
                continue;
            }
            match item {
                Item::Mod(module) => self.add_child(module, this, file, folder)?,
                item => self.modules[this].items.push(item),
            }
        }
        Ok(())
    }

    fn add_child(
        &mut self,
        module: ItemMod,
        parent: usize,
        file: usize,
        folder: &Path,
    ) -> Result<(), Error> {
        let name = module.ident.to_string();
        let name = name.trim_start_matches("r#");
        let below = folder.join(name);
        if let Some((_, items)) = module.content {
            return self.add_items(items, name, Some(parent), file, &below, module.attrs);
        }
        let declared_in = self.files[file].clone();
        // Relative to the folder of the file that says it.
        let said = module
            .attrs
            .iter()
            .find_map(path_attribute)
            .map(|said| declared_in.parent().unwrap_or(Path::new("")).join(said));
        let is_said = said.is_some();
        let tried = match said {
            Some(path) => vec![path],
            None => vec![folder.join(format!("{name}.rs")), below.join("mod.rs")],
        };
        let Some(path) = tried.iter().find(|path| path.is_file()) else {
            return Err(Error::NoModule { module: name.into(), declared_in, tried });
        };
        // The children of `a/mod.rs`, and of a file named by an attribute, are beside it.
        let below = match path.parent() {
            Some(beside) if is_said => beside.to_path_buf(),
            _ => below,
        };
        self.add_file(path, name, Some(parent), &below, module.attrs)
    }
}

/// Whether the attribute is that path, or its last name alone.
fn path_is(attribute: &Attribute, path: &[&str]) -> bool {
    let said: Vec<_> =
        attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
    said == path || path.last().is_some_and(|last| said == [*last])
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(literal) = &pair.value else { return None };
    match &literal.lit {
        syn::Lit::Str(text) if attribute.path().is_ident("path") => Some(text.value()),
        _ => None,
    }
}

/// Whether what carries the attribute exists in tests alone: `#[test]`, `#[cfg(test)]`, or
/// `#[cfg(all(test, …))]`.
pub(crate) fn is_test(attribute: &Attribute) -> bool {
    fn needs_test(meta: &Meta) -> bool {
        let Meta::List(list) = meta else { return meta.path().is_ident("test") };
        list.path.is_ident("all")
            && list
                .parse_args_with(
                    syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated,
                )
                .is_ok_and(|conditions| conditions.iter().any(needs_test))
    }
    attribute.path().is_ident("test")
        || (attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition)))
}

/// Returns the attributes of an item.
pub(crate) fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
