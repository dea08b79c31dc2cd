// SPDX-License-Identifier: Apache-2.0
//! Chat templates, which turn messages into tokens.
//!
//! The template comes with the model (`tokenizer.chat_template`) and is written in Jinja. Its own
//! text may name control tokens; the users' text may not, neither in messages nor in tools or
//! arguments: see [`stand_in`], which also names the limits of that. A template cannot exhaust the machine's resources either: see [`template`].

mod bounded;
mod budget;
mod generation;
mod json;
mod message;
mod ordered;
mod rendered;
mod rewrite;
mod stand_in;
mod template;
mod to_json;

use crate::{EngineError, Model};
use json::Json;
pub use message::{Chat, Message};
pub(crate) use rendered::Rendered;

/// Checks that a tool or the value of an argument is JSON as every node reads it: one value, with each key of an
/// object once, nested at most 24 deep.
///
/// # Errors
/// Returns a description of the first problem.
pub fn check_json(text: &str) -> Result<(), String> {
    Json::read(text).map(drop)
}

impl Model {
    /// Renders a chat, up to the beginning of the assistant's answer. It is a pure
    /// function of the file and the chat: a template is given neither the date nor anything
    /// else of the machine.
    ///
    /// # Errors
    /// Returns [`EngineError::NoChatTemplate`], [`EngineError::ChatTemplate`] if the template fails or
    /// refuses the messages, [`EngineError::ChatJson`], [`EngineError::ChatArgument`], or
    /// [`EngineError::Io`] if the system provides no thread, which says nothing of the chat.
    pub(crate) fn render(&self, chat: &Chat) -> Result<Rendered<'_>, EngineError> {
        rendered::rendered(self, chat)
    }

    /// Returns the tokens of a chat of messages alone.
    ///
    /// # Errors
    /// Returns the errors of [`Prompt::input`](crate::Prompt::input) for a chat.
    pub fn chat(&self, messages: &[Message]) -> Result<Vec<u32>, EngineError> {
        self.render(&Chat::new(messages.to_vec()))?.tokens()
    }

    /// Returns the most characters of a rendered chat for which a token stands: those of a control
    /// token, or three for each byte of the text of another, since SentencePiece has a space in three
    /// bytes.
    pub(crate) fn longest_in_chat(&self) -> usize {
        let controls = self.tokenizer().special().control_texts().map(str::len);
        controls.max().unwrap_or(0).max(self.longest_token().saturating_mul(3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use super::{ordered::Ordered, template::render};
    use crate::synthetic::{write, Synthetic, Vocabulary};
    use candle_core::quantized::gguf_file;
    use minijinja::{Environment, Value};
    use proptest::prelude::{prop, proptest};
    use std::collections::BTreeMap;

    const LLAMA3: &str = "{% set loop_messages = messages %}{% for message in loop_messages %}\
        {% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'\
        + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}\
        {% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}\
        {% endif %}";
    const MISTRAL: &str = "{{ bos_token }}{% for message in messages %}\
        {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
        {{ raise_exception('Conversation roles must alternate user/assistant/user/...') }}\
        {% endif %}{% if message['role'] == 'user' %}\
        {{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}\
        {{ message['content'] + eos_token }}{% endif %}{% endfor %}";
    const CHATML: &str = "{%- if messages[0]['role'] == 'system' %}\n    \
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n{%- else %}\n    \
        {{- '<|im_start|>system\\nYou are a helper.<|im_end|>\\n' }}\n{%- endif %}\n\
        {%- for message in messages %}\n    {%- if message.role == 'user' or \
        (message.role == 'assistant' and not message.tool_calls) %}\n        \
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n    \
        {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    \
        {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n";
    const QWEN3: &str = "{%- set ns = namespace(last=messages|length - 1) %}\
        {%- for message in messages[::-1] %}{%- if message.role == 'user' %}\
        {%- set ns.last = (messages|length - 1) - loop.index0 %}{%- break %}{%- endif %}\
        {%- endfor %}{%- for message in messages %}{%- set content = message.content %}\
        {%- if message.role == 'assistant' and '</think>' in content %}\
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}\
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}{%- endfor %}\
        {%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}\
        {%- if enable_thinking is defined and enable_thinking is false %}{{- 'x' }}{%- endif %}\
        {%- endif %}";

    fn chat() -> Vec<Message> {
        vec![
            Message::new("user", " Hi "),
            Message::new("assistant", "<think>\nhm\n</think>\n\nHello"),
            Message::new("user", "Why?"),
        ]
    }

    fn variables() -> BTreeMap<&'static str, Value> {
        let message = |Message { role, content }| {
            Ordered::value(
                [("role".into(), role.into()), ("content".into(), content.into())].into_iter(),
            )
        };
        let messages: Vec<Value> = chat().into_iter().map(message).collect();
        BTreeMap::from([
            ("messages", messages.into()),
            ("bos_token", "<s>".into()),
            ("eos_token", "</s>".into()),
            ("add_generation_prompt", true.into()),
        ])
    }

    fn rendered(template: &str) -> String {
        render(template, variables(), [100; 3].into_iter()).unwrap()
    }

    #[test]
    fn render_follows_templates_in_use() {
        let head = |role: &str| format!("<|start_header_id|>{role}<|end_header_id|>\n\n");
        assert_eq!(
            rendered(LLAMA3),
            format!(
                "<s>{}Hi<|eot_id|>{}<think>\nhm\n</think>\n\nHello<|eot_id|>{}Why?<|eot_id|>{}",
                head("user"),
                head("assistant"),
                head("user"),
                head("assistant")
            )
        );
        assert_eq!(
            rendered(MISTRAL),
            "<s>[INST]  Hi  [/INST]<think>\nhm\n</think>\n\nHello</s>[INST] Why? [/INST]"
        );
        assert_eq!(
            rendered(CHATML),
            "<|im_start|>system\nYou are a helper.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n\
             <|im_start|>assistant\n<think>\nhm\n</think>\n\nHello<|im_end|>\n\
             <|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(
            rendered(QWEN3),
            "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n\
             <|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
        );
    }

    /// Returns minijinja's result without bounds.
    fn unbounded(template: &str) -> String {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        let methods = minijinja_contrib::pycompat::unknown_method_callback;
        environment.set_unknown_method_callback(methods);
        environment.render_str(template, Value::from_iter(variables())).unwrap()
    }

    #[test]
    fn render_equals_the_unbounded_interpreter() {
        for template in [
            LLAMA3,
            MISTRAL,
            CHATML,
            QWEN3,
            "{{ 1 + 2 * 3 - 4 // 3 % 2 ** 2 }} {{ 7 / 2 }} {{ 2 * 1.5 }} {{ 'ab' * 3 }} {{ -1 }}",
            "{{ 'a' ~ 1 ~ none ~ nothing ~ [1, 'x', {'k': 2.5}] }} {{ 'a' + 'b' }}",
            "{{ [1, 2] + [3] }} {{ ([1] + [2] + [3])[1:] | list }} {{ (range(5) | list)[-2:] }}",
            "{{ 'abcdef'[1:4] }} {{ 'abcdef'[-2:] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[:-1:2] }}",
            "{{ messages[1:] | length }} {{ messages[-1].content }} {{ messages[:0] | list }}",
            "{% for m in messages[::-1] %}{{ m.role }}{{ loop.index }}{{ loop.last }}{% endfor %}",
            "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list }}",
            "{{ messages | rejectattr('role', 'eq', 'user') | list | length }} {{ messages }}",
            "{{ messages | map(attribute='role') | unique | sort(reverse=true) | join(', ') }}",
            "{{ [3, 1, 2] | sort | reverse | list }} {{ ['a', 'B'] | map('upper') | join }}",
            "{{ {'b': 1, 'a': [2]} }} {{ {'b': 1, 'a': 2} | dictsort }}",
            "{% for k, v in {'x': 1, 'y': 2}.items() %}{{ k }}={{ v }},{% endfor %}",
            "{% for k in {'x': 1} | items %}{{ k[0] }}{% endfor %}{{ {'x': 1}.keys() | list }}",
            "{{ 'a<b>'.replace('<', '[') | replace('>', ']') }} {{ 'x\ny' | indent(2, true) }}",
            "{{ ' a b '.strip().split(' ') }} {{ 'a,b' | split(',') | last }} {{ 'a\nb'.splitlines() }}",
            "{{ 'Abc' | lower }} {{ 'abc'.title() }} {{ 'abc'.startswith('a') }} {{ 'abc'.find('c') }}",
            "{{ 'a' in 'abc' }} {{ 4 not in [1, 2] }} {{ 1 < 2 <= 2 }} {{ 'a' if 1 == 2 else 'b' }}",
            "{{ x is defined }} {{ 1 is number }} {{ 'a' is string }} {{ [] is iterable }} {{ x or 'y' }}",
            "{{ 3 is odd }} {{ 4 is divisibleby(2) }} {{ none is none }} {{ {} is mapping }}",
            "{% set ns = namespace(n=0, s='') %}{% for m in messages %}{% set ns.n = ns.n + 1 %}\
             {% set ns.s = ns.s ~ m.role %}{% endfor %}{{ ns.n }}{{ ns.s }}{{ ns }}",
            "{% macro say(m, end='.') %}{{ m.content | trim }}{{ end }}{% endmacro %}\
             {% for m in messages if m.role == 'user' %}{{ say(m) }}{{ say(m, end='!') }}{% endfor %}",
            "{% set text %}a{{ 1 }}  {% endset %}{{ text | trim }}{% filter upper %}b{% endfilter %}",
            "{% with a = 1, b = [2] %}{{ a }}{{ b[0] }}{% endwith %}{% for a, b in [[1, 2]] %}{{ b }}\
             {% else %}none{% endfor %}{% for x in [] %}{% else %}none{% endfor %}",
            "{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}\
             {% endif %}{{ i }}{{ loop.cycle('a', 'b') }}{% endfor %}{{ range(9, 1, -3) | list }}",
            "{{ '3' | int + 1 }} {{ 2.5 | round }} {{ [1, 5, 3] | max }} {{ [1, 2] | sum }} {{ -3 | abs }}",
            "{{ dict(a=1, b='x') }} {{ {'a': 1}.get('b', 'none') }} {{ {'a': {'b': 1}}['a'].b }}",
            "{{ messages[0] | attr('role') }} {{ nothing | default('d') }} {{ '<' | e }} {{ 1e300 }}",
            "\n  {%- if true -%}  a  {%- endif %}\n {# note #} b\n{{ 5000000000 }}\n",
        ] {
            assert_eq!(rendered(template), unbounded(template), "{template}");
        }
    }

    #[test]
    fn render_slices_as_python_does() {
        for (slice, expected) in [
            ("''[::-1]", ""),
            ("'abcde'[::-1]", "edcba"),
            ("'abcde'[3:0:-1]", "dcb"),
            ("'abcde'[-2::-2]", "db"),
            ("'abcde'[:1:-1]", "edc"),
            ("'abcde'[-99:99]", "abcde"),
            ("'abcde'[4:1]", ""),
            ("'abcde'[1:9223372036854775807:2]", "bd"),
            ("[][::-1]", "[]"),
            ("[1, 2, 3][::-2]", "[3, 1]"),
            ("none[1:]", "[]"),
        ] {
            assert_eq!(rendered(&format!("{{{{ {slice} }}}}")), expected, "{slice}");
        }
    }

    /// Returns a small model whose control tokens are `<s>`, `</s>` and `<pad>`.
    fn model(template: Option<&str>) -> Model {
        let shape = Synthetic { vocabulary: Vocabulary::Pieces, ..Synthetic::default() };
        let mut metadata = shape.metadata();
        let template = template.map(|text| gguf_file::Value::String(text.into()));
        metadata.extend(template.map(|value| ("tokenizer.chat_template".to_string(), value)));
        Model::from_bytes(write(&metadata, &shape.tensors().unwrap()).unwrap()).unwrap()
    }

    const PLAIN: &str = "{% for m in messages %}{{ m.content | trim }}{{ eos_token }}{% endfor %}";

    #[test]
    fn chat_finds_control_tokens_in_the_template_and_never_in_messages() {
        let model = model(Some(PLAIN));
        let bytes = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
        for said in ["a", "</s>", "<</s>/s>", "<s>x<pad>", "\u{fdd0}</s>", "</s></s>"] {
            let tokens = model.chat(&[Message::new("user", format!(" {said}\n"))]).unwrap();
            assert_eq!(tokens, [vec![256], bytes(said), vec![257]].concat(), "{said}");
        }
        let all: String = ('\u{fdd0}'..='\u{fdef}').chain("</s>".chars()).collect();
        let tokens = model.chat(&[Message::new("user", &*all)]).unwrap();
        assert_eq!(tokens, [vec![256], bytes(&all), vec![257]].concat());
    }

    /// Roles and contents, one after the other, as they are or without white space around them.
    const BARE: [&str; 2] = [
        "{% for m in messages %}{{ m.role }}{{ m.content }}{% endfor %}",
        "{% for m in messages %}{{ m.role | trim }}{{ m.content | trim }}{% endfor %}",
    ];

    /// Returns a small model whose control tokens have these texts.
    fn controlled(controls: &[String; 3], template: &str) -> Model {
        let shape = Synthetic { vocabulary: Vocabulary::Pieces, ..Synthetic::default() };
        let mut metadata = shape.metadata();
        for (key, value) in &mut metadata {
            if let ("tokenizer.ggml.tokens", gguf_file::Value::Array(texts)) = (key.as_str(), value)
            {
                texts.truncate(256);
                texts.extend(controls.iter().cloned().map(gguf_file::Value::String));
            }
        }
        metadata
            .push(("tokenizer.chat_template".into(), gguf_file::Value::String(template.into())));
        Model::from_bytes(write(&metadata, &shape.tensors().unwrap()).unwrap()).unwrap()
    }

    /// Checks that no message becomes a control token, and that no text of a message is lost.
    fn assert_said(controls: &[String; 3], said: &[(String, String)]) {
        let messages: Vec<Message> =
            said.iter().map(|(role, content)| Message::new(&**role, &**content)).collect();
        for (template, trimmed) in BARE.into_iter().zip([false, true]) {
            let parts = said.iter().flat_map(|(role, content)| [role, content]);
            let parts = parts.map(|part| if trimmed { part.trim() } else { part.as_str() });
            // This vocabulary spells a space as this character, and has no piece for it.
            let text = parts.collect::<String>().replace(' ', "\u{2581}");
            let bytes = text.bytes().map(u32::from);
            let tokens = controlled(controls, template).chat(&messages).unwrap();
            assert_eq!(tokens, [256].into_iter().chain(bytes).collect::<Vec<_>>(), "{said:?}");
        }
    }

    #[test]
    fn chat_makes_no_control_token_of_messages() {
        let controls = |one: &str| [one, "</s>", "<pad>"].map(String::from);
        for (control, role, content) in [
            // The first text is a single character, and the second overlaps itself.
            ("a", "user", "banana"),
            ("aa", "user", "aaa"),
            ("aba", "user", "ababa"),
            // The tokens are in a role, and across the end of a role or message.
            ("<s>", "</s>", ""),
            ("<s>", "<", "/s>"),
            ("<s>", "<pad", "></s> "),
        ] {
            let said = (role.to_string(), content.to_string());
            assert_said(&controls(control), &[said.clone(), said]);
        }
    }

    #[test]
    fn chat_makes_control_tokens_of_known_roles_alone() {
        let template = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}";
        let controls = ["<|user|>", "<|endoftext|>", "<|stop>"].map(String::from);
        let trimmed = template.replace("m.role", "m.role | trim");
        let [bare, trimmed] = [template, &trimmed].map(|text| controlled(&controls, text));
        let tokens = |model: &Model, role: &str| {
            model.chat(&[Message::new(role, "x"), Message::new("user", "y")]).unwrap()
        };
        let text = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
        let user = 256;
        // The first control token of this vocabulary begins its texts.
        assert_eq!(tokens(&bare, "user")[1..], [text("x"), vec![user], text("y")].concat());
        for role in ["endoftext", "endoftext|>", "endoftext|><|user", "stop>", "stop", "", "|"] {
            let written = text(&format!("<|{role}|>x"));
            let expected = [vec![256], written, vec![user], text("y")].concat();
            assert_eq!(tokens(&bare, role), expected, "{role}");
            assert_eq!(tokens(&trimmed, &format!(" {role}\n")), expected, "{role}");
        }
    }

    proptest! {
        #[test]
        fn chat_makes_no_control_token_of_anything(
            controls in prop::array::uniform3("[ab<]{1,3}"),
            said in prop::collection::vec(("[ab<]{0,3}", "[ab< ]{0,9}"), 1..4),
        ) {
            assert_said(&controls, &said);
        }
    }

    /// Returns what a template makes of a chat without control tokens.
    fn text_of(template: &str, chat: &Chat) -> String {
        let tokens = model(Some(template)).render(chat).unwrap().tokens().unwrap();
        let bytes = tokens[1..].iter().map(|&token| u8::try_from(token).expect("a byte"));
        // This vocabulary spells a space as this character.
        String::from_utf8(bytes.collect()).unwrap().replace('\u{2581}', " ")
    }

    #[test]
    fn template_is_given_tools_and_arguments() {
        let tool = r#"{"type": "function", "function": {"name": "f", "args": [1, true, null]}}"#;
        let chat = Chat {
            tools: vec![tool.into()],
            arguments: vec![
                ("date".into(), "\"1 May\"".into()),
                ("enable_thinking".into(), "false".into()),
            ],
            ..Chat::default()
        };
        assert_eq!(text_of("{{tools[0]|tojson}}", &chat), tool);
        assert_eq!(text_of("{{tools[0].function.name}}{{tools|length}}", &chat), "f1");
        let thinks =
            "{% if enable_thinking is defined and not enable_thinking %}no{% endif %}{{date}}";
        assert_eq!(text_of(thinks, &chat), "no1 May");
        // Without them, `tools` is none and the others are not defined.
        let bare = "{{ tools is none }}{{ date is defined }}{{ strftime_now is defined }}";
        assert_eq!(text_of(bare, &Chat::default()), "TrueFalseFalse");
        let more = "{{ 'prompt' if add_generation_prompt }}";
        assert_eq!(text_of(more, &Chat::default()), "prompt");
        let arguments = vec![("add_generation_prompt".into(), "false".into())];
        assert_eq!(text_of(more, &Chat { arguments, ..Chat::default() }), "");
    }

    #[test]
    fn template_may_mark_what_the_model_has_written() {
        let marked = "{% for m in messages %}\n{%- if m.role == 'assistant' %}\n  {% generation %}\n\
            {% set said = m.content %}{{ said }}{{ eos_token }}{% endgeneration %}\n  {%- else -%} {{ m.content \
            }}{% endif %}\n{% endfor %}{{ said is defined }}";
        let unmarked = marked.replace("generation", "with");
        assert_eq!(rendered(marked), rendered(&unmarked));
        assert!(rendered(marked).ends_with("False") && rendered(marked).contains("</think>"));
        // One that is not closed is an error still.
        let open = render("{% generation %}a", variables(), [100; 3].into_iter());
        assert!(matches!(open, Err(EngineError::ChatTemplate { .. })));
    }

    #[test]
    fn template_gets_the_date_from_an_argument_alone() {
        let argument = |name: &str, date: &str| Chat {
            arguments: vec![(name.into(), format!("\"{date}\""))],
            ..Chat::default()
        };
        // Llama 3.2 and later.
        let guarded = "{% if not date_string is defined %}{% if strftime_now is defined %}\
            {% set date_string = strftime_now('%d %b %Y') %}{% else %}{% set date_string = '26 Jul 2024' %}\
            {% endif %}{% endif %}{{ date_string }}";
        assert_eq!(text_of(guarded, &Chat::default()), "26 Jul 2024");
        assert_eq!(text_of(guarded, &argument("date_string", "1 May 2026")), "1 May 2026");
        assert_eq!(text_of(guarded, &argument("strftime_now", "2 May 2026")), "2 May 2026");
        let unguarded =
            "{% set today = strftime_now('%Y-%m-%d') %}{{ today }}{{ strftime_now('%Y') }}";
        assert_eq!(
            text_of(unguarded, &argument("strftime_now", "2026-05-01")),
            "2026-05-012026-05-01"
        );
        let refused = |chat: &Chat| model(Some(unguarded)).render(chat).unwrap_err().to_string();
        let number =
            Chat { arguments: vec![("strftime_now".into(), "1".into())], ..Chat::default() };
        for chat in [Chat::default(), number] {
            let said = refused(&chat);
            assert!(said.contains("argument strftime_now") && said.contains("%Y-%m-%d"), "{said}");
        }
    }

    #[test]
    fn chat_makes_no_control_token_of_tools_and_arguments() {
        let said = ["</s>", "<s>x<pad>", "<", "</s", "\u{fdd0}</s>", "<</s>/s>"];
        for said in said {
            let json = |template: String| template.replace("SAID", said);
            let chat = Chat {
                messages: vec![],
                tools: vec![json(r#"{"SAID": ["SAID", {"a": "SAID"}]}"#.into())],
                arguments: vec![("a".into(), json(r#""SAID""#.into()))],
            };
            let tokens = |template| model(Some(template)).render(&chat).unwrap().tokens().unwrap();
            let bytes = |text: String| text.bytes().map(u32::from).collect::<Vec<_>>();
            let listed = json(r#"{"SAID":["SAID",{"a":"SAID"}]}SAID"#.into());
            let written = "{{ tools[0] | tojson(separators=[',', ':']) }}{{ a }}</s>";
            assert_eq!(tokens(written), [vec![256], bytes(listed), vec![257]].concat(), "{said}");
            let keys = "{% for k, v in tools[0].items() %}{{ k }}/s>{{ v[0] }}{% endfor %}";
            let both = bytes(json("SAID/s>SAID".into()));
            assert_eq!(tokens(keys), [vec![256], both].concat(), "{said}");
        }
    }

    #[test]
    fn chat_refuses_tools_and_arguments_that_no_template_can_have() {
        let model = model(Some(PLAIN));
        let error = |chat: Chat| model.render(&chat).unwrap_err();
        let tools = vec!["{}".into(), "{".into()];
        match error(Chat { tools, ..Chat::default() }) {
            EngineError::ChatJson { part, problem } => {
                assert_eq!((&*part, &*problem), ("tool 1", "an object has no key at byte 1"));
            }
            other => panic!("{other:?}"),
        }
        let with = |name: &str, value: &str| {
            error(Chat { arguments: vec![(name.into(), value.into())], ..Chat::default() })
        };
        let part = "argument date";
        assert!(
            matches!(with("date", "1 May"), EngineError::ChatJson { part: p, .. } if p == part)
        );
        for name in ["", "#keep", "a-b", "1a", "é", "messages", "tools", "bos_token", "eos_token"]
        {
            let error = with(name, "1");
            assert!(matches!(error, EngineError::ChatArgument { name: n } if n == name), "{name}");
        }
    }

    #[test]
    fn to_json_is_that_of_python() {
        for (expression, json) in [
            ("[1, 2.5, none, true, 'é<\"\\n']", r#"[1, 2.5, null, true, "é<\"\n"]"#),
            ("messages[0]", r#"{"role": "user", "content": " Hi "}"#),
            ("[{}, []]", "[{}, []]"),
        ] {
            assert_eq!(rendered(&format!("{{{{ {expression} | tojson }}}}")), json);
        }
        let indented = "[\n  1,\n  {\n    \"a\": 2\n  }\n]";
        assert_eq!(rendered("{{ [1, {'a': 2}] | tojson(indent=2) }}"), indented);
        let sorted = r#"{"content":" Hi ","role":"user"}"#;
        let options = "sort_keys=true, separators=[',', ':'], ensure_ascii=false";
        assert_eq!(rendered(&format!("{{{{ messages[0] | tojson({options}) }}}}")), sorted);
        for wrong in ["nothing=1", "ensure_ascii=true", "separators=['a']", "indent='a'"] {
            let template = format!("{{{{ 1 | tojson({wrong}) }}}}");
            let refused = render(&template, variables(), [100; 3].into_iter());
            assert!(matches!(refused, Err(EngineError::ChatTemplate { .. })), "{wrong}");
        }
    }

    #[test]
    fn chat_opens_with_the_begin_token_once() {
        let message = [Message::new("user", "a")];
        for template in ["{{ messages[0].content }}", "<s>{{ messages[0].content }}"] {
            assert_eq!(model(Some(template)).chat(&message).unwrap(), [256, 97]);
        }
    }

    #[test]
    fn chat_refuses_what_the_template_refuses() {
        assert!(matches!(model(None).chat(&chat()), Err(EngineError::NoChatTemplate)));
        let two = [Message::new("user", "a"), Message::new("user", "b")];
        match model(Some(MISTRAL)).chat(&two) {
            Err(EngineError::ChatTemplate { problem }) => {
                assert!(problem.contains("must alternate"), "{problem}");
            }
            other => panic!("{other:?}"),
        }
        for template in [
            "{{ messages",
            "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
            "{{ strftime_now('%Y') }}",
        ] {
            let result = model(Some(template)).chat(&two);
            assert!(matches!(result, Err(EngineError::ChatTemplate { .. })), "{template}");
        }
        let private = ('\u{f0000}'..='\u{ffffd}').chain('\u{100000}'..='\u{10fffd}');
        let all: String = ('\u{fdd0}'..='\u{fdef}').chain(private).collect();
        let result = model(Some(PLAIN)).chat(&[Message::new("user", all)]);
        assert!(matches!(result, Err(EngineError::ChatTemplate { .. })));
    }
}
