// SPDX-License-Identifier: Apache-2.0
//! The functions that a template may call: the filters, tests, functions and methods of Jinja that
//! chat templates use, each of which checks the [`Budget`] before it makes anything.
//!
//! Everything else is left out: `format` and `%`-formatting (unbounded widths), `center` and
//! `ljust` (likewise), `pprint`, `debug`, `batch`, `slice`, `groupby`, `chain`, `zip` and `lines`.

use super::{
    budget::{Budget, NODE},
    to_json::to_json,
};
use minijinja::{
    escape_formatter, filters, functions,
    value::{from_args, Kwargs, Rest},
    Environment, Error, ErrorKind, State, Value,
};
use minijinja_contrib::pycompat;
use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

/// Functions that replace operators. A template cannot spell their names.
pub(super) const KEEP: &str = "#keep";
pub(super) const PART: &str = "#part";
pub(super) const LOOK: &str = "#look";
pub(super) const CONCAT: &str = "#concat";
pub(super) const TIMES: &str = "#times";
pub(super) const SLICE: &str = "#slice";
/// The function that takes the place of `strftime_now`, whose value is its first argument.
pub(super) const DATE: &str = "#date";

/// The filters.
const FILTERS: &str =
    "abs attr bool capitalize count d default dictsort e escape first float indent int \
    items join last length list lower map max min reject rejectattr replace reverse round \
    safe select selectattr sort split string sum title tojson trim unique upper";
/// The tests.
const TESTS: &str =
    "!= < <= == > >= boolean defined divisibleby endingwith eq equalto escaped even false \
    filter float ge greaterthan gt in int integer iterable le lessthan lt mapping ne none \
    number odd safe sameas sequence startingwith string test true undefined";
/// The weight of a character as a value of its own.
const CHARACTER: u64 = NODE;
/// The factor for a text with every character in its longest spelling, twice.
const SPELLED: u64 = 16;

/// The environment with the unbounded filters and tests.
static STOCK: LazyLock<Environment<'static>> = LazyLock::new(Environment::new);

fn refused(problem: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

/// Returns an environment in which everything respects the budget.
pub(super) fn environment<'s>(budget: &Arc<Budget>) -> Environment<'s> {
    let mut environment = Environment::empty();
    let all = || budget.clone();
    for name in FILTERS.split(' ') {
        let budget = all();
        let bounded = move |state: &State<'_, '_>, args: Rest<Value>| {
            budget.room(filter_needs(&budget, name, &args)?)?;
            let value = filter(state, name, &args)?;
            match name {
                // The result is one of the arguments, or a number.
                "attr" | "d" | "default" | "first" | "last" | "max" | "min" => Ok(value),
                "dictsort" | "items" | "map" | "split" => budget.keep_all(value),
                _ => budget.keep(value),
            }
        };
        environment.add_filter(name, bounded);
    }
    for name in TESTS.split(' ') {
        let budget = all();
        let bounded = move |args: Rest<Value>| {
            budget.room(budget.weigh_all(&args)?.saturating_mul(SPELLED))?;
            STOCK.empty_state().perform_test(name, &args)
        };
        environment.add_test(name, bounded);
    }
    add_functions(&mut environment, budget);
    add_operators(&mut environment, budget);
    let own = all();
    environment.set_unknown_method_callback(move |state, value, name, args| {
        let all = [std::slice::from_ref(value), args].concat();
        own.room(method_needs(&own, name, &all)?)?;
        let made = pycompat::unknown_method_callback(state, value, name, args)?;
        match name {
            "get" => Ok(made),
            "items" | "split" | "splitlines" => own.keep_all(made),
            _ => own.keep(made),
        }
    });
    let own = all();
    environment.set_formatter(move |out, state, value| {
        own.take(own.shown(value)?)?;
        escape_formatter(out, state, value)
    });
    environment
}

fn add_functions(environment: &mut Environment<'_>, budget: &Arc<Budget>) {
    let all = || budget.clone();
    // The arguments are numbers of 32 bits, whose sums and differences fit.
    let own = all();
    environment.add_function("range", move |from: i32, to: Option<i32>, step: Option<i32>| {
        let wide = |n: i32| n as isize;
        own.keep(functions::range(wide(from), to.map(wide), step.map(wide))?)
    });
    let own = all();
    environment.add_function("dict", move |value: Option<Value>, more: Kwargs| {
        own.keep(functions::dict(value, more)?)
    });
    let own = all();
    environment.add_function("namespace", move |value: Option<Value>| {
        own.keep(functions::namespace(value)?)
    });
    environment.add_function(DATE, |given: Value, format: Rest<Value>| match given.as_str() {
        Some(_) => Ok(given),
        None => {
            let form = format.first().and_then(Value::as_str).unwrap_or_default();
            Err(refused(format!(
                "the template needs the date in the form {form:?}, so pass that text as the argument \
                 strftime_now of the chat"
            )))
        }
    });
    environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
        Err(refused(message))
    });
}

fn add_operators(environment: &mut Environment<'_>, budget: &Arc<Budget>) {
    let all = || budget.clone();
    let own = all();
    environment.add_function(KEEP, move |value: Value| own.keep(value));
    let own = all();
    environment.add_function(PART, move |value: Value| own.check_part(&value).map(|()| value));
    let own = all();
    environment.add_function(LOOK, move |value: Value| own.weigh(&value).map(|_| value));
    let own = all();
    environment.add_function(CONCAT, move |left: Value, right: Value| {
        own.room(own.shown(&left)?.saturating_add(own.shown(&right)?))?;
        own.keep(format!("{left}{right}").into())
    });
    let own = all();
    environment.add_function(TIMES, move |left: Value, right: Value| times(&own, &left, &right));
    let own = all();
    environment.add_function(
        SLICE,
        move |value: Value, from: Option<i64>, to: Option<i64>, step: Option<i64>| {
            slice(&own, &value, from, to, step.unwrap_or(1))
        },
    );
}

/// Applies a filter. Filters that call others find them in the environment of the template.
fn filter(state: &State<'_, '_>, name: &str, args: &[Value]) -> Result<Value, Error> {
    type Name<'n> = Option<Cow<'n, str>>;
    let selected = match name {
        "map" => {
            let (value, rest) = from_args::<(Value, Rest<Value>)>(args)?;
            filters::map(state, value, rest)
        }
        "select" | "reject" => {
            let (value, test, rest) = from_args::<(Value, Name<'_>, Rest<Value>)>(args)?;
            match name {
                "select" => filters::select(state, value, test, rest),
                _ => filters::reject(state, value, test, rest),
            }
        }
        "selectattr" | "rejectattr" => {
            let (value, attribute, test, rest) =
                from_args::<(Value, Cow<'_, str>, Name<'_>, Rest<Value>)>(args)?;
            match name {
                "selectattr" => filters::selectattr(state, value, attribute, test, rest),
                _ => filters::rejectattr(state, value, attribute, test, rest),
            }
        }
        "tojson" => {
            let (value, indent, options) = from_args::<(Value, Option<Value>, Kwargs)>(args)?;
            return to_json(&value, indent, &options);
        }
        _ => return STOCK.empty_state().apply_filter(name, args),
    };
    selected.map(Value::from)
}

/// Returns the most bytes that a filter takes while it works.
fn filter_needs(budget: &Budget, name: &str, args: &[Value]) -> Result<u64, Error> {
    let spelled = budget.weigh_all(args)?.saturating_mul(SPELLED);
    let more = match (name, args) {
        ("list" | "map" | "reject" | "select" | "sort" | "split" | "unique", [value, ..]) => {
            CHARACTER.saturating_mul(value.as_str().map_or(0, str::len) as u64)
        }
        ("replace", [value, old, new]) => replaced(budget, value, old, new)?,
        ("join", [values, joiner, ..]) => joined(budget, values, joiner)?,
        // A line is at most as deep as values can be nested.
        ("tojson", [_, given @ ..]) => spelled.saturating_mul(largest(given)),
        ("indent", [value, given @ ..]) => {
            let lines = 1 + value.as_str().map_or(0, |text| text.matches('\n').count()) as u64;
            lines.saturating_mul(largest(given))
        }
        _ => 0,
    };
    Ok(spelled.saturating_add(more))
}

/// Returns the most bytes that a method of a value takes; the value is the first argument.
fn method_needs(budget: &Budget, name: &str, args: &[Value]) -> Result<u64, Error> {
    let spelled = budget.weigh_all(args)?.saturating_mul(SPELLED);
    let more = match (name, args) {
        ("format", _) => return Err(refused("texts have no method format")),
        ("count", [_, what]) if what.as_str() == Some("") => {
            return Err(refused("the empty text cannot be counted"));
        }
        ("replace", [value, old, new, ..]) => replaced(budget, value, old, new)?,
        ("join", [joiner, values]) => joined(budget, values, joiner)?,
        ("split" | "splitlines", [value, ..]) => {
            CHARACTER.saturating_mul(value.as_str().map_or(0, str::len) as u64)
        }
        _ => 0,
    };
    Ok(spelled.saturating_add(more))
}

/// Returns the largest number among the arguments.
fn largest(args: &[Value]) -> u64 {
    let named = args.iter().filter(|arg| arg.is_kwargs()).filter_map(Value::as_object);
    let named = named.flat_map(|map| map.try_iter_pairs().into_iter().flatten());
    let all = args.iter().cloned().chain(named.map(|(_, value)| value));
    all.filter_map(|value| u64::try_from(value).ok()).max().unwrap_or(0)
}

/// Returns the bytes that a replacement makes, in which each `old` becomes `new`; there is at most
/// one more than there are characters.
fn replaced(budget: &Budget, value: &Value, old: &Value, new: &Value) -> Result<u64, Error> {
    let count = match (value.as_str(), old.as_str()) {
        (Some(text), Some(old)) => text.matches(old).count() as u64,
        _ => 1 + budget.shown(value)?,
    };
    Ok(count.saturating_mul(budget.shown(new)?))
}

/// Returns the bytes that joining makes of the joiner.
fn joined(budget: &Budget, values: &Value, joiner: &Value) -> Result<u64, Error> {
    let count = match values.len() {
        Some(count) => count as u64,
        None => budget.weigh(values)? / NODE,
    };
    Ok(count.saturating_mul(budget.shown(joiner)?))
}

fn times(budget: &Budget, left: &Value, right: &Value) -> Result<Value, Error> {
    let repeated =
        |text: &Value, count: &Value| Some((text.as_str()?.to_string(), count.as_usize()?));
    if let Some((text, count)) = repeated(left, right).or_else(|| repeated(right, left)) {
        budget.room((text.len() as u64).saturating_mul(count as u64))?;
        return budget.keep(text.repeat(count).into());
    }
    let impossible =
        || refused(format!("{} and {} cannot be multiplied", left.kind(), right.kind()));
    if left.is_integer() && right.is_integer() {
        let [left, right] = [left, right].map(|value| i128::try_from(value.clone()));
        let product = left?.checked_mul(right?).ok_or_else(impossible)?;
        return Ok(i64::try_from(product).map_or_else(|_| product.into(), Value::from));
    }
    match (left.is_number(), right.is_number()) {
        (true, true) => Ok((f64::try_from(left.clone())? * f64::try_from(right.clone())?).into()),
        _ => Err(impossible()),
    }
}

/// Returns a part of a text or list, as in Python.
fn slice(
    budget: &Budget,
    value: &Value,
    from: Option<i64>,
    to: Option<i64>,
    step: i64,
) -> Result<Value, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(Vec::<Value>::new().into());
    }
    let Some(text) = value.as_str() else {
        let items = budget.list(value)?;
        let places = places(items.len(), from, to, step)?;
        let part: Vec<Value> = places.filter_map(|i| items.get(i).cloned()).collect();
        return budget.keep(part.into());
    };
    budget.room(4 * text.len() as u64)?;
    let characters: Vec<char> = text.chars().collect();
    let places = places(characters.len(), from, to, step)?;
    budget.keep(places.filter_map(|i| characters.get(i)).collect::<String>().into())
}

/// Returns the places of a slice of something of this length.
fn places(
    length: usize,
    from: Option<i64>,
    to: Option<i64>,
    step: i64,
) -> Result<impl Iterator<Item = usize>, Error> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    // For a negative step, the first place is the last, and the slice ends before the first.
    let (first, last) = match step {
        0 => return Err(refused("the step of a slice is 0")),
        1.. => (0, length),
        _ => (-1, length - 1),
    };
    let place = |given: i64| {
        let given = if given < 0 { given.saturating_add(length) } else { given };
        given.clamp(first, last.max(first))
    };
    let (start, end) = if step > 0 { (first, last) } else { (last, first) };
    let (start, end) = (from.map_or(start, place), to.map_or(end, place));
    let places = std::iter::successors(Some(start), move |i| i.checked_add(step));
    let inside = move |i: &i64| if step > 0 { *i < end } else { *i > end };
    Ok(places.take_while(inside).filter_map(|i| usize::try_from(i).ok()))
}
