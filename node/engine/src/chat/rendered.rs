// SPDX-License-Identifier: Apache-2.0
//! A chat that its template has rendered, before it is cut into tokens.

use super::{
    json::Json, message::Chat, ordered::Ordered, stand_in::StandIns, template::render, Message,
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
    /// Returns [`EngineError::NoTokenForByte`].
    pub(crate) fn tokens(&self) -> Result<Vec<u32>, EngineError> {
        self.tokenizer.encode_template(&self.text, &|part| self.stand_ins.restore(part))
    }
}

/// Renders a chat by the model's template.
pub(super) fn rendered<'m>(model: &'m Model, chat: &Chat) -> Result<Rendered<'m>, EngineError> {
    let template = model.chat_template().ok_or(EngineError::NoChatTemplate)?;
    let tokenizer = &**model.tokenizer();
    let (tools, arguments) = (tools(chat)?, arguments(chat)?);
    let mut said = vec![template];
    said.extend(chat.messages.iter().flat_map(|message| [&*message.role, &*message.content]));
    for value in tools.iter().chain(arguments.iter().map(|(_, value)| value)) {
        value.texts(&mut |text| said.push(text));
    }
    let roles = chat.messages.iter().map(|message| &*message.role);
    let stand_ins = StandIns::new(tokenizer.control_texts(), said.into_iter(), roles)?;
    let message = |message: &Message| {
        let (role, content) = (&message.role, &message.content);
        let hidden = [("role", stand_ins.hide_role(role)), ("content", stand_ins.hide(content))];
        Ordered::value(hidden.map(|(name, text)| (name.into(), text.into())).into_iter())
    };
    let messages: Vec<Value> = chat.messages.iter().map(message).collect();
    let tools: Vec<Value> = tools.iter().map(|tool| tool.hidden(&stand_ins)).collect();
    let (bos, eos) = tokenizer.texts_of_ends();
    let mut variables = BTreeMap::from([
        ("bos_token", bos.into()),
        ("eos_token", eos.into()),
        ("messages", messages.into()),
        ("tools", if tools.is_empty() { Value::from(()) } else { tools.into() }),
        ("add_generation_prompt", true.into()),
    ]);
    variables.extend(arguments.iter().map(|(name, value)| (*name, value.hidden(&stand_ins))));
    let text = render(template, variables, sizes(chat))?;
    Ok(Rendered { text, stand_ins, tokenizer })
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
