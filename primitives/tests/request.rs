// SPDX-License-Identifier: Apache-2.0
//! The encoding of requests: golden vectors, which no version may change, and what is refused.

use assay_primitives::request::{
    Argument, Chat, Compiled, Constraint, LogitBias, Message, Prompt, Request, RequestError,
    RequestV1, MAX_LOGPROBS, MAX_REQUEST_BYTES, MAX_STOPS,
};
use codec::Encode;
use proptest::{collection::vec, option, prelude::*};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of(prompt: Prompt) -> RequestV1 {
    RequestV1::new(prompt)
}

fn text() -> RequestV1 {
    of(Prompt::Text(b"In the beginning".to_vec()))
}

fn compiled() -> Compiled {
    Compiled { source: "[a-z]+".into(), compiler: "derivre".into(), version: "0.3".into() }
}

fn argument(name: &str) -> Argument {
    Argument { name: name.into(), value: "true".into() }
}

fn chat() -> RequestV1 {
    let message =
        |role: &str, content: &str| Message { role: role.into(), content: content.into() };
    of(Prompt::Chat(Chat {
        messages: vec![message("system", "Be brief."), message("user", "Why?")],
        tools: vec![r#"{"name":"clock"}"#.into()],
        arguments: vec![argument("date"), argument("thinking")],
    }))
}

/// Returns a request with a value in every field that is not neutral.
fn full() -> RequestV1 {
    RequestV1 {
        stop: vec![b"\n\n".to_vec(), b"END".to_vec()],
        logit_bias: vec![
            LogitBias { token: 7, bias: -65_536 },
            LogitBias { token: 300, bias: 32_768 },
        ],
        presence: 6_554,
        frequency: -1,
        repetition: 72_090,
        min_p: 3_277,
        ignore_end: true,
        logprobs: 5,
        constraint: Constraint::Regex(compiled()),
        salt: Some([9; 32]),
        ..text()
    }
}

/// The names, the requests, their encodings, and the hashes of these.
fn golden() -> Vec<(&'static str, RequestV1, &'static str, &'static str)> {
    vec![
        (
            "text",
            text(),
            "010040496e2074686520626567696e6e696e6700000000000000000000000001000000000000000000",
            "6e3f358c9cd9cb448060172899a323b9a15c9bcbea3541a31a1b2b074109c5d9",
        ),
        (
            "tokens",
            of(Prompt::Tokens(vec![1, 259, 70_000])),
            "01010c01000000030100007011010000000000000000000000000001000000000000000000",
            "0ea9db22f0770d6aeec206a4d12e15ed1b25fd76f254062ff197eb47d66d24ee",
        ),
        (
            "chat",
            chat(),
            "0102081873797374656d2442652062726965662e1075736572105768793f04407b226e616d65223a2263\
             6c6f636b227d0810646174651074727565207468696e6b696e6710747275650000000000000000000000\
             0001000000000000000000",
            "0bf85a30fbff8a3472fa3c81e79c8683eec5c3fee20e490cc02ba94459291ba7",
        ),
        (
            "every field",
            full(),
            "010040496e2074686520626567696e6e696e6708080a0a0c454e4408070000000000ffff2c0100000080\
             00009a190000ffffffff9a190100cd0c0000010502185b612d7a5d2b1c646572697672650c302e330109\
             09090909090909090909090909090909090909090909090909090909090909",
            "ed9bde1409098f4544ce23b94a03678653615f68e0a835a1a1b781d7b656469a",
        ),
        (
            "a JSON schema",
            RequestV1 { constraint: Constraint::JsonSchema(compiled()), ..text() },
            "010040496e2074686520626567696e6e696e67000000000000000000000000010000000000000001185b\
             612d7a5d2b1c646572697672650c302e3300",
            "c6d243f433faf862396bda467921946efef8f7966ced9784e8d14569983d1ca0",
        ),
        (
            "a grammar",
            RequestV1 { constraint: Constraint::Grammar(compiled()), ..text() },
            "010040496e2074686520626567696e6e696e67000000000000000000000000010000000000000003185b\
             612d7a5d2b1c646572697672650c302e3300",
            "049c055a91adf7dc4d6190735c863313d89707b0c970df89334c54e2b6aede4e",
        ),
    ]
}

#[test]
fn requests_have_their_published_encodings_and_hashes() {
    for (name, request, encoding, hash) in golden() {
        let request = Request::V1(request);
        assert_eq!(hex(&request.encode()), encoding, "{name}");
        assert_eq!(hex(request.hash().as_bytes()), hash, "{name}");
        assert_eq!(Request::decode_canonical(&request.encode()), Ok(request), "{name}");
    }
}

#[test]
fn request_is_refused_for_each_field_that_exceeds_its_limit() {
    let stops = |count: usize| RequestV1 { stop: vec![b"x".to_vec(); count], ..text() };
    let bias = |tokens: &[u32]| RequestV1 {
        logit_bias: tokens.iter().map(|&token| LogitBias { token, bias: 1 }).collect(),
        ..text()
    };
    let arguments = |names: &[&str]| {
        let arguments = names.iter().map(|name| argument(name)).collect();
        of(Prompt::Chat(Chat { arguments, ..Chat::default() }))
    };
    for (request, error) in [
        (stops(MAX_STOPS), None),
        (stops(17), Some(RequestError::TooManyStops { stops: 17, limit: 16 })),
        (
            RequestV1 { stop: vec![b"x".to_vec(), vec![]], ..text() },
            Some(RequestError::StopEmpty { index: 1 }),
        ),
        (bias(&[1, 2, 9]), None),
        (bias(&[1, 9, 2]), Some(RequestError::LogitBiasNotAscending { token: 2 })),
        (bias(&[4, 4]), Some(RequestError::LogitBiasNotAscending { token: 4 })),
        (RequestV1 { repetition: 0, ..text() }, Some(RequestError::RepetitionZero)),
        (RequestV1 { min_p: 65_536, ..text() }, None),
        (
            RequestV1 { min_p: 65_537, ..text() },
            Some(RequestError::MinPTooHigh { min_p: 65_537, limit: 65_536 }),
        ),
        (RequestV1 { logprobs: MAX_LOGPROBS, ..text() }, None),
        (
            RequestV1 { logprobs: 17, ..text() },
            Some(RequestError::TooManyLogprobs { logprobs: 17, limit: 16 }),
        ),
        (arguments(&["a", "b"]), None),
        (arguments(&["a", "c", "b"]), Some(RequestError::ArgumentsNotAscending { index: 2 })),
        (arguments(&["a", "a"]), Some(RequestError::ArgumentsNotAscending { index: 1 })),
    ] {
        let request = Request::V1(request);
        let decoded = Request::decode_canonical(&request.encode());
        assert_eq!(decoded, error.map_or(Ok(request), Err));
    }
}

#[test]
fn bytes_that_are_not_a_request_are_refused() {
    let request = Request::text(*b"In the beginning").encode();
    let refused = |bytes: &[u8]| Request::decode_canonical(bytes).unwrap_err();
    assert_eq!(refused(&[]), RequestError::Malformed);
    assert_eq!(refused(b"In the beginning"), RequestError::UnknownVersion { version: b'I' });
    assert_eq!(refused(&request[..request.len() - 1]), RequestError::Malformed);
    let followed = [&request[..], &[0, 0]].concat();
    assert_eq!(refused(&followed), RequestError::TrailingBytes { left: 2 });
    // A length of 16 in the form for lengths from 64 on.
    let longer = [&[1, 0, 0x41, 0], &request[3..]].concat();
    assert_eq!(refused(&longer), RequestError::Malformed);
    // The role of a message is not UTF-8.
    let chat = Request::V1(chat()).encode();
    let at = chat.windows(6).position(|part| part == b"system").unwrap();
    let mut spoilt = chat.clone();
    spoilt[at] = 0xff;
    assert_eq!(refused(&spoilt), RequestError::Malformed);
}

#[test]
fn request_over_the_limit_is_refused_before_it_is_decoded() {
    let frame = Request::text(vec![b'a'; 1 << 19]).encode().len() - (1 << 19);
    let longest = Request::text(vec![b'a'; MAX_REQUEST_BYTES - frame]);
    assert_eq!(longest.encode().len(), MAX_REQUEST_BYTES);
    assert_eq!(Request::decode_canonical(&longest.encode()), Ok(longest));
    let (bytes, limit) = (MAX_REQUEST_BYTES + 1, MAX_REQUEST_BYTES);
    let refused = Request::decode_canonical(&vec![b'a'; bytes]);
    assert_eq!(refused, Err(RequestError::TooLong { bytes, limit }));
}

#[test]
fn fields_that_the_engine_does_not_honour_are_named() {
    let constraint = Constraint::Grammar(compiled());
    for (request, field) in [
        (text(), None),
        (of(Prompt::Tokens(vec![1])), None),
        (chat(), None),
        (RequestV1 { stop: full().stop, ..text() }, None),
        (full(), Some("constraint")),
        (RequestV1 { logit_bias: full().logit_bias, ..text() }, None),
        (RequestV1 { presence: 1, frequency: 1, repetition: 1, min_p: 1, ..text() }, None),
        (RequestV1 { ignore_end: true, ..text() }, None),
        (RequestV1 { logprobs: 1, ..text() }, None),
        (RequestV1 { constraint, ..text() }, Some("constraint")),
        (RequestV1 { salt: Some([0; 32]), ..text() }, Some("salt")),
    ] {
        let request = Request::V1(request);
        assert_eq!(request.unsupported(), field);
        let refused = field.map(|field| RequestError::Unsupported { field });
        assert_eq!(request.ensure_supported().err(), refused);
    }
}

#[test]
fn errors_say_which_value_and_what_to_do() {
    for (error, parts) in [
        (RequestError::TooLong { bytes: 1_048_577, limit: 1_048_576 }, ["1048577", "shorten"]),
        (RequestError::UnknownVersion { version: 73 }, ["version 73", "send"]),
        (RequestError::Malformed, ["SCALE", "send"]),
        (RequestError::TrailingBytes { left: 2 }, ["(2)", "leave them out"]),
        (RequestError::ArgumentsNotAscending { index: 3 }, ["argument 3", "order"]),
        (RequestError::TooManyStops { stops: 17, limit: 16 }, ["17", "may have 16"]),
        (RequestError::StopEmpty { index: 1 }, ["stop string 1", "leave it out"]),
        (RequestError::LogitBiasNotAscending { token: 9 }, ["token 9", "order"]),
        (RequestError::RepetitionZero, ["is 0", "65536"]),
        (RequestError::MinPTooHigh { min_p: 70_000, limit: 65_536 }, ["70000", "lower"]),
        (RequestError::TooManyLogprobs { logprobs: 17, limit: 16 }, ["17", "fewer"]),
        (RequestError::Unsupported { field: "min_p" }, ["'min_p'", "leave it neutral"]),
    ] {
        let message = error.to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

fn prompts() -> impl Strategy<Value = Prompt> {
    let message = (".{0,9}", ".{0,9}").prop_map(|(role, content)| Message { role, content });
    let names = proptest::collection::btree_map(".{0,5}", ".{0,5}", 0..4);
    let arguments = names.prop_map(|named| {
        named.into_iter().map(|(name, value)| Argument { name, value }).collect()
    });
    let chat = (vec(message, 0..4), vec(".{0,9}", 0..3), arguments)
        .prop_map(|(messages, tools, arguments)| Chat { messages, tools, arguments });
    prop_oneof![
        vec(any::<u8>(), 0..200).prop_map(Prompt::Text),
        vec(any::<u32>(), 0..200).prop_map(Prompt::Tokens),
        chat.prop_map(Prompt::Chat),
    ]
}

fn constraints() -> impl Strategy<Value = Constraint> {
    let compiled = (".{0,9}", ".{0,9}", ".{0,9}")
        .prop_map(|(source, compiler, version)| Compiled { source, compiler, version });
    (0..4, compiled).prop_map(|(kind, compiled)| match kind {
        0 => Constraint::None,
        1 => Constraint::JsonSchema(compiled),
        2 => Constraint::Regex(compiled),
        _ => Constraint::Grammar(compiled),
    })
}

fn requests() -> impl Strategy<Value = Request> {
    let biases = proptest::collection::btree_map(any::<u32>(), any::<i32>(), 0..5);
    let biases = biases.prop_map(|biases| {
        biases.into_iter().map(|(token, bias)| LogitBias { token, bias }).collect()
    });
    let penalties = (any::<i32>(), any::<i32>(), 1..=u32::MAX, 0..=RequestV1::ONE);
    let rest = (any::<bool>(), 0..=MAX_LOGPROBS, constraints(), option::of(any::<[u8; 32]>()));
    let stops = vec(vec(any::<u8>(), 1..9), 0..=MAX_STOPS);
    (prompts(), stops, biases, penalties, rest).prop_map(
        |(prompt, stop, logit_bias, penalties, rest)| {
            let (presence, frequency, repetition, min_p) = penalties;
            let (ignore_end, logprobs, constraint, salt) = rest;
            Request::V1(RequestV1 {
                prompt,
                stop,
                logit_bias,
                presence,
                frequency,
                repetition,
                min_p,
                ignore_end,
                logprobs,
                constraint,
                salt,
            })
        },
    )
}

/// Returns the encodings that begin with a longer form of a length: each byte of an encoding may be a
/// length in the form of one byte.
fn longer_lengths(encoding: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..encoding.len()).filter(|&at| encoding[at].is_multiple_of(4)).flat_map(move |at| {
        let length = u32::from(encoding[at] / 4);
        let forms = [
            (length << 2 | 1).to_le_bytes()[..2].to_vec(),
            (length << 2 | 2).to_le_bytes().to_vec(),
            [&[3][..], &length.to_le_bytes()].concat(),
        ];
        forms.map(|form| [&encoding[..at], &form, &encoding[at + 1..]].concat())
    })
}

proptest! {
    #[test]
    fn request_is_decoded_from_its_encoding(request in requests()) {
        let encoding = request.encode();
        prop_assert_eq!(Request::decode_canonical(&encoding), Ok(request));
    }

    #[test]
    fn no_other_encoding_is_decoded_as_the_same_request(
        request in requests(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let encoding = request.encode();
        let mut others: Vec<_> = longer_lengths(&encoding).collect();
        let mut changed = encoding.clone();
        *at.get_mut(&mut changed) = byte;
        others.push(changed);
        others.push([&encoding[..], &[byte]].concat());
        others.push(encoding[..at.index(encoding.len())].to_vec());
        for other in others.iter().filter(|other| **other != encoding) {
            prop_assert_ne!(Request::decode_canonical(other), Ok(request.clone()));
        }
    }

    #[test]
    fn whatever_is_decoded_is_its_own_encoding(bytes in vec(any::<u8>(), 0..64)) {
        let bytes = [&[1][..], &bytes].concat();
        if let Ok(request) = Request::decode_canonical(&bytes) {
            prop_assert_eq!(request.encode(), bytes);
        }
    }
}
