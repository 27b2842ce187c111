//! The arguments of one command: tags are taken by name, with what follows them; what is left is positional.

use crate::capability::{Capability, Required};
use crate::lexer::shown;
use crate::matching::{Comparator, MatchType, Relation, regex};
use crate::script::{Index, Key, Matcher};
use crate::text::{Text, decode_characters, is_identifier};
use crate::tree::{Argument, Node, Value};
use crate::{Error, Result};

pub(super) struct Arguments<'n> {
    pub(super) line: u32,
    pub(super) command: &'n str,
    left: Vec<&'n Argument>,
    required: Required,
}

impl<'n> Arguments<'n> {
    pub(super) fn new(node: &'n Node, required: Required) -> Arguments<'n> {
        Arguments {
            line: node.line,
            command: &node.name,
            left: node.arguments.iter().collect(),
            required,
        }
    }

    fn needs(&self, line: u32, what: &str, capability: Option<Capability>) -> Result<()> {
        match capability {
            Some(capability) if !self.required.has(capability) => Err(Error::at(
                line,
                format!("{what} needs require \"{}\"", capability.name()),
            )),
            _ => Ok(()),
        }
    }

    fn place(&self, tag: &str) -> Option<usize> {
        self.left
            .iter()
            .position(|argument| matches!(&argument.value, Value::Tag(name) if name == tag))
    }

    /// Takes a tag that stands alone.
    pub(super) fn tag(&mut self, tag: &str, capability: Option<Capability>) -> Result<bool> {
        let Some(at) = self.place(tag) else {
            return Ok(false);
        };
        let argument = self.left.remove(at);
        self.needs(argument.line, &format!(":{tag}"), capability)?;
        if self.place(tag).is_some() {
            return Err(Error::at(argument.line, format!(":{tag} is there twice")));
        }
        Ok(true)
    }

    /// Takes a tag with the argument behind it.
    fn tagged(
        &mut self,
        tag: &str,
        capability: Option<Capability>,
    ) -> Result<Option<&'n Argument>> {
        let Some(at) = self.place(tag) else {
            return Ok(None);
        };
        let line = self
            .left
            .get(at)
            .map_or(self.line, |argument| argument.line);
        self.tag(tag, capability)?;
        if at < self.left.len() {
            return Ok(Some(self.left.remove(at)));
        }
        Err(Error::at(line, format!(":{tag} takes an argument")))
    }

    pub(super) fn tagged_number(
        &mut self,
        tag: &str,
        capability: Option<Capability>,
    ) -> Result<Option<u64>> {
        match self.tagged(tag, capability)? {
            None => Ok(None),
            Some(Argument {
                value: Value::Number(number),
                ..
            }) => Ok(Some(*number)),
            Some(other) => Err(Error::at(other.line, format!(":{tag} takes a number"))),
        }
    }

    pub(super) fn tagged_text(
        &mut self,
        tag: &str,
        capability: Option<Capability>,
    ) -> Result<Option<Text>> {
        let Some(argument) = self.tagged(tag, capability)? else {
            return Ok(None);
        };
        match &argument.value {
            Value::Strings {
                texts,
                is_list: false,
            } => {
                let text = texts.first().map_or("", String::as_str);
                self.text(argument.line, text).map(Some)
            }
            _ => Err(Error::at(argument.line, format!(":{tag} takes a string"))),
        }
    }

    pub(super) fn tagged_texts(
        &mut self,
        tag: &str,
        capability: Option<Capability>,
    ) -> Result<Option<Vec<Text>>> {
        let Some(argument) = self.tagged(tag, capability)? else {
            return Ok(None);
        };
        match &argument.value {
            Value::Strings { texts, .. } => self.all(argument.line, texts).map(Some),
            _ => Err(Error::at(argument.line, format!(":{tag} takes strings"))),
        }
    }

    fn text(&self, line: u32, text: &str) -> Result<Text> {
        let decoded;
        let text = if self.required.has(Capability::EncodedCharacter) {
            decoded = decode_characters(text).map_err(|what| Error::at(line, what))?;
            decoded.as_str()
        } else {
            text
        };
        Ok(match self.required.has(Capability::Variables) {
            true => Text::with_variables(text),
            false => Text::literal(text),
        })
    }

    fn all(&self, line: u32, texts: &[String]) -> Result<Vec<Text>> {
        texts.iter().map(|text| self.text(line, text)).collect()
    }

    fn positional(&mut self, what: &str) -> Result<&'n Argument> {
        let command = self.command;
        let missing = |line| Error::at(line, format!("{command} takes {what} here"));
        match self.left.first() {
            None => Err(missing(self.line)),
            Some(Argument {
                line,
                value: Value::Tag(tag),
            }) => Err(Error::at(
                *line,
                format!("{command} does not know :{}", shown(tag)),
            )),
            Some(_) => Ok(self.left.remove(0)),
        }
    }

    fn unexpected<T>(&self, argument: &Argument, what: &str) -> Result<T> {
        Err(Error::at(
            argument.line,
            format!("{} takes {what} here", self.command),
        ))
    }

    pub(super) fn string(&mut self, what: &str) -> Result<Text> {
        let argument = self.positional(what)?;
        match &argument.value {
            Value::Strings {
                texts,
                is_list: false,
            } => self.text(argument.line, texts.first().map_or("", String::as_str)),
            _ => self.unexpected(argument, what),
        }
    }

    pub(super) fn strings(&mut self, what: &str) -> Result<Vec<Text>> {
        let argument = self.positional(what)?;
        match &argument.value {
            Value::Strings { texts, .. } => self.all(argument.line, texts),
            _ => self.unexpected(argument, what),
        }
    }

    /// Strings without variables.
    pub(super) fn constants(&mut self, what: &str) -> Result<Vec<String>> {
        let line = self.line;
        let constant = |text: &Text| match text.constant() {
            Some(text) => Ok(text.to_owned()),
            None => Err(Error::at(line, format!("{what} have no variables"))),
        };
        self.strings(what)?.iter().map(constant).collect()
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u64> {
        let argument = self.positional(what)?;
        match argument.value {
            Value::Number(number) => Ok(number),
            _ => self.unexpected(argument, what),
        }
    }

    /// How many positional arguments are left.
    pub(super) fn count(&self) -> usize {
        let positional = |argument: &&&Argument| !matches!(argument.value, Value::Tag(_));
        self.left.iter().filter(positional).count()
    }

    /// The name of a variable.
    pub(super) fn variable(&mut self) -> Result<String> {
        let name = self.string("the name of a variable")?;
        self.variable_name(&name)
    }

    pub(super) fn variable_name(&self, name: &Text) -> Result<String> {
        let name = name.constant().unwrap_or("${}").to_ascii_lowercase();
        let bare = name.strip_prefix("global.").unwrap_or(&name);
        if bare.len() != name.len() {
            self.needs(self.line, "the namespace global", Some(Capability::Include))?;
        }
        if is_identifier(bare) {
            return Ok(name);
        }
        let what = format!("\"{}\" is not the name of a variable", shown(&name));
        Err(Error::at(self.line, what))
    }

    /// An error when something is left.
    pub(super) fn finish(self) -> Result<()> {
        match self.left.first() {
            None => Ok(()),
            Some(Argument {
                line,
                value: Value::Tag(tag),
            }) => Err(Error::at(
                *line,
                format!("{} does not know :{}", self.command, shown(tag)),
            )),
            Some(argument) => Err(Error::at(
                argument.line,
                format!("{} takes no more arguments", self.command),
            )),
        }
    }

    /// `:index N [:last]`.
    pub(super) fn index(&mut self, capability: Option<Capability>) -> Result<Option<Index>> {
        let Some(number) = self.tagged_number("index", capability)? else {
            return Ok(None);
        };
        if number == 0 {
            return Err(Error::at(self.line, ":index begins with 1"));
        }
        Ok(Some(Index {
            number,
            from_last: self.tag("last", capability)?,
        }))
    }

    /// Takes `:comparator` and the match type; the keys come later.
    pub(super) fn match_type(&mut self) -> Result<Option<(Comparator, MatchType)>> {
        let given = self.tagged_text("comparator", None)?;
        let name = given
            .as_ref()
            .map_or(Some("i;ascii-casemap"), Text::constant);
        let comparator = match name.unwrap_or_default() {
            "i;octet" => Comparator::Octet,
            "i;ascii-casemap" => Comparator::Casemap,
            "i;ascii-numeric" => {
                let what = "the comparator i;ascii-numeric";
                self.needs(self.line, what, Some(Capability::Numeric))?;
                Comparator::Numeric
            }
            other => {
                let what = format!("the comparator \"{}\" is not known", shown(other));
                return Err(Error::at(self.line, what));
            }
        };
        let mut found: Option<(&str, MatchType)> = None;
        let relational = Some(Capability::Relational);
        for (tag, plain, capability) in [
            ("is", Some(MatchType::Is), None),
            ("contains", Some(MatchType::Contains), None),
            ("matches", Some(MatchType::Matches), None),
            ("regex", Some(MatchType::Regex), Some(Capability::Regex)),
            ("value", None, relational),
            ("count", None, relational),
        ] {
            let kind = match plain {
                Some(kind) => self.tag(tag, capability)?.then_some(kind),
                None => self.relation(tag, capability)?,
            };
            if let (Some((before, _)), Some(_)) = (found, kind) {
                let what = format!("{} takes only one of :{before} and :{tag}", self.command);
                return Err(Error::at(self.line, what));
            }
            found = found.or(kind.map(|kind| (tag, kind)));
        }
        let said = given.is_some() || found.is_some();
        let kind = found.map_or(MatchType::Is, |(_, kind)| kind);
        if comparator == Comparator::Numeric
            && matches!(
                kind,
                MatchType::Contains | MatchType::Matches | MatchType::Regex
            )
        {
            let what = "the comparator i;ascii-numeric compares whole numbers only";
            return Err(Error::at(self.line, what));
        }
        Ok(said.then_some((comparator, kind)))
    }

    fn relation(&mut self, tag: &str, capability: Option<Capability>) -> Result<Option<MatchType>> {
        let Some(name) = self.tagged_text(tag, capability)? else {
            return Ok(None);
        };
        let relation = name.constant().and_then(Relation::of).ok_or_else(|| {
            let what =
                format!(":{tag} takes one of \"gt\", \"ge\", \"lt\", \"le\", \"eq\", \"ne\"");
            Error::at(self.line, what)
        })?;
        Ok(Some(match tag {
            "count" => MatchType::Count(relation),
            _ => MatchType::Value(relation),
        }))
    }

    /// The keys, with what was taken by `match_type`.
    pub(super) fn keys(&mut self, how: Option<(Comparator, MatchType)>) -> Result<Matcher> {
        let (comparator, kind) = how.unwrap_or((Comparator::Casemap, MatchType::Is));
        let (line, mut keys) = (self.line, Vec::new());
        for text in self.strings("its keys")? {
            let constant = text.constant().filter(|_| kind == MatchType::Regex);
            let regex = constant.map(|key| regex(key, comparator)).transpose();
            keys.push(Key {
                regex: regex.map_err(|what| Error::at(line, what))?,
                text,
            });
        }
        Ok(Matcher {
            comparator,
            kind,
            keys,
        })
    }
}
