// SPDX-License-Identifier: Apache-2.0
//! The request of an order.

use crate::{
    args::{ChatArgs, OrderArgs, TemplateArgument, ToolArgument},
    bounded,
    chain::Chain,
    fault::Fault,
    out,
};
use anyhow::{Context, Result};
use assay_engine::{check_json, StopStrings};
use assay_primitives::{
    api::JobView,
    request::{Argument, Chat, Message, Prompt, RequestV1, MAX_REQUEST_BYTES},
    JobId, Request,
};
use assay_runtime::AccountId;
use std::fs::File;

/// Returns the request for the continuation of a prompt, or for the answer to it, as the arguments say.
///
/// # Errors
///
/// The message of a chat is not UTF-8, or the errors of [`of_chat`].
pub fn of(args: &OrderArgs, prompt: Vec<u8>) -> Result<Request> {
    if !args.chat.chat {
        return with_stops(args, Prompt::Text(prompt));
    }
    let mut messages = opening(&args.chat);
    messages.push(message("user", text(prompt)?));
    of_chat(args, messages)
}

/// Returns the messages with which a chat begins.
pub fn opening(args: &ChatArgs) -> Vec<Message> {
    args.system.iter().map(|text| message("system", text)).collect()
}

/// Returns a message.
pub fn message(role: &str, content: impl Into<String>) -> Message {
    Message { role: role.into(), content: content.into() }
}

/// Returns the request for the answer to a chat.
///
/// # Errors
///
/// A tool cannot be read or is not JSON, an argument of the template is named twice, or there are too many or
/// empty stop strings.
pub fn of_chat(args: &OrderArgs, messages: Vec<Message>) -> Result<Request> {
    let extras = Extras::read(&args.chat)?;
    extras.request(args, messages)
}

/// All of a chat but its messages.
pub struct Extras {
    tools: Vec<String>,
    arguments: Vec<Argument>,
}

impl Extras {
    /// Reads the tools and the arguments of the template.
    ///
    /// # Errors
    ///
    /// A tool cannot be read, one of them is not JSON, or an argument is named twice.
    pub fn read(args: &ChatArgs) -> Result<Self> {
        Ok(Self { tools: tools(args)?, arguments: arguments(args)? })
    }

    /// Returns the request for the answer to these messages.
    ///
    /// # Errors
    ///
    /// There are too many or empty stop strings.
    pub fn request(&self, args: &OrderArgs, messages: Vec<Message>) -> Result<Request> {
        let (tools, arguments) = (self.tools.clone(), self.arguments.clone());
        with_stops(args, Prompt::Chat(Chat { messages, tools, arguments }))
    }
}

fn with_stops(args: &OrderArgs, prompt: Prompt) -> Result<Request> {
    let stop = args.stops.iter().map(|stop| stop.clone().into_bytes()).collect();
    let request = args.choice.ask(RequestV1 { stop, ..RequestV1::new(prompt) });
    let request = Request::V1(request);
    request.validate().map_err(|error| Fault::error("request", error.to_string()))?;
    Ok(request)
}

/// Returns the stop strings of a request.
pub fn stops(request: &Request) -> StopStrings {
    let Request::V1(request) = request;
    StopStrings::new(request.stop.iter().cloned())
}

/// Returns the stop strings of a job; `None`, with a note if it cannot be asked, if the node does not have the
/// job's request.
pub async fn stops_of(
    chain: &Chain,
    job: &JobId,
    view: &JobView<AccountId>,
) -> Option<StopStrings> {
    match chain.request_of(job, &view.spec).await {
        Ok(request) => request.as_ref().map(stops),
        Err(error) => {
            out::note(&format!("{error:#}"));
            None
        }
    }
}

/// Says that a stop string is shown with the output that it ends.
pub fn note_shown_stop() {
    out::note("The node does not have the request of the job, so its stop string is shown.");
}

/// Returns the text of a message. Templates work on characters.
fn text(prompt: Vec<u8>) -> Result<String> {
    String::from_utf8(prompt).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::error(
            "not_text",
            format!(
                "the message is not UTF-8 at byte {at}; convert it, or leave --chat out to have the \
                 bytes continued"
            ),
        )
    })
}

/// Returns the tools as they were written.
fn tools(args: &ChatArgs) -> Result<Vec<String>> {
    let tool = |(index, tool): (usize, &ToolArgument)| {
        let text = match tool {
            ToolArgument::Json(text) => text.clone(),
            ToolArgument::File(path) => {
                let name = path.display();
                let file = File::open(path)
                    .with_context(|| format!("cannot read the tool of --tool @{name}"))?;
                let bytes =
                    bounded::bytes(file, MAX_REQUEST_BYTES, &format!("the tool in {name}"))?;
                String::from_utf8(bytes).map_err(|error| {
                    let at = error.utf8_error().valid_up_to();
                    Fault::error(
                        "not_text",
                        format!("the tool in {name} is not UTF-8 at byte {at}"),
                    )
                })?
            }
        };
        match check_json(&text) {
            Ok(()) => Ok(text.trim().into()),
            Err(problem) => Err(Fault::error(
                "tool",
                format!(
                    "tool {index} is not JSON: {problem}; write @FILE to have it read from a file"
                ),
            )),
        }
    };
    args.tools.iter().enumerate().map(tool).collect()
}

fn arguments(args: &ChatArgs) -> Result<Vec<Argument>> {
    let mut given = args.arguments.clone();
    given.sort();
    if let Some(twice) = given.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let name = &twice[0].name;
        return Err(Fault::error(
            "template_argument_twice",
            format!("--template-arg names '{name}' twice; give each argument once"),
        ));
    }
    let argument = |given: TemplateArgument| {
        let TemplateArgument { name, value } = given;
        match check_json(&value) {
            Ok(()) => Ok(Argument { name, value }),
            Err(problem) => Err(Fault::error(
                "template_argument",
                format!("the value of --template-arg {name} is not JSON: {problem}; write a text in quotes"),
            )),
        }
    };
    given.into_iter().map(argument).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn request(options: &[&str], prompt: &[u8]) -> Result<RequestV1> {
        let cli = Cli::try_parse_from([&["assay", "run", "-"], options].concat()).unwrap();
        let Command::Run(args) = cli.command else { panic!("it is `assay run`") };
        of(&args.order, prompt.to_vec()).map(|Request::V1(request)| request)
    }

    fn refused(options: &[&str], prompt: &[u8]) -> (String, String) {
        let error = request(options, prompt).unwrap_err();
        (error.downcast_ref::<Fault>().unwrap().code.clone(), error.to_string())
    }

    #[test]
    fn prompt_is_a_text_unless_it_is_a_chat() {
        let text = request(&[], b"Hi\xff").unwrap();
        assert_eq!(text, RequestV1::new(Prompt::Text(b"Hi\xff".to_vec())));
        let options =
            ["--chat", "--system", "Be", "--template-arg", "b=1", "--template-arg", "a=2"];
        let argument =
            |name: &str, value: &str| Argument { name: name.into(), value: value.into() };
        let chat = Chat {
            messages: vec![message("system", "Be"), message("user", "Hi")],
            tools: vec![],
            arguments: vec![argument("a", "2"), argument("b", "1")],
        };
        assert_eq!(request(&options, b"Hi").unwrap(), RequestV1::new(Prompt::Chat(chat)));
    }

    #[test]
    fn message_of_a_chat_is_text() {
        let (code, message) = refused(&["--chat"], b"Hi\xff");
        assert_eq!(code, "not_text");
        assert!(message.contains("byte 2") && message.contains("leave --chat out"), "{message}");
    }

    #[test]
    fn tools_are_given_as_they_are_or_in_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, " {\"b\": 2}\n").unwrap();
        let named = format!("@{}", file.path().display());
        let options = ["--chat", "--tool", "{\"a\":  1}", "--tool", &named];
        let Prompt::Chat(chat) = request(&options, b"Hi").unwrap().prompt else { panic!("a chat") };
        assert_eq!(chat.tools, ["{\"a\":  1}", "{\"b\": 2}"]);
        let (code, message) = refused(&["--chat", "--tool", "{}", "--tool", "{"], b"Hi");
        assert_eq!(code, "tool");
        assert!(message.contains("tool 1 is not JSON") && message.contains("@FILE"), "{message}");
        std::fs::write(&file, b"\"\xff\"").unwrap();
        let (code, message) = refused(&["--chat", "--tool", &named], b"Hi");
        assert_eq!(code, "not_text");
        assert!(message.contains("not UTF-8 at byte 1"), "{message}");
        let missing = request(&["--chat", "--tool", "@/nowhere"], b"Hi").unwrap_err();
        assert!(missing.to_string().contains("--tool @/nowhere"), "{missing}");
    }

    #[test]
    fn template_argument_that_is_named_twice_is_refused() {
        let twice = ["--chat", "--template-arg", "a=1", "--template-arg", "a=2"];
        let (code, message) = refused(&twice, b"Hi");
        assert_eq!(code, "template_argument_twice");
        assert!(message.contains("'a' twice"), "{message}");
    }

    #[test]
    fn value_of_an_argument_is_json_as_nodes_read_it() {
        for (value, words) in [("1 May", "text follows the value"), ("{\"a\":1,\"a\":2}", "twice")]
        {
            let (code, message) =
                refused(&["--chat", "--template-arg", &format!("date={value}")], b"Hi");
            assert_eq!(code, "template_argument");
            assert!(
                message.contains("--template-arg date") && message.contains(words),
                "{message}"
            );
        }
    }

    #[test]
    fn stop_strings_are_at_most_sixteen_and_not_empty() {
        let stops = request(&["--stop", "\n", "--stop", "END"], b"Hi").unwrap().stop;
        assert_eq!(stops, [b"\n".to_vec(), b"END".to_vec()]);
        for (options, words) in [
            (vec!["--stop", ""], "stop string 0 is empty; leave it out"),
            (["--stop", "a"].repeat(17), "17 stop strings and may have 16"),
        ] {
            let (code, message) = refused(&options, b"Hi");
            assert_eq!(code, "request");
            assert!(message.contains(words), "{message}");
        }
    }
}
