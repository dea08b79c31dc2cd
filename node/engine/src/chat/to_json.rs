// SPDX-License-Identifier: Apache-2.0
//! The filter `tojson`, as the library has it that templates are written for: Python's `json.dumps`
//! without escapes for HTML or beyond ASCII.

use minijinja::{
    value::{Kwargs, ValueKind},
    Error, ErrorKind, Value,
};

/// The longest separator, which the budget for each value covers.
const SEPARATOR_MAX: usize = 16;

/// The form of the text.
struct Form {
    indent: Option<usize>,
    /// The text between items, and the one between a key and its value.
    separators: (String, String),
    sort_keys: bool,
}

/// Returns the JSON of a value.
///
/// # Errors
/// The arguments are not those of the filter, or a value has no JSON.
pub(super) fn to_json(
    value: &Value,
    indent: Option<Value>,
    options: &Kwargs,
) -> Result<Value, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => options.get::<Option<Value>>("indent")?,
    };
    let indent = indent.filter(|indent| !indent.is_none());
    let indent = indent.map(usize::try_from).transpose()?;
    let separators = match options.get::<Option<Vec<String>>>("separators")? {
        None if indent.is_some() => (",".into(), ": ".into()),
        None => (", ".into(), ": ".into()),
        Some(given) => match <[String; 2]>::try_from(given) {
            Ok([item, key]) if item.len().max(key.len()) <= SEPARATOR_MAX => (item, key),
            _ => return Err(refused("the separators are not two short texts")),
        },
    };
    let sort_keys = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    if options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false) {
        return Err(refused("tojson cannot escape characters beyond ASCII"));
    }
    options.assert_all_used()?;
    let mut text = String::new();
    write(value, &Form { indent, separators, sort_keys }, 0, &mut text)?;
    Ok(text.into())
}

fn refused(problem: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

/// Writes a value. The budget has weighed it, so it is not nested deeply.
fn write(value: &Value, form: &Form, depth: usize, out: &mut String) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::String => quote(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.map(|item| (None, item));
            between(('[', ']'), items, form, depth, out)?;
        }
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter()?.collect();
            if form.sort_keys {
                keys.sort();
            }
            let items = keys.into_iter().map(|key| (value.get_item(&key).ok(), key));
            let items = items.map(|(item, key)| (Some(key), item.unwrap_or_default()));
            between(('{', '}'), items, form, depth, out)?;
        }
        kind => return Err(refused(format!("{kind} has no JSON"))),
    }
    Ok(())
}

/// Writes the items of a list, or the pairs of a map.
fn between(
    (open, close): (char, char),
    items: impl Iterator<Item = (Option<Value>, Value)>,
    form: &Form,
    depth: usize,
    out: &mut String,
) -> Result<(), Error> {
    let line = |depth: usize, out: &mut String| {
        if let Some(indent) = form.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    out.push(open);
    let mut is_empty = true;
    for (key, item) in items {
        if !is_empty {
            out.push_str(&form.separators.0);
        }
        is_empty = false;
        line(depth + 1, out);
        if let Some(key) = key {
            match key.as_str() {
                Some(text) => quote(text, out),
                None => quote(&key.to_string(), out),
            }
            out.push_str(&form.separators.1);
        }
        write(&item, form, depth + 1, out)?;
    }
    if !is_empty {
        line(depth, out);
    }
    out.push(close);
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
