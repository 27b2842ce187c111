use crate::{Limits, Line, Result, parse, write};

/// What stands between BEGIN and END. Its lines come before its components when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// As it came; compare it with [`Component::is`].
    pub name: String,
    /// Its own properties, in order.
    pub lines: Vec<Line>,
    /// The components in it, in order.
    pub components: Vec<Component>,
}

impl Component {
    /// An empty component.
    pub fn new(name: impl Into<String>) -> Self {
        Component {
            name: name.into(),
            lines: Vec::new(),
            components: Vec::new(),
        }
    }

    /// All components of a text, one after the other: a file of vCards has many.
    ///
    /// # Errors
    /// What [`crate::Error`] names. A text without a component is none.
    pub fn parse_all(octets: &[u8], limits: &Limits) -> Result<Vec<Component>> {
        parse::components(octets, limits)
    }

    /// Whether the component has this name, which has no case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first property of a name.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.is(name))
    }

    /// The first property of a name, to change it.
    pub fn line_mut(&mut self, name: &str) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.is(name))
    }

    /// All properties of a name.
    pub fn lines_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.is(name))
    }

    /// The value of the first property of a name, as it came.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(|line| line.value.as_str())
    }

    /// The components in it that have a name.
    pub fn components_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Component> {
        self.components
            .iter()
            .filter(move |component| component.is(name))
    }

    /// Puts a property in the place of the first of its name and takes the others of that name away.
    pub fn set(&mut self, line: Line) {
        let Some(place) = self.lines.iter().position(|old| old.is(&line.name)) else {
            self.lines.push(line);
            return;
        };
        let mut position = 0;
        self.lines.retain(|old| {
            let keep = position <= place || !old.is(&line.name);
            position += 1;
            keep
        });
        if let Some(old) = self.lines.get_mut(place) {
            *old = line;
        }
    }

    /// Takes all properties of a name away.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !line.is(name));
    }

    /// The component as text, folded at 75 octets, with CRLF.
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(1024);
        write::component(self, &mut out);
        out
    }

    /// Appends the component as text.
    pub fn write(&self, out: &mut String) {
        write::component(self, out);
    }
}
