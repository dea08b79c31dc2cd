// SPDX-License-Identifier: Apache-2.0
//! The blocks `{% generation %}` of templates, which mark what a model has written.
//!
//! Training reads the marks, and a rendered text is the same without them. The interpreter does not know the
//! block, so a `with` block takes its place: variables that are set in either end with the block.

use minijinja::{
    machinery::{tokenize, Span, Token, WhitespaceConfig},
    syntax::SyntaxConfig,
};
use std::borrow::Cow;

/// The names of the block's tags, and what replaces them.
const TAGS: [(&str, &str); 2] = [("generation", "with"), ("endgeneration", "endwith")];

/// Returns a template without these blocks. One that is not well-formed stays as it is from the error on, which its
/// parser then finds again.
pub(super) fn without_generation(template: &str, spaces: WhitespaceConfig) -> Cow<'_, str> {
    // Most templates do not have the block.
    if !template.contains(TAGS[1].0) {
        return template.into();
    }
    let (mut out, mut at) = (String::new(), 0);
    let mut last: [Option<(Token<'_>, Span)>; 2] = [None, None];
    for token in tokenize(template, false, SyntaxConfig, spaces).map_while(Result::ok) {
        if let ([Some((Token::BlockStart, _)), Some((Token::Ident(name), span))], Token::BlockEnd) =
            (&last, &token.0)
        {
            let range = span.start_offset as usize..span.end_offset as usize;
            let known = TAGS
                .iter()
                .find(|(tag, _)| tag == name && template.get(range.clone()) == Some(*tag));
            if let Some((_, other)) = known {
                out.push_str(&template[at..range.start]);
                out.push_str(other);
                at = range.end;
            }
        }
        let [_, before] = last;
        last = [before, Some(token)];
    }
    out.push_str(&template[at..]);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_replaced_where_they_are_tags_alone() {
        let without = |template| without_generation(template, WhitespaceConfig::default());
        for (template, expected) in [
            ("{%- generation -%}a{%endgeneration+%}", "{%- with -%}a{%endwith+%}"),
            ("é{% generation %}\n{{ x }}{% endgeneration %}", "é{% with %}\n{{ x }}{% endwith %}"),
            ("{# {% generation %} #}generation", "{# {% generation %} #}generation"),
            ("{{ '{% generation %}' }}", "{{ '{% generation %}' }}"),
            ("{% raw %}{% generation %}{% endraw %}", "{% raw %}{% generation %}{% endraw %}"),
            ("{% if generation %}{% generation", "{% if generation %}{% generation"),
        ] {
            assert_eq!(without(template), expected);
        }
    }
}
