// SPDX-License-Identifier: Apache-2.0
//! Chat templates that ask for excessive resources get an error, in little memory, and do not end
//! the process.

use assay_engine::{
    synthetic::{write, Synthetic},
    EngineError, Message, Model,
};
use candle_core::quantized::gguf_file::Value;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        Mutex, PoisonError,
    },
};

/// The most that rendering may take: four times the sum of 16 MiB and 64 times the messages, and a
/// little for the template itself.
const LIMIT: usize = 72 << 20;

/// The system's allocator with a count of the bytes that are held and their peak.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches none of its memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the memory comes from this allocator, which is the system's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The lock that lets one test run at a time, since they share the count.
static ALONE: Mutex<()> = Mutex::new(());

/// Renders a chat by a template; returns the result and the bytes that it took.
fn chat(template: &str) -> (Result<Vec<u32>, EngineError>, usize) {
    let shape = Synthetic::default();
    let mut metadata = shape.metadata();
    metadata.push(("tokenizer.chat_template".into(), Value::String(template.into())));
    let model = Model::from_bytes(write(&metadata, &shape.tensors().unwrap()).unwrap()).unwrap();
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let tokens = model.chat(&[Message::new("user", "Why?")]);
    (tokens, PEAK.load(Relaxed) - before)
}

fn assert_refused(template: &str) {
    let shown = &template[..template.len().min(200)];
    let (result, taken) = chat(template);
    assert!(matches!(result, Err(EngineError::ChatTemplate { .. })), "{shown}: {result:?}");
    assert!(taken < LIMIT, "{shown}: {taken} bytes");
}

/// Returns a template that applies a step to `ns.s` sixty times, starting from `first`, and then
/// writes it.
fn repeated(first: &str, step: &str) -> String {
    format!(
        "{{% set ns = namespace(s={first}) %}}{{% for i in range(60) %}}{{% set ns.s = {step} %}}\
         {{% endfor %}}{{{{ ns.s }}}}"
    )
}

#[test]
fn template_may_not_make_more_than_its_share() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (first, step) in [
        ("'aaaaaaaa'", "ns.s ~ ns.s"),
        ("'aaaaaaaa'", "ns.s + ns.s"),
        ("'aaaaaaaa'", "ns.s * 2"),
        ("'aaaaaaaa'", "ns.s.replace('a', 'aa')"),
        ("'aaaaaaaa'", "ns.s | replace('', 'a')"),
        ("'aaaaaaaa'", "ns.s | list | join('ab')"),
        ("'aaaaaaaa'", "'bb'.join(ns.s | list)"),
        ("'aaaaaaaa'", "[ns.s, ns.s] | join"),
        ("'\"\"\"'", "ns.s | tojson"),
        ("'a\\n\\nb'", "ns.s | indent(1000000, true, true)"),
        ("'a'", "ns.s ~ [ns.s, ns.s]"),
        ("[1, 2]", "ns.s + ns.s"),
        ("[1, 2]", "[ns.s, ns.s]"),
        ("[1, 2]", "{'a': ns.s, 'b': ns.s}"),
        ("[1, 2]", "dict(a=ns.s, b=ns.s)"),
        ("[1, 2]", "[ns.s]"),
    ] {
        assert_refused(&repeated(first, step));
    }
    // These values are only made and never written.
    assert_refused(&repeated("[1, 2]", "[ns.s, ns.s]").replace("{{ ns.s }}", ""));
    assert_refused(&repeated("'a'", "double(ns.s)").replacen(
        "{%",
        "{% macro double(s) %}{{ s }}{{ s }}{% endmacro %}{%",
        1,
    ));
}

#[test]
fn template_may_not_name_a_size_beyond_its_share() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for expression in [
        "'a' | indent(10000000000000)",
        "'a' | indent(width=10000000000000)",
        "'a' * 10000000000",
        "'a' * 90000000",
        "([1] * 10000000000) | list",
        "[1] * 10000000000",
        "(range(100000) | list) * 100000",
        "range(1000000)",
        "range(100000) | join('x' * 100000)",
        "('x' * 100000).join(range(100000))",
        "'aaaa' | replace('', 'x' * 5000000)",
        "[[1]] | tojson(indent=1000000000)",
        "'%1000000000d' | format(1)",
        "'{:>1000000000}'.format('a')",
        "['%1000000000d'] | map('format', 1) | list",
        "['a'] | map('indent', 1000000000000, true) | list",
        "[1] | batch(1000000000000)",
        "[1] | slice(1000000000000)",
        "'a' | center(1000000000000)",
        "[[1]] | pprint",
        "debug()",
    ] {
        assert_refused(&format!("{{{{ {expression} }}}}"));
    }
    assert_refused("{% filter indent(100000000000) %}a\nb{% endfilter %}");
    // Operators on constants are computed when a template is compiled.
    assert_refused(&format!("{{{{ {} }}}}", ["('a' * 90000000)"; 100].join(" ~ ")));
}

#[test]
fn template_may_not_write_more_than_its_share() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let raw = "x".repeat(10_000);
    let many = format!("{{% for i in range(100000) %}}{raw}{{% endfor %}}");
    assert_refused(&many);
    assert_refused(&format!("{{% set x %}}{many}{{% endset %}}"));
    assert_refused(&many.replace(&raw, "{{ [messages, messages, messages, messages] }}"));
    assert_refused(&"a".repeat(200_000));
}

#[test]
fn template_may_not_end_the_process() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for template in [
        // These values have no end.
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns }}",
        "{% set ns = namespace() %}{{ [dict(a=ns)] }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for i in [[1]] recursive %}{{ loop(i) }}{% endfor %}",
        // The interpreter would panic at these, or never end.
        "{% for i in [1] %}{{ loop.cycle() }}{% endfor %}",
        "{% for i in [1] %}{{ loop.cycle(*[]) }}{% endfor %}",
        "{% for i in [1] %}{% with %}{% break %}{% endwith %}{% endfor %}",
        "{% for i in [1] %}{% set x %}{% continue %}{% endset %}{% endfor %}",
        "{{ 'a'.count('') }}",
        "{{ 'a'[::0] }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    ] {
        assert_refused(template);
    }
    assert_refused(&format!("{{{{ range({}1) }}}}", "1, ".repeat(70_000 / 2)));
    // These trees are so deep that walking them needs a large stack.
    for (open, close) in [("('a'", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("{'a':", "}")] {
        assert_refused(&format!("{{{{ {}1{} }}}}", open.repeat(10_000), close.repeat(10_000)));
    }
    for link in ["|e", "~a", "-a", " and a", ".a", "[0]", "()", " if a else a", " is a"] {
        let count = 130_000 / link.len();
        assert_refused(&format!("{{{{ a{} }}}}", link.repeat(count)));
    }
    // These are as deep as they are long, and do no harm.
    let equal = format!("{{{{ a{} }}}}", " == a".repeat(26_000));
    let branches = format!("{{% if a %}}{}{{% endif %}}", "{%elif a%}".repeat(13_000));
    for template in [equal, branches] {
        let (result, taken) = chat(&template);
        assert!(result.is_ok() && taken < LIMIT, "{taken} bytes");
    }
    assert_refused(&format!("{}{}", "{% if a %}".repeat(5_000), "{% endif %}".repeat(5_000)));
}

#[test]
fn template_may_take_what_long_chats_need() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let template =
        "{% set ns = namespace(s='') %}{% for m in messages %}{% set c = m.content | trim %}\
        {% if '</think>' in c %}{% set c = c.split('</think>')[-1].lstrip('\\n') %}{% endif %}\
        {{ '<s>' + m.role + '\\n' + c + '</s>' }}{% endfor %}";
    let shape = Synthetic::default();
    let mut metadata = shape.metadata();
    metadata.push(("tokenizer.chat_template".into(), Value::String(template.into())));
    let model = Model::from_bytes(write(&metadata, &shape.tensors().unwrap()).unwrap()).unwrap();
    let long = Message::new("user", "word ".repeat(800_000));
    assert_eq!(model.chat(&[long]).unwrap().len(), 1 + 4 + 1 + 4_000_000 - 1 + 1);
    let many = vec![Message::new("user", "<think>x</think>\n\nwords and words"); 5_000];
    assert!(model.chat(&many).unwrap().len() > 5_000 * 20);
}
