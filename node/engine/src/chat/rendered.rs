// SPDX-License-Identifier: Apache-2.0
//! A chat that its template has rendered, before it is cut into tokens.

use super::{
    json::Json,
    message::Chat,
    ordered::Ordered,
    stand_in::{is_known, StandIns},
    template::render,
    Message,
};
use crate::{tokenizer::Tokenizer, EngineError, Model};
use minijinja::Value;
use std::collections::BTreeMap;

/// The variables of a template that are not arguments of a request.
const RESERVED: [&str; 4] = ["messages", "tools", "bos_token", "eos_token"];

/// The rendered text of a chat.
#[derive(Debug)]
pub(crate) struct Rendered<'m> {
    text: String,
    /// The text without the first character of any control token in what the users say, where one was left.
    probe: Option<String>,
    stand_ins: StandIns<'m>,
    tokenizer: &'m Tokenizer,
}

impl Rendered<'_> {
    /// Returns the number of characters of the text, of which no token stands for more than
    /// [`Model::longest_in_chat`].
    pub(crate) fn characters(&self) -> usize {
        self.text.chars().count()
    }

    /// Returns the tokens.
    ///
    /// # Errors
    /// Returns [`EngineError::NoTokenForByte`], and [`EngineError::ChatTemplate`] if the template makes a control
    /// token of what the users say.
    pub(crate) fn tokens(&self) -> Result<Vec<u32>, EngineError> {
        let special = self.tokenizer.special();
        let differs = |probe| special.control_tokens(&self.text) != special.control_tokens(probe);
        if self.probe.as_deref().is_some_and(differs) {
            return Err(joined());
        }
        self.tokenizer.encode_template(&self.text, &|part| self.stand_ins.restore(part))
    }
}

fn joined() -> EngineError {
    let problem =
        "it takes parts out of a text of the chat, and the rest could be a control token; \
                   change the text around its special characters";
    EngineError::ChatTemplate { problem: problem.into() }
}

/// The texts of a chat, as its template expects them.
struct Said<'c> {
    chat: &'c Chat,
    tools: Vec<Json>,
    arguments: Vec<(&'c str, Json)>,
}

impl Said<'_> {
    /// Calls `each` with every text but the roles.
    fn texts<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        self.chat.messages.iter().for_each(|message| each(&message.content));
        for value in self.tools.iter().chain(self.arguments.iter().map(|(_, value)| value)) {
            value.texts(each);
        }
    }

    /// Returns the variables of the template, with each role and each other text changed.
    fn variables(
        &self,
        tokenizer: &Tokenizer,
        role: &dyn Fn(&str) -> String,
        text: &dyn Fn(&str) -> String,
    ) -> BTreeMap<&str, Value> {
        let message = |message: &Message| {
            let pairs = [("role", role(&message.role)), ("content", text(&message.content))];
            Ordered::value(pairs.map(|(name, text)| (name.into(), text.into())).into_iter())
        };
        let messages: Vec<Value> = self.chat.messages.iter().map(message).collect();
        let tools: Vec<Value> = self.tools.iter().map(|tool| tool.seen(text)).collect();
        let (bos, eos) = tokenizer.texts_of_ends();
        let mut variables = BTreeMap::from([
            ("bos_token", bos.into()),
            ("eos_token", eos.into()),
            ("messages", messages.into()),
            ("tools", if tools.is_empty() { Value::from(()) } else { tools.into() }),
            ("add_generation_prompt", true.into()),
        ]);
        variables.extend(self.arguments.iter().map(|(name, value)| (*name, value.seen(text))));
        variables
    }
}

/// Renders a chat by the model's template.
pub(super) fn rendered<'m>(model: &'m Model, chat: &Chat) -> Result<Rendered<'m>, EngineError> {
    let template = model.chat_template().ok_or(EngineError::NoChatTemplate)?;
    let tokenizer = &**model.tokenizer();
    let said = Said { chat, tools: tools(chat)?, arguments: arguments(chat)? };
    let roles = || chat.messages.iter().map(|message| &*message.role);
    let mut texts = vec![template];
    texts.extend(roles());
    said.texts(&mut |text| texts.push(text));
    let stand_ins = StandIns::new(tokenizer.special(), texts.into_iter(), roles())?;

    let (hide, hide_role) =
        (|text: &str| stand_ins.hide(text), |role: &str| stand_ins.hide_role(role));
    let text = render(template, said.variables(tokenizer, &hide_role, &hide), sizes(chat))?;

    let hide_all = |text: &str| stand_ins.hide_all(&hide(text));
    let hide_all_of_role = |role: &str| match is_known(role) {
        true => hide_role(role),
        false => stand_ins.hide_all(&hide_role(role)),
    };
    let is_left = |text: &str| stand_ins.has_first(text);
    let mut left = roles().any(|role| !is_known(role) && is_left(&hide_role(role)));
    said.texts(&mut |text| left = left || is_left(&hide(text)));
    let probe = left.then(|| {
        let variables = said.variables(tokenizer, &hide_all_of_role, &hide_all);
        render(template, variables, sizes(chat)).map_err(|error| match error {
            // It has not refused the same chat with these characters.
            EngineError::ChatTemplate { .. } => joined(),
            other => other,
        })
    });
    Ok(Rendered { text, probe: probe.transpose()?, stand_ins, tokenizer })
}

/// Returns the number of bytes of each message, tool and argument.
fn sizes(chat: &Chat) -> impl Iterator<Item = usize> + '_ {
    let messages = chat.messages.iter().map(|message| message.role.len() + message.content.len());
    let arguments = chat.arguments.iter().map(|(name, value)| name.len() + value.len());
    messages.chain(chat.tools.iter().map(String::len)).chain(arguments)
}

fn tools(chat: &Chat) -> Result<Vec<Json>, EngineError> {
    let tool = |(index, text): (usize, &String)| {
        let part = || format!("tool {index}");
        Json::read(text).map_err(|problem| EngineError::ChatJson { part: part(), problem })
    };
    chat.tools.iter().enumerate().map(tool).collect()
}

fn arguments(chat: &Chat) -> Result<Vec<(&str, Json)>, EngineError> {
    let argument = |(name, text): &'_ (String, String)| {
        let part = || format!("argument {name}");
        Json::read(text).map_err(|problem| EngineError::ChatJson { part: part(), problem })
    };
    let mut all = Vec::new();
    for pair in &chat.arguments {
        let name = pair.0.as_str();
        if !is_name(name) || RESERVED.contains(&name) {
            return Err(EngineError::ChatArgument { name: name.into() });
        }
        all.push((name, argument(pair)?));
    }
    Ok(all)
}

/// Returns whether a template can spell a name. It cannot spell those of the functions that bound it, so
/// no argument replaces one of them.
fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}
