// SPDX-License-Identifier: Apache-2.0
//! The paths by which a module needs others: imports, types, expressions, and those within the tokens
//! of macros. A re-export alone needs nothing: it says where a name is public.

use crate::{
    modules::{attributes_of, is_test, Module},
    names::imports,
};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    spanned::Spanned,
    visit::{self, Visit},
    Attribute, Expr, Item, ItemUse, Macro, Path, Visibility,
};

/// A path as written, and where.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// Returns the paths in a module, without those of its children.
pub(crate) fn needs(module: &Module) -> Vec<Need> {
    let mut collector = Collector::default();
    for item in &module.items {
        collector.visit_item(item);
    }
    for attribute in &module.attributes {
        collector.visit_attribute(attribute);
    }
    collector.needs
}

#[derive(Default)]
struct Collector {
    needs: Vec<Need>,
}

impl Collector {
    fn add(&mut self, path: Vec<String>, line: usize) {
        if path.first().is_some_and(|first| first != "Self") {
            self.needs.push(Need { path, line });
        }
    }

    fn add_path(&mut self, path: &Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(names, path.span().start().line);
        }
    }

    /// Adds the paths in raw tokens. `is_relative` says that names are those of this module: not so in
    /// the definition of a macro, whose `super` is the caller's.
    fn add_tokens(&mut self, tokens: TokenStream, is_relative: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    self.add_tokens(group.stream(), is_relative);
                    at += 1;
                }
                TokenTree::Ident(first) => {
                    let (path, next) = path_at(&tokens, at);
                    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                    let is_anchored =
                        matches!(path[0].as_str(), "crate" | "self" | "super") && path.len() > 1;
                    // A field, a method, a lifetime, or the end of a path out of the crate.
                    let is_part = matches!(before, Some(TokenTree::Punct(punct))
                        if matches!(punct.as_char(), '.' | '\'' | ':') && !is_colon_of_type(&tokens, at));
                    let is_absolute = matches!(path[0].as_str(), "crate");
                    let is_macro_argument = matches!(before, Some(TokenTree::Punct(punct))
                        if punct.as_char() == '$');
                    let is_name = path.len() > 1 || may_be_item(first, tokens.get(next));
                    if !is_part
                        && (is_absolute || is_relative && !is_macro_argument)
                        && (is_anchored || is_name)
                    {
                        self.add(path, first.span().start().line);
                    }
                    at = next;
                }
                _ => at += 1,
            }
        }
    }
}

/// Whether the token before `at` is the colon of `name: Type`, not the second one of `::`.
fn is_colon_of_type(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |index: Option<usize>| {
        index
            .and_then(|index| tokens.get(index))
            .is_some_and(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':'))
    };
    is_colon(at.checked_sub(1)) && !is_colon(at.checked_sub(2))
}

/// Reads the path that begins at a name: the names, and the index after them.
fn path_at(tokens: &[TokenTree], start: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[start].to_string()];
    let mut at = start + 1;
    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(name), ..] =
        &tokens[at..]
    {
        if one.as_char() != ':' || two.as_char() != ':' {
            break;
        }
        path.push(name.to_string());
        at += 3;
    }
    (path, at)
}

/// Whether a name that stands alone may be an item's: a variable is neither called nor capital.
fn may_be_item(name: &syn::Ident, next: Option<&TokenTree>) -> bool {
    let is_called = match next {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '!',
        _ => false,
    };
    is_called || name.to_string().starts_with(char::is_uppercase)
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes_of(item).iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        if is_reexport || item.leading_colon.is_some() {
            return;
        }
        for import in imports(&item.tree) {
            self.add(import.path, import.line);
        }
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast Path) {
        self.add_path(path);
        visit::visit_path(self, path);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            // A variable rather than an item.
            Expr::Path(path)
                if path.path.get_ident().is_some_and(|ident| !may_be_item(ident, None)) => {}
            Expr::Call(call) => {
                if let Expr::Path(function) = &*call.func {
                    self.visit_path(&function.path);
                    if let Some(qself) = &function.qself {
                        self.visit_qself(qself);
                    }
                } else {
                    self.visit_expr(&call.func);
                }
                for argument in &call.args {
                    self.visit_expr(argument);
                }
            }
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        if may_be_item(&pattern.ident, None) && pattern.subpat.is_none() {
            self.add(vec![pattern.ident.to_string()], pattern.ident.span().start().line);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.mac.path.is_ident("macro_rules") {
            self.add_tokens(item.mac.tokens.clone(), false);
        } else {
            visit::visit_item_macro(self, item);
        }
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.add_path(&invocation.path);
        self.add_tokens(invocation.tokens.clone(), true);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        // Only paths that say where they begin: the rest is the attribute's own language.
        if let syn::Meta::List(list) = &attribute.meta {
            let from = self.needs.len();
            self.add_tokens(list.tokens.clone(), true);
            let found = self.needs.split_off(from);
            self.needs.extend(found.into_iter().filter(|need| {
                matches!(need.path[0].as_str(), "crate" | "self" | "super") && need.path.len() > 1
            }));
        }
    }
}
