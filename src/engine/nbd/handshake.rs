//! The handshake: fixed newstyle negotiation, up to the transmission phase.
//! Source: "Handshake", "Fixed newstyle negotiation" and "Option types" of the protocol document.

use std::io::{self, Read, Write};
use std::time::Instant;

use super::contexts::Context;
use super::export::Export;
use super::input::Input;
use super::limits::{OPTION_BYTES, OPTION_BYTES_READ_OVER, OPTIONS, PATIENCE};
use super::option_data::{GoRequest, MetaRequest};
use super::wire::{
    FLAG_FIXED_NEWSTYLE, FLAG_NO_ZEROES, MAX_PAYLOAD, MIN_BLOCK, NBD_MAGIC, OPTION_MAGIC,
    OPTION_REPLY_MAGIC, PREFERRED_BLOCK, answer, info, option,
};

/// What was agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreed {
    /// Replies are structured.
    pub(super) structured: bool,
    /// The metadata contexts that were selected, in the order of their ids from 1 on.
    pub(super) contexts: Vec<Context>,
}

/// How an option leaves the negotiation.
enum Next {
    /// Another option may come.
    Option,
    /// The client begins to send requests.
    Transmission,
    /// The connection ends.
    End,
}

fn violation(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Talks to a client until it sends requests; none if it leaves before.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for what no client may send, and those of the connection.
pub(super) fn negotiate<R: Read, W: Write>(
    input: &mut Input<R>,
    output: W,
    export: &Export,
) -> io::Result<Option<Agreed>> {
    let until = Instant::now() + PATIENCE;
    let mut talk = Talk {
        output,
        export,
        agreed: Agreed::default(),
        for_name: String::new(),
        no_zeroes: false,
    };
    talk.greet()?;
    let flags = u32::from_be_bytes(input.array()?);
    let known = u32::from(FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES);
    if flags & !known != 0 {
        return Err(violation(
            "the client asks for handshake flags that were not offered",
        ));
    }
    talk.no_zeroes = flags & u32::from(FLAG_NO_ZEROES) != 0;
    let fixed = flags & u32::from(FLAG_FIXED_NEWSTYLE) != 0;
    for _ in 0..OPTIONS {
        if Instant::now() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if u64::from_be_bytes(input.array()?) != OPTION_MAGIC {
            return Err(violation(
                "an option does not begin with the protocol's magic number",
            ));
        }
        let kind = u32::from_be_bytes(input.array()?);
        let length = u32::from_be_bytes(input.array()?);
        if !fixed && kind != option::EXPORT_NAME {
            return Err(violation(
                "the client sends options without having agreed to fixed newstyle",
            ));
        }
        if length > OPTION_BYTES_READ_OVER {
            return Err(violation("an option is far too long"));
        }
        if length > OPTION_BYTES {
            input.skip(u64::from(length))?;
            if kind == option::EXPORT_NAME {
                return Ok(None);
            }
            talk.refuse(kind, answer::ERR_TOO_BIG, "the option is too long")?;
            continue;
        }
        let mut data = vec![0; length as usize];
        input.read_exact(&mut data)?;
        match talk.option(kind, &data)? {
            Next::Option => {}
            Next::Transmission => return Ok(Some(talk.agreed)),
            Next::End => return Ok(None),
        }
    }
    Err(violation("the client sends options without end"))
}

struct Talk<'a, W> {
    output: W,
    export: &'a Export,
    agreed: Agreed,
    /// The export name that the contexts were selected for.
    for_name: String,
    no_zeroes: bool,
}

impl<W: Write> Talk<'_, W> {
    fn greet(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(18);
        bytes.extend_from_slice(&NBD_MAGIC.to_be_bytes());
        bytes.extend_from_slice(&OPTION_MAGIC.to_be_bytes());
        bytes.extend_from_slice(&(FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES).to_be_bytes());
        self.output.write_all(&bytes)
    }

    fn answer(&mut self, option: u32, kind: u32, data: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(20 + data.len());
        bytes.extend_from_slice(&OPTION_REPLY_MAGIC.to_be_bytes());
        bytes.extend_from_slice(&option.to_be_bytes());
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        bytes.extend_from_slice(data);
        self.output.write_all(&bytes)
    }

    fn refuse(&mut self, option: u32, kind: u32, words: &str) -> io::Result<Next> {
        self.answer(option, kind, words.as_bytes())?;
        Ok(Next::Option)
    }

    fn accept(&mut self, option: u32, next: Next) -> io::Result<Next> {
        self.answer(option, answer::ACK, &[])?;
        Ok(next)
    }

    fn option(&mut self, kind: u32, data: &[u8]) -> io::Result<Next> {
        match kind {
            option::EXPORT_NAME => self.export_name(data),
            option::ABORT => self.accept(kind, Next::End),
            option::LIST | option::STRUCTURED_REPLY if !data.is_empty() => {
                self.refuse(kind, answer::ERR_INVALID, "this option takes no data")
            }
            option::LIST => {
                let mut server = (self.export.name.len() as u32).to_be_bytes().to_vec();
                server.extend_from_slice(self.export.name.as_bytes());
                server.extend_from_slice(self.export.description.as_bytes());
                self.answer(kind, answer::SERVER, &server)?;
                self.accept(kind, Next::Option)
            }
            option::STRUCTURED_REPLY => {
                self.agreed.structured = true;
                self.accept(kind, Next::Option)
            }
            option::INFO | option::GO => self.go(kind, data),
            option::LIST_META_CONTEXT | option::SET_META_CONTEXT => self.meta(kind, data),
            _ => self.refuse(kind, answer::ERR_UNSUP, "this option is not known here"),
        }
    }

    /// The old way into transmission. It has no way to say no but to end the connection.
    fn export_name(&mut self, data: &[u8]) -> io::Result<Next> {
        let Some(name) = std::str::from_utf8(data)
            .ok()
            .filter(|name| self.export.answers_to(name))
        else {
            return Ok(Next::End);
        };
        self.drop_foreign_contexts(name);
        let mut bytes = self.export.size.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.export.flags(self.agreed.structured).to_be_bytes());
        if !self.no_zeroes {
            bytes.resize(bytes.len() + 124, 0);
        }
        self.output.write_all(&bytes)?;
        Ok(Next::Transmission)
    }

    fn go(&mut self, kind: u32, data: &[u8]) -> io::Result<Next> {
        let Some(request) = GoRequest::parse(data) else {
            return self.refuse(kind, answer::ERR_INVALID, "the option's data is malformed");
        };
        if !self.export.answers_to(request.name) {
            return self.refuse(
                kind,
                answer::ERR_UNKNOWN,
                "there is no export of this name here",
            );
        }
        let export = self.export;
        let mut about = info::EXPORT.to_be_bytes().to_vec();
        about.extend_from_slice(&export.size.to_be_bytes());
        about.extend_from_slice(&export.flags(self.agreed.structured).to_be_bytes());
        self.answer(kind, answer::INFO, &about)?;
        for (wanted, text) in [
            (info::NAME, &export.name),
            (info::DESCRIPTION, &export.description),
        ] {
            if request.infos.contains(&wanted) {
                let mut about = wanted.to_be_bytes().to_vec();
                about.extend_from_slice(text.as_bytes());
                self.answer(kind, answer::INFO, &about)?;
            }
        }
        let mut about = info::BLOCK_SIZE.to_be_bytes().to_vec();
        for size in [MIN_BLOCK, PREFERRED_BLOCK, MAX_PAYLOAD] {
            about.extend_from_slice(&size.to_be_bytes());
        }
        self.answer(kind, answer::INFO, &about)?;
        if kind == option::INFO {
            return self.accept(kind, Next::Option);
        }
        self.drop_foreign_contexts(request.name);
        self.accept(kind, Next::Transmission)
    }

    /// Contexts hold for the export name that they were selected for.
    fn drop_foreign_contexts(&mut self, name: &str) {
        if self.for_name != name {
            self.agreed.contexts.clear();
        }
    }

    fn meta(&mut self, kind: u32, data: &[u8]) -> io::Result<Next> {
        let set = kind == option::SET_META_CONTEXT;
        if set {
            // Whatever comes of it, what was selected before holds no more.
            self.agreed.contexts.clear();
        }
        if !self.agreed.structured {
            return self.refuse(
                kind,
                answer::ERR_INVALID,
                "agree on structured replies first",
            );
        }
        let Some(request) = MetaRequest::parse(data) else {
            return self.refuse(kind, answer::ERR_INVALID, "the option's data is malformed");
        };
        if !self.export.answers_to(request.name) {
            return self.refuse(
                kind,
                answer::ERR_UNKNOWN,
                "there is no export of this name here",
            );
        }
        let contexts = if set {
            super::contexts::selected(self.export, &request.queries)
        } else {
            super::contexts::listed(self.export, &request.queries)
        };
        for (i, context) in contexts.iter().enumerate() {
            let id = if set { i as u32 + 1 } else { 0 };
            let mut about = id.to_be_bytes().to_vec();
            about.extend_from_slice(context.name().as_bytes());
            self.answer(kind, answer::META_CONTEXT, &about)?;
        }
        if set {
            request.name.clone_into(&mut self.for_name);
            self.agreed.contexts = contexts;
        }
        self.accept(kind, Next::Option)
    }
}
