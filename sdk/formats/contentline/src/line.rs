/// One property: `group.NAME;PARAMETER=value:value`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The group of a vCard property.
    pub group: Option<String>,
    /// As it came; compare it with [`Line::is`].
    pub name: String,
    /// In the order they came.
    pub parameters: Vec<Parameter>,
    /// Unfolded, its escapes as they came.
    pub value: String,
}

/// A parameter of a property.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameter {
    /// As it came.
    pub name: String,
    /// Without quotes and with RFC 6868 decoded; empty when the parameter has no `=`, as in vCard 2.1.
    pub values: Vec<String>,
}

impl Parameter {
    /// A parameter of one value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Parameter {
            name: name.into(),
            values: vec![value.into()],
        }
    }
}

impl Line {
    /// A property without parameters. The value is written as it is given: see [`Line::text`] for text.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Line {
            group: None,
            name: name.into(),
            parameters: Vec::new(),
            value: value.into(),
        }
    }

    /// A property whose value is text and is escaped here.
    pub fn text(name: impl Into<String>, text: &str) -> Self {
        Line::new(name, crate::text::escape(text))
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push(Parameter::new(name, value));
        self
    }

    /// Whether the property has this name, which has no case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// All values of a parameter, however often it stands there.
    pub fn parameter_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters
            .iter()
            .filter(move |parameter| parameter.name.eq_ignore_ascii_case(name))
            .flat_map(|parameter| parameter.values.iter().map(String::as_str))
    }

    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
            .and_then(|parameter| parameter.values.first())
            .map(String::as_str)
    }

    /// Whether a parameter has this value among its values; neither has case.
    pub fn has_parameter(&self, name: &str, value: &str) -> bool {
        self.parameter_values(name)
            .any(|given| given.eq_ignore_ascii_case(value))
    }

    /// Puts one value in the place of all a parameter had.
    pub fn set_parameter(&mut self, name: &str, value: impl Into<String>) {
        let place = self
            .parameters
            .iter()
            .position(|parameter| parameter.name.eq_ignore_ascii_case(name));
        let value = value.into();
        let Some(place) = place else {
            self.parameters.push(Parameter::new(name, value));
            return;
        };
        if let Some(parameter) = self.parameters.get_mut(place) {
            parameter.values = vec![value];
        }
        let mut position = 0;
        self.parameters.retain(|parameter| {
            let keep = position <= place || !parameter.name.eq_ignore_ascii_case(name);
            position += 1;
            keep
        });
    }

    /// Takes a parameter away.
    pub fn remove_parameter(&mut self, name: &str) {
        self.parameters
            .retain(|parameter| !parameter.name.eq_ignore_ascii_case(name));
    }

    /// The value as text, its escapes undone.
    pub fn as_text(&self) -> String {
        crate::text::unescape(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_set_stands_where_the_first_of_its_name_stood() {
        let mut line = Line::new("ATTENDEE", "mailto:a@example.org")
            .with("PARTSTAT", "NEEDS-ACTION")
            .with("CN", "A")
            .with("partstat", "DECLINED");
        line.set_parameter("PartStat", "ACCEPTED");
        let parameters: Vec<_> = line
            .parameters
            .iter()
            .map(|parameter| (parameter.name.as_str(), parameter.values.join(",")))
            .collect();
        assert_eq!(
            parameters,
            [("PARTSTAT", "ACCEPTED".to_owned()), ("CN", "A".to_owned())]
        );
    }
}
