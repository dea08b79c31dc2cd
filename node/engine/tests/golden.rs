// SPDX-License-Identifier: Apache-2.0
//! Sampling is checked against vectors that an independent program made.

use assay_engine::{
    choose, digest, logprobs, pick,
    sampling::fixed::{exp_q32, gumbel_q24, ln_q32},
    Adjustments, Context, SampleSpec, Sampling,
};
use serde_json::Value;
use std::process::Command;

fn vectors() -> Value {
    serde_json::from_str(include_str!("golden/sampling.json")).expect("valid JSON")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().expect("a list")
}

fn hex(value: &Value) -> [u8; 32] {
    let text = value.as_str().expect("hexadecimal");
    std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("a byte"))
}

#[test]
fn functions_reproduce_the_golden_vectors() {
    let vectors = vectors();
    for pair in list(&vectors, "gumbel_q24") {
        let word = u32::try_from(pair[0].as_u64().unwrap()).unwrap();
        assert_eq!(gumbel_q24(word), pair[1].as_i64().unwrap());
    }
    for pair in list(&vectors, "exp_q32") {
        assert_eq!(exp_q32(pair[0].as_i64().unwrap()), pair[1].as_u64().unwrap());
    }
    for pair in list(&vectors, "ln_q32") {
        assert_eq!(ln_q32(pair[0].as_u64().unwrap()), pair[1].as_i64().unwrap());
    }
}

#[test]
fn pick_reproduces_the_golden_vectors() {
    let vectors = vectors();
    for case in list(&vectors, "picks") {
        let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
        let sampling = Sampling {
            temperature: number("temperature"),
            top_k: number("top_k"),
            top_p: number("top_p"),
            min_p: number("min_p"),
        };
        let spec = SampleSpec::new(case["seed"].as_u64().unwrap(), &hex(&case["job"]), sampling);
        assert_eq!(spec.key, hex(&case["key"]));
        let row: Vec<i32> =
            list(case, "row").iter().map(|l| i32::try_from(l.as_i64().unwrap()).unwrap()).collect();
        assert_eq!(pick(&row, number("position"), &spec), number("token"), "{sampling:?}");
        assert_eq!(digest::position(&hex(&case["job"]), &row), hex(&case["digest"]));
    }
}

#[test]
fn choose_reproduces_the_golden_vectors() {
    let vectors = vectors();
    for case in list(&vectors, "choices") {
        let number = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
        let token = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
        let tokens = |key| list(case, key).iter().map(token).collect::<Vec<u32>>();
        let sampling = Sampling {
            temperature: token(&case["temperature"]),
            min_p: token(&case["min_p"]),
            ..Sampling::GREEDY
        };
        let spec = SampleSpec::new(case["seed"].as_u64().unwrap(), &hex(&case["job"]), sampling);
        let bias = list(case, "bias").iter().map(|pair| (token(&pair[0]), number(&pair[1])));
        let adjustments = Adjustments {
            presence: number(&case["presence"]),
            frequency: number(&case["frequency"]),
            repetition: token(&case["repetition"]),
            ..Adjustments::NONE.with_bias(bias)
        };
        let (input, row) = (tokens("prompt"), list(case, "row").iter().map(number));
        let all = [&input[..], &tokens("output")].concat();
        let before = Context { tokens: &all, input: input.len() };
        let row: Vec<i32> = row.collect();
        assert_eq!(choose(&row, before, &spec, &adjustments), token(&case["token"]), "{case}");
    }
}

#[test]
fn log_probabilities_reproduce_the_golden_vectors() {
    let vectors = vectors();
    for case in list(&vectors, "logprobs") {
        let number = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
        let row: Vec<i32> = list(case, "row").iter().map(number).collect();
        let values: Vec<i32> = list(case, "values").iter().map(number).collect();
        for (token, &value) in (0..).zip(&values) {
            assert_eq!(logprobs::of_row(&row, token, 0).chosen, value, "{case}");
        }
        let token = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
        let top: Vec<(u32, i32)> =
            list(case, "top").iter().map(token).map(|id| (id, values[id as usize])).collect();
        let count = token(&case["count"]) as usize;
        assert_eq!(logprobs::of_row(&row, 0, count).top, top, "{case}");
    }
}

#[test]
fn roots_reproduce_the_golden_vectors() {
    let vectors = vectors();
    for case in list(&vectors, "roots") {
        let tokens: Vec<u32> = list(case, "tokens")
            .iter()
            .map(|token| u32::try_from(token.as_u64().unwrap()).unwrap())
            .collect();
        let digests: Vec<[u8; 32]> = list(case, "digests").iter().map(hex).collect();
        assert_eq!(digest::output(&hex(&case["key"]), &tokens), hex(&case["output"]));
        assert_eq!(digest::root(&hex(&case["key"]), &digests, &tokens), hex(&case["root"]));
    }
}

#[test]
fn the_script_still_computes_the_golden_vectors() {
    // Tests run in the folder of their package, wherever they were built.
    let script = "tests/golden/sampling.py";
    // Without Python, the vectors themselves are still checked above.
    if let Ok(status) = Command::new("python3").args([script, "--check"]).status() {
        assert!(status.success());
    }
}
