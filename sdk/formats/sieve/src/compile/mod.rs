//! From commands by their form to a typed script: what each command and test takes, and what it requires.

mod actions;
mod arguments;
mod test;

use crate::capability::{Capability, Required};
use crate::lexer::shown;
use crate::script::{Script, Statement, StatementKind};
use crate::tree::Node;
use crate::{Error, Result};

use arguments::Arguments;

pub(crate) fn compile(nodes: &[Node]) -> Result<Script> {
    let mut compiler = Compiler::default();
    let requires = nodes
        .iter()
        .take_while(|node| node.name == "require")
        .count();
    let (head, rest) = nodes.split_at_checked(requires).unwrap_or((nodes, &[]));
    for node in head {
        compiler.require(node)?;
    }
    Ok(Script {
        body: compiler.block(rest)?,
    })
}

#[derive(Default)]
struct Compiler {
    required: Required,
}

impl Compiler {
    fn require(&mut self, node: &Node) -> Result<()> {
        let mut arguments = self.plain(node)?;
        for name in arguments.constants("the names of extensions")? {
            if !self.required.add(&name) {
                let what = format!("the extension \"{}\" is not known", shown(&name));
                return Err(Error::at(node.line, what));
            }
        }
        arguments.finish()
    }

    /// An error unless it was required.
    fn needs(&self, line: u32, what: &str, capability: Capability) -> Result<()> {
        if self.required.has(capability) {
            return Ok(());
        }
        Err(Error::at(
            line,
            format!("{what} needs require \"{}\"", capability.name()),
        ))
    }

    /// The arguments of what has no tests and no block.
    fn plain<'n>(&self, node: &'n Node) -> Result<Arguments<'n>> {
        if let Some(test) = node.tests.first() {
            return Err(Error::at(test.line, format!("{} takes no test", node.name)));
        }
        if node.block.is_some() {
            return Err(Error::at(
                node.line,
                format!("{} takes no block", node.name),
            ));
        }
        Ok(Arguments::new(node, self.required))
    }

    fn block(&self, nodes: &[Node]) -> Result<Vec<Statement>> {
        let mut statements: Vec<Statement> = Vec::new();
        let mut after_if = false;
        for node in nodes {
            let follows = matches!(node.name.as_str(), "elsif" | "else");
            if follows && !after_if {
                let what = format!("{} without an if before it", node.name);
                return Err(Error::at(node.line, what));
            }
            after_if = matches!(node.name.as_str(), "if" | "elsif");
            match (node.name.as_str(), statements.last_mut()) {
                (
                    "elsif",
                    Some(Statement {
                        kind: StatementKind::If { branches, .. },
                        ..
                    }),
                ) => {
                    branches.push((self.one_test(node)?, self.own_block(node)?));
                }
                (
                    "else",
                    Some(Statement {
                        kind: StatementKind::If { otherwise, .. },
                        ..
                    }),
                ) => {
                    if let Some(test) = node.tests.first() {
                        return Err(Error::at(test.line, "else takes no test"));
                    }
                    *otherwise = self.own_block(node)?;
                }
                _ => statements.push(Statement {
                    line: node.line,
                    kind: self.statement(node)?,
                }),
            }
        }
        Ok(statements)
    }

    fn own_block(&self, node: &Node) -> Result<Vec<Statement>> {
        if let Some(argument) = node.arguments.first() {
            return Err(Error::at(
                argument.line,
                format!("{} takes no argument before its test", node.name),
            ));
        }
        match &node.block {
            Some(block) => self.block(block),
            None => Err(Error::at(
                node.line,
                format!("{} takes a block in braces", node.name),
            )),
        }
    }

    fn statement(&self, node: &Node) -> Result<StatementKind> {
        match node.name.as_str() {
            "if" => Ok(StatementKind::If {
                branches: vec![(self.one_test(node)?, self.own_block(node)?)],
                otherwise: Vec::new(),
            }),
            "require" => Err(Error::at(
                node.line,
                "require comes before all other commands",
            )),
            _ => self.action(node),
        }
    }
}

#[cfg(test)]
mod examples {
    use crate::Script;

    fn error(script: &str) -> String {
        Script::parse(script).unwrap_err().to_string()
    }

    #[test]
    fn what_is_used_must_be_required() {
        for (script, expected) in [
            (
                "fileinto \"a\";",
                "line 1: fileinto needs require \"fileinto\"",
            ),
            (
                "\nkeep :flags \"\\\\Seen\";",
                "line 2: :flags needs require \"imap4flags\"",
            ),
            (
                "if header :value \"gt\" \"a\" \"b\" {}",
                "line 1: :value needs require \"relational\"",
            ),
            (
                "if header :regex \"a\" \"b\" {}",
                "line 1: :regex needs require \"regex\"",
            ),
            (
                "if address :user \"a\" \"b\" {}",
                "line 1: :user needs require \"subaddress\"",
            ),
            (
                "redirect :copy \"a@b.c\";",
                "line 1: :copy needs require \"copy\"",
            ),
            (
                "set \"a\" \"b\";",
                "line 1: set needs require \"variables\"",
            ),
            (
                "if header :comparator \"i;ascii-numeric\" \"a\" \"1\" {}",
                "line 1: the comparator i;ascii-numeric needs require \"comparator-i;ascii-numeric\"",
            ),
            (
                "require \"vacation\"; vacation :seconds 5 \"x\";",
                "line 1: :seconds needs require \"vacation-seconds\"",
            ),
            (
                "require \"fileinto\"; fileinto :create \"x\";",
                "line 1: :create needs require \"mailbox\"",
            ),
        ] {
            assert_eq!(error(script), expected, "{script}");
        }
        Script::parse("require \"vacation-seconds\"; vacation :seconds 5 \"x\";").unwrap();
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (script, expected) in [
            (
                "require \"nothing\";",
                "line 1: the extension \"nothing\" is not known",
            ),
            (
                "keep;\nrequire \"fileinto\";",
                "line 2: require comes before all other commands",
            ),
            (
                "kep;",
                "line 1: there is no command `kep`; did you mean `keep`?",
            ),
            (
                "if haeder \"a\" \"b\" {}",
                "line 1: there is no test `haeder`; did you mean `header`?",
            ),
            ("else {}", "line 1: else without an if before it"),
            (
                "if true {} else {} elsif true {}",
                "line 1: elsif without an if before it",
            ),
            ("if {}", "line 1: if takes one test"),
            ("if true;", "line 1: if takes a block in braces"),
            ("if not (true, true) {}", "line 1: not takes one test"),
            (
                "if header :is :contains \"a\" \"b\" {}",
                "line 1: header takes only one of :is and :contains",
            ),
            (
                "if header :last \"a\" \"b\" {}",
                "line 1: header does not know :last",
            ),
            ("if header \"a\" {}", "line 1: header takes its keys here"),
            ("keep \"x\";", "line 1: keep takes no more arguments"),
            ("if size 5 {}", "line 1: size takes :over or :under"),
        ] {
            let said = error(script);
            assert!(said.starts_with(expected), "{script}: {said}");
        }
    }

    #[test]
    fn what_is_wrong_in_an_argument_is_said_with_its_line() {
        for (script, expected) in [
            (
                "redirect \"not an address\";",
                "line 1: \"not an address\" is no address",
            ),
            (
                "require \"regex\"; if header :regex \"a\" \"(\" {}",
                "line 1: not a regular expression: ",
            ),
            (
                "require [\"variables\"]; set \"a b\" \"\";",
                "line 1: \"a b\" is not the name of a variable",
            ),
            ("stop {}", "line 1: stop takes no block"),
            (
                "require [\"date\"]; if currentdate \"centry\" \"1\" {}",
                "line 1: \"centry\" is not a part of a date",
            ),
            (
                "require \"encoded-character\"; redirect \"${unicode:D800}\";",
                "line 1: there is no character D800",
            ),
        ] {
            let said = error(script);
            assert!(said.starts_with(expected), "{script}: {said}");
        }
    }

    #[test]
    fn the_extended_example_of_the_rfc_is_a_script() {
        Script::parse(
            r#"
            require ["fileinto"];
            # Handle messages from known mailing lists
            if header :is "Sender" "owner-ietf-mta-filters@imc.org" {
                fileinto "filter";
            }
            elsif address :DOMAIN :is ["From", "To"] "example.com" { keep; }
            elsif anyof (NOT address :all :contains
                           ["To", "Cc", "Bcc"] "me@example.com",
                         header :matches "subject"
                           ["*make*money*fast*", "*university*dipl*mas*"]) {
                fileinto "spam";
            } else { fileinto "personal"; }"#,
        )
        .unwrap();
    }
}
